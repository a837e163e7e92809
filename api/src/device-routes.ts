/** The Pis: what they are set to, and what they did. */
import { z } from "zod";
import { BootAttemptList, BootPage, BootsQuery, DiagnosesQuery, DiagnosisPage } from "./boots.ts";
import { InstallCode } from "./bootstrap.ts";
import { Device, DeviceChanges, DeviceId, DeviceList, DevicesQuery } from "./devices.ts";
import type { Route } from "./route.ts";
import { NewVirtualPi, VirtualPi } from "./virtual-pis.ts";
import { RebootOrder } from "./writes.ts";

const deviceParams = z.strictObject({ id: DeviceId });

export const deviceRoutes = {
	listDevices: {
		method: "GET",
		path: "/api/v1/devices",
		summary: "All devices, or a page of them",
		auth: "user",
		query: DevicesQuery,
		response: DeviceList,
		errors: [],
	},
	getDevice: {
		method: "GET",
		path: "/api/v1/devices/:id",
		summary: "One device",
		auth: "user",
		params: deviceParams,
		response: Device,
		errors: ["device-not-found"],
	},
	changeDevice: {
		method: "PATCH",
		path: "/api/v1/devices/:id",
		summary: "Change a device: name, image, root mode, quota, intent, and what its system gets",
		auth: "user",
		params: deviceParams,
		body: DeviceChanges,
		response: Device,
		errors: ["device-not-found", "image-not-found", "name-taken", "conflict"],
	},
	listBoots: {
		method: "GET",
		path: "/api/v1/devices/:id/boots",
		summary: "The boots of a device with their stages and what was wrong with them, by pages",
		auth: "user",
		params: deviceParams,
		query: BootsQuery,
		response: BootPage,
		errors: ["device-not-found"],
	},
	listAttempts: {
		method: "GET",
		path: "/api/v1/devices/:id/attempts",
		summary: "The last power-ons of a device: each file that it asked for, and what it was sent at each stage",
		auth: "user",
		params: deviceParams,
		response: BootAttemptList,
		errors: ["device-not-found"],
	},
	listDiagnoses: {
		method: "GET",
		path: "/api/v1/devices/:id/diagnoses",
		summary: "What was wrong with a device, also where it came to no boot, by pages",
		auth: "user",
		params: deviceParams,
		query: DiagnosesQuery,
		response: DiagnosisPage,
		errors: ["device-not-found"],
	},
	rebootDevice: {
		method: "POST",
		path: "/api/v1/devices/:id/reboot",
		summary: "Reboot a device through its agent",
		auth: "user",
		params: deviceParams,
		status: 202,
		response: RebootOrder,
		errors: ["device-not-found", "agent-away", "write-running"],
	},
	startVirtualPi: {
		method: "POST",
		path: "/api/v1/virtual-pis",
		summary: "Boot a virtual Pi from this server, for whoever has none at hand",
		auth: "user",
		body: NewVirtualPi,
		status: 202,
		response: VirtualPi,
		errors: ["conflict"],
	},
	createInstallCode: {
		method: "POST",
		path: "/api/v1/install-codes",
		summary: "A code with which a Pi that was booted by other means gets the agent, once, within 15 minutes",
		auth: "user",
		response: InstallCode,
		errors: [],
	},
} as const satisfies Record<string, Route>;
