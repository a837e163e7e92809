/** Writes to the disks of Pis. */
import { z } from "zod";
import { DeviceId } from "./devices.ts";
import type { Route } from "./route.ts";
import { NewWrite, Write, WriteId, WriteList, WritesQuery } from "./writes.ts";

const deviceParams = z.strictObject({ id: DeviceId });
const writeParams = z.strictObject({ id: WriteId });

export const writeRoutes = {
	startWrite: {
		method: "POST",
		path: "/api/v1/devices/:id/writes",
		summary: "Write an image to a disk of a device; all that is on the disk is lost",
		auth: "user",
		params: deviceParams,
		body: NewWrite,
		status: 202,
		response: Write,
		errors: [
			"device-not-found",
			"image-not-found",
			"image-not-ready",
			"disks-unknown",
			"disk-not-found",
			"disk-refused",
			"write-running",
		],
	},
	listWrites: {
		method: "GET",
		path: "/api/v1/writes",
		summary: "Writes: those that run, those that wait, and what became of the others",
		auth: "user",
		query: WritesQuery,
		response: WriteList,
		errors: [],
	},
	getWrite: {
		method: "GET",
		path: "/api/v1/writes/:id",
		summary: "One write; when it is over, its receipt",
		auth: "user",
		params: writeParams,
		response: Write,
		errors: ["write-not-found"],
	},
	cancelWrite: {
		method: "POST",
		path: "/api/v1/writes/:id/cancel",
		summary: "Stop a write; a disk that was begun does not boot",
		auth: "user",
		params: writeParams,
		status: 202,
		response: Write,
		errors: ["write-not-found", "conflict"],
	},
	retryWrite: {
		method: "POST",
		path: "/api/v1/writes/:id/retry",
		summary: "Begin a write again that failed or was cancelled",
		auth: "user",
		params: writeParams,
		status: 202,
		response: Write,
		errors: ["write-not-found", "conflict", "device-not-found", "image-not-found", "image-not-ready", "write-running"],
	},
} as const satisfies Record<string, Route>;
