/** What Pis changed of their images, and what holds for all of them. */
import { z } from "zod";
import { DeviceId, RootReset } from "./devices.ts";
import {
	Defaults,
	DefaultsChanges,
	DeviceRoot,
	NewSnapshot,
	RootChanges,
	RootChangesQuery,
	Snapshot,
	SnapshotList,
	SnapshotName,
} from "./roots.ts";
import type { Route } from "./route.ts";

const deviceParams = z.strictObject({ id: DeviceId });
const snapshotParams = z.strictObject({ id: DeviceId, name: SnapshotName });

export const rootRoutes = {
	resetRoot: {
		method: "POST",
		path: "/api/v1/devices/:id/root/reset",
		summary: "Drop the device's changes to its root at its next boot",
		auth: "user",
		params: deviceParams,
		response: RootReset,
		errors: ["device-not-found", "conflict"],
	},
	getRoot: {
		method: "GET",
		path: "/api/v1/devices/:id/root",
		summary: "What a device's roots take, and the snapshots of them",
		auth: "user",
		params: deviceParams,
		response: DeviceRoot,
		errors: ["device-not-found"],
	},
	listRootChanges: {
		method: "GET",
		path: "/api/v1/devices/:id/root/changes",
		summary: "What a device changed of its image, by pages",
		auth: "user",
		params: deviceParams,
		query: RootChangesQuery,
		response: RootChanges,
		errors: ["device-not-found", "conflict"],
	},
	listSnapshots: {
		method: "GET",
		path: "/api/v1/devices/:id/root/snapshots",
		summary: "The roots of a device that were kept under a name",
		auth: "user",
		params: deviceParams,
		response: SnapshotList,
		errors: ["device-not-found"],
	},
	createSnapshot: {
		method: "POST",
		path: "/api/v1/devices/:id/root/snapshots",
		summary: "Keep a device's root as it is now; a Pi that runs waits with its writes meanwhile",
		auth: "user",
		params: deviceParams,
		body: NewSnapshot,
		response: Snapshot,
		errors: ["device-not-found", "conflict"],
	},
	deleteSnapshot: {
		method: "DELETE",
		path: "/api/v1/devices/:id/root/snapshots/:name",
		summary: "Delete a snapshot",
		auth: "user",
		params: snapshotParams,
		errors: ["device-not-found", "snapshot-not-found"],
	},
	restoreSnapshot: {
		method: "POST",
		path: "/api/v1/devices/:id/root/snapshots/:name/restore",
		summary: "Give a device at its next boot the root as it was; what it has now is dropped",
		auth: "user",
		params: snapshotParams,
		response: Snapshot,
		errors: ["device-not-found", "snapshot-not-found", "conflict"],
	},
	getDefaults: {
		method: "GET",
		path: "/api/v1/defaults",
		summary: "What devices have that have nothing of their own, and what becomes of old roots",
		auth: "user",
		response: Defaults,
		errors: [],
	},
	changeDefaults: {
		method: "PATCH",
		path: "/api/v1/defaults",
		summary: "Change the defaults; what is left out stays",
		auth: "user",
		body: DefaultsChanges,
		response: Defaults,
		errors: [],
	},
} as const satisfies Record<string, Route>;
