/**
 * All routes as data: the server registers them, the API description is generated from them, clients take their types
 * from them. The key is the operation's id.
 */
import { z } from "zod";
import {
	AuditPage,
	AuditQuery,
	CreatedToken,
	LoginOptions,
	NewPassword,
	NewToken,
	PasswordLogin,
	Session,
	TokenId,
	TokenList,
} from "./access.ts";
import { BootAttemptList, BootPage, BootsQuery, BystanderList, DiagnosesQuery, DiagnosisPage } from "./boots.ts";
import { DownloadLink, InstallCode } from "./bootstrap.ts";
import { Device, DeviceChanges, DeviceId, DeviceList, RootReset } from "./devices.ts";
import { authErrors, changeErrors, type ErrorCode, generalErrors } from "./errors.ts";
import { EventsQuery, ServerEvent } from "./events.ts";
import { Health } from "./health.ts";
import {
	Catalog,
	DefaultImage,
	Image,
	ImageChanges,
	ImageId,
	ImageList,
	NewImage,
	RemoveQuery,
	UploadList,
} from "./images.ts";
import { LoginCode } from "./login.ts";
import { LogLines, LogQuery } from "./logs.ts";
import { Network, NetworkPatch } from "./network.ts";
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
import { NewVirtualPi, VirtualPi } from "./virtual-pis.ts";
import { NewWrite, RebootOrder, Write, WriteId, WriteList, WritesQuery } from "./writes.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Route {
	readonly method: Method;
	/** Parameters as `:name`. */
	readonly path: string;
	readonly summary: string;
	/** `open` answers everybody; `user` wants the token or a session. */
	readonly auth: "open" | "user";
	readonly params?: z.ZodObject;
	readonly query?: z.ZodObject;
	readonly body?: z.ZodType;
	/** Of a success; missing: 200, or 204 where there is no body. */
	readonly status?: 202;
	/** Missing: no body. */
	readonly response?: z.ZodType;
	/** What the response is, where it is not JSON. */
	readonly mediaType?: "text/event-stream" | "text/plain";
	/** The failures of this route alone; `errorsOf` adds those of its kind. */
	readonly errors: readonly ErrorCode[];
}

const imageParams = z.strictObject({ id: ImageId });
const deviceParams = z.strictObject({ id: DeviceId });
const tokenParams = z.strictObject({ id: TokenId });
const writeParams = z.strictObject({ id: WriteId });
const snapshotParams = z.strictObject({ id: DeviceId, name: SnapshotName });

export const routes = {
	getHealth: {
		method: "GET",
		path: "/api/v1/health",
		summary: "What works and what does not",
		auth: "open",
		response: Health,
		errors: [],
	},
	getNetwork: {
		method: "GET",
		path: "/api/v1/network",
		summary: "Interfaces, address, DHCP mode, what was given out, and the other DHCP servers",
		auth: "user",
		response: Network,
		errors: [],
	},
	changeNetwork: {
		method: "PATCH",
		path: "/api/v1/network",
		summary: "Change mode and terms of DHCP, interface and address; what is left out stays",
		auth: "user",
		body: NetworkPatch,
		response: Network,
		errors: ["invalid-request", "conflict"],
	},
	confirmNetwork: {
		method: "POST",
		path: "/api/v1/network/confirm",
		summary: "Keep a change of the network that is taken back otherwise: whoever ordered it still reaches the server",
		auth: "user",
		response: Network,
		errors: ["conflict"],
	},
	listImages: {
		method: "GET",
		path: "/api/v1/images",
		summary: "All images",
		auth: "user",
		response: ImageList,
		errors: [],
	},
	getImage: {
		method: "GET",
		path: "/api/v1/images/:id",
		summary: "One image",
		auth: "user",
		params: imageParams,
		response: Image,
		errors: ["invalid-request", "image-not-found"],
	},
	addImage: {
		method: "POST",
		path: "/api/v1/images",
		summary: "Download an image, use one that lies elsewhere on the server, or take one of the catalogue",
		auth: "user",
		body: NewImage,
		response: Image,
		errors: [
			"invalid-request",
			"image-exists",
			"import-name",
			"import-path",
			"import-failed",
			"import-no-space",
			"import-too-many",
			"download-address",
			"catalog-unavailable",
			"catalog-missing",
			"catalog-malformed",
			"catalog-not-found",
			"catalog-refused",
		],
	},
	changeImage: {
		method: "PATCH",
		path: "/api/v1/images/:id",
		summary: "Rename an image's file; its id stays",
		auth: "user",
		params: imageParams,
		body: ImageChanges,
		response: Image,
		errors: ["invalid-request", "image-not-found", "image-exists", "import-name", "import-failed"],
	},
	getCatalog: {
		method: "GET",
		path: "/api/v1/catalog",
		summary: "The images that Raspberry Pi Imager offers; what cannot be booted from the network says why",
		auth: "user",
		response: Catalog,
		errors: ["catalog-unavailable", "catalog-missing", "catalog-malformed"],
	},
	listUploads: {
		method: "GET",
		path: "/api/v1/uploads",
		summary: "Uploads that are not finished: a client finds its own again by name, size and fingerprint",
		auth: "user",
		response: UploadList,
		errors: [],
	},
	deleteImage: {
		method: "DELETE",
		path: "/api/v1/images/:id",
		summary: "Forget an image, or what is arriving; delete its file too where that is asked for",
		auth: "user",
		params: imageParams,
		query: RemoveQuery,
		errors: ["invalid-request", "image-not-found", "image-in-use", "import-failed"],
	},
	setDefaultImage: {
		method: "PUT",
		path: "/api/v1/images/default",
		summary: "Choose the image for devices that have none of their own",
		auth: "user",
		body: DefaultImage,
		response: DefaultImage,
		errors: ["invalid-request", "image-not-found"],
	},
	listDevices: {
		method: "GET",
		path: "/api/v1/devices",
		summary: "All devices",
		auth: "user",
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
		errors: ["invalid-request", "device-not-found"],
	},
	changeDevice: {
		method: "PATCH",
		path: "/api/v1/devices/:id",
		summary: "Change a device: name, image, root mode, quota, intent, and what its system gets",
		auth: "user",
		params: deviceParams,
		body: DeviceChanges,
		response: Device,
		errors: ["invalid-request", "device-not-found", "image-not-found", "name-taken", "conflict"],
	},
	listBoots: {
		method: "GET",
		path: "/api/v1/devices/:id/boots",
		summary: "The boots of a device with their stages and what was wrong with them, by pages",
		auth: "user",
		params: deviceParams,
		query: BootsQuery,
		response: BootPage,
		errors: ["invalid-request", "device-not-found"],
	},
	listAttempts: {
		method: "GET",
		path: "/api/v1/devices/:id/attempts",
		summary: "The last power-ons of a device: each file that it asked for, and what it was sent at each stage",
		auth: "user",
		params: deviceParams,
		response: BootAttemptList,
		errors: ["invalid-request", "device-not-found"],
	},
	listDiagnoses: {
		method: "GET",
		path: "/api/v1/devices/:id/diagnoses",
		summary: "What was wrong with a device, also where it came to no boot, by pages",
		auth: "user",
		params: deviceParams,
		query: DiagnosesQuery,
		response: DiagnosisPage,
		errors: ["invalid-request", "device-not-found"],
	},
	listBystanders: {
		method: "GET",
		path: "/api/v1/bystanders",
		summary: "Pis and PXE clients that are seen on the network and do not boot from here, with the reason",
		auth: "user",
		response: BystanderList,
		errors: [],
	},
	resetRoot: {
		method: "POST",
		path: "/api/v1/devices/:id/root/reset",
		summary: "Drop the device's changes to its root at its next boot",
		auth: "user",
		params: deviceParams,
		response: RootReset,
		errors: ["invalid-request", "device-not-found", "conflict"],
	},
	getRoot: {
		method: "GET",
		path: "/api/v1/devices/:id/root",
		summary: "What a device's roots take, and the snapshots of them",
		auth: "user",
		params: deviceParams,
		response: DeviceRoot,
		errors: ["invalid-request", "device-not-found"],
	},
	listRootChanges: {
		method: "GET",
		path: "/api/v1/devices/:id/root/changes",
		summary: "What a device changed of its image, by pages",
		auth: "user",
		params: deviceParams,
		query: RootChangesQuery,
		response: RootChanges,
		errors: ["invalid-request", "device-not-found", "conflict"],
	},
	listSnapshots: {
		method: "GET",
		path: "/api/v1/devices/:id/root/snapshots",
		summary: "The roots of a device that were kept under a name",
		auth: "user",
		params: deviceParams,
		response: SnapshotList,
		errors: ["invalid-request", "device-not-found"],
	},
	createSnapshot: {
		method: "POST",
		path: "/api/v1/devices/:id/root/snapshots",
		summary: "Keep a device's root as it is now; a Pi that runs waits with its writes meanwhile",
		auth: "user",
		params: deviceParams,
		body: NewSnapshot,
		response: Snapshot,
		errors: ["invalid-request", "device-not-found", "conflict"],
	},
	deleteSnapshot: {
		method: "DELETE",
		path: "/api/v1/devices/:id/root/snapshots/:name",
		summary: "Delete a snapshot",
		auth: "user",
		params: snapshotParams,
		errors: ["invalid-request", "device-not-found", "snapshot-not-found"],
	},
	restoreSnapshot: {
		method: "POST",
		path: "/api/v1/devices/:id/root/snapshots/:name/restore",
		summary: "Give a device at its next boot the root as it was; what it has now is dropped",
		auth: "user",
		params: snapshotParams,
		response: Snapshot,
		errors: ["invalid-request", "device-not-found", "snapshot-not-found", "conflict"],
	},
	rebootDevice: {
		method: "POST",
		path: "/api/v1/devices/:id/reboot",
		summary: "Reboot a device through its agent",
		auth: "user",
		params: deviceParams,
		status: 202,
		response: RebootOrder,
		errors: ["invalid-request", "device-not-found", "agent-away", "write-running"],
	},
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
			"invalid-request",
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
		errors: ["invalid-request"],
	},
	getWrite: {
		method: "GET",
		path: "/api/v1/writes/:id",
		summary: "One write; when it is over, its receipt",
		auth: "user",
		params: writeParams,
		response: Write,
		errors: ["invalid-request", "write-not-found"],
	},
	cancelWrite: {
		method: "POST",
		path: "/api/v1/writes/:id/cancel",
		summary: "Stop a write; a disk that was begun does not boot",
		auth: "user",
		params: writeParams,
		status: 202,
		response: Write,
		errors: ["invalid-request", "write-not-found", "conflict"],
	},
	retryWrite: {
		method: "POST",
		path: "/api/v1/writes/:id/retry",
		summary: "Begin a write again that failed or was cancelled",
		auth: "user",
		params: writeParams,
		status: 202,
		response: Write,
		errors: [
			"invalid-request",
			"write-not-found",
			"conflict",
			"device-not-found",
			"image-not-found",
			"image-not-ready",
			"write-running",
		],
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
		errors: ["invalid-request"],
	},
	startVirtualPi: {
		method: "POST",
		path: "/api/v1/virtual-pis",
		summary: "Boot a virtual Pi from this server, for whoever has none at hand",
		auth: "user",
		body: NewVirtualPi,
		status: 202,
		response: VirtualPi,
		errors: ["invalid-request", "conflict"],
	},
	streamEvents: {
		method: "GET",
		path: "/api/v1/events",
		summary: "Server-sent events: each event's name is its `type`, its data the JSON of `data`",
		auth: "user",
		query: EventsQuery,
		response: ServerEvent,
		mediaType: "text/event-stream",
		errors: ["invalid-request"],
	},
	listLogs: {
		method: "GET",
		path: "/api/v1/logs",
		summary: "Recent log lines, oldest first",
		auth: "user",
		query: LogQuery,
		response: LogLines,
		errors: ["invalid-request"],
	},
	createLoginCode: {
		method: "POST",
		path: "/api/v1/login-codes",
		summary: "A code that opens the page in a browser, once, within 15 minutes",
		auth: "user",
		response: LoginCode,
		errors: [],
	},
	createInstallCode: {
		method: "POST",
		path: "/api/v1/install-codes",
		summary: "A code with which a Pi that was booted by other means gets the agent, once, within 15 minutes",
		auth: "user",
		response: InstallCode,
		errors: [],
	},
	createDownloadLink: {
		method: "POST",
		path: "/api/v1/images/:id/links",
		summary: "A link to the whole image, unpacked, that works once, within 15 minutes",
		auth: "user",
		params: imageParams,
		response: DownloadLink,
		errors: ["invalid-request", "image-not-found"],
	},
	getLogin: {
		method: "GET",
		path: "/api/v1/login",
		summary: "Whether one has to log in, and by what",
		auth: "open",
		response: LoginOptions,
		errors: [],
	},
	login: {
		method: "POST",
		path: "/api/v1/login",
		summary: "Log in with the password: sets the session's cookie",
		auth: "open",
		body: PasswordLogin,
		errors: ["invalid-request", "password-refused", "too-many-attempts"],
	},
	logout: {
		method: "POST",
		path: "/api/v1/logout",
		summary: "Take this browser's session cookie away",
		auth: "user",
		errors: [],
	},
	getSession: {
		method: "GET",
		path: "/api/v1/session",
		summary: "As whom one asks",
		auth: "user",
		response: Session,
		errors: [],
	},
	endSessions: {
		method: "DELETE",
		path: "/api/v1/sessions",
		summary: "End the sessions of all browsers; the one that asks gets a new one",
		auth: "user",
		errors: [],
	},
	setPassword: {
		method: "PUT",
		path: "/api/v1/password",
		summary: "Set or take away the password; the sessions of all other browsers end",
		auth: "user",
		body: NewPassword,
		errors: ["invalid-request"],
	},
	listTokens: {
		method: "GET",
		path: "/api/v1/tokens",
		summary: "The tokens that were made for programs, besides the one in the data folder",
		auth: "user",
		response: TokenList,
		errors: [],
	},
	createToken: {
		method: "POST",
		path: "/api/v1/tokens",
		summary: "Make a token for a program",
		auth: "user",
		body: NewToken,
		response: CreatedToken,
		errors: ["invalid-request", "name-taken", "conflict"],
	},
	deleteToken: {
		method: "DELETE",
		path: "/api/v1/tokens/:id",
		summary: "Revoke a token; it holds for no request any more",
		auth: "user",
		params: tokenParams,
		errors: ["invalid-request", "token-not-found"],
	},
	listAudit: {
		method: "GET",
		path: "/api/v1/audit",
		summary: "Who changed what, by pages; the last 5,000 changes are kept",
		auth: "user",
		query: AuditQuery,
		response: AuditPage,
		errors: ["invalid-request"],
	},
	getMetrics: {
		method: "GET",
		path: "/metrics",
		summary: "Figures for Prometheus",
		auth: "user",
		response: z.string(),
		mediaType: "text/plain",
		errors: [],
	},
} as const satisfies Record<string, Route>;

export type Routes = typeof routes;
export type OperationId = keyof Routes;

type Parsed<R, K extends string> = R extends { readonly [P in K]: infer S extends z.ZodType } ? z.output<S> : undefined;

/** What a request of this operation brings, validated. */
export interface Input<K extends OperationId> {
	readonly params: Parsed<Routes[K], "params">;
	readonly query: Parsed<Routes[K], "query">;
	readonly body: Parsed<Routes[K], "body">;
}

/** What the operation answers. */
export type Output<K extends OperationId> = Parsed<Routes[K], "response">;

/** Every operation with its route, in the order of the table. */
export function allRoutes(): [OperationId, Route][] {
	const entries: [OperationId, Route][] = [];
	for (const id of Object.keys(routes)) if (isOperation(id)) entries.push([id, routes[id]]);
	return entries;
}

function isOperation(id: string): id is OperationId {
	return Object.hasOwn(routes, id);
}

/** All failures that a route can answer with. */
export function errorsOf(route: Route): ErrorCode[] {
	const ofKind = [...(route.auth === "user" ? authErrors : []), ...(route.method === "GET" ? [] : changeErrors)];
	return [...new Set([...route.errors, ...ofKind, ...generalErrors])];
}
