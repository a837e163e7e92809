/** What each operation of the API does: one call of a service. */
import type { Input, OperationId, Output } from "@pi-netboot/api";
import type { Tally } from "../base/index.ts";
import type { Access, Arrival, Visitor } from "./access.ts";
import { accessOperations } from "./access-operations.ts";
import type { AllowedHosts } from "./allowed-hosts.ts";
import type { Audit } from "./audit.ts";
import { type BootstrapCodes, downloadPath, installCode } from "./bootstrap.ts";
import { ApiError } from "./errors.ts";
import type { EventStreams } from "./event-stream.ts";
import { isLoopback } from "./host.ts";
import { metricsText } from "./metrics.ts";
import { pageOf } from "./paging.ts";
import type { Awaitable, Services, UnfinishedUpload } from "./services.ts";
import { writeOperations } from "./write-operations.ts";

/** The stream of events is no question with an answer; the server answers it itself. */
export type AnsweredOperation = Exclude<OperationId, "streamEvents">;

/** What of the request an operation may need besides its input. */
export interface Visit extends Arrival {
	/** The Host that it was asked by. */
	readonly host: string;
	/** The `Cookie` header. */
	readonly cookie: string | undefined;
	/** Undefined where everybody may ask. */
	readonly visitor: Visitor | undefined;
	/** Sends a `Set-Cookie` header with the answer. */
	setCookie(header: string): void;
}

export type Operations = {
	readonly [K in AnsweredOperation]: (input: Input<K>, visit: Visit) => Awaitable<Output<K>>;
};

/** What the answers come from. */
interface Sources {
	readonly services: Services;
	readonly access: Access;
	readonly hosts: AllowedHosts;
	readonly audit: Audit;
	readonly streams: EventStreams;
	readonly codes: BootstrapCodes;
	/** The address that it listens on. */
	readonly listensOn: string;
	/** Requests that were answered. */
	readonly answered: Tally;
}

export function operations(sources: Sources): Operations {
	const { services, access, hosts, audit, streams, codes, answered, listensOn } = sources;
	const { bootstrap, health, network, images, uploads, catalog, devices, roots, logs } = services;
	return {
		getHealth: () => health.health(),
		getNetwork: () => network.network(),
		changeNetwork: ({ body }) => network.change(body),
		listLeases: async ({ query }) => {
			const { shown, next } = pageOf(await network.leases(), query, ({ address }) => address);
			return { leases: shown, next };
		},
		confirmNetwork: () => network.confirm(),
		listImages: async ({ query }) => {
			const { shown, next } = pageOf(await images.list(), query, ({ id }) => id);
			return { images: shown, next };
		},
		getImage: async ({ params }) => (await images.get(params.id)) ?? noImage(params.id),
		addImage: ({ body }) => images.add(body),
		changeImage: async ({ params, body }) => (await images.change(params.id, body)) ?? noImage(params.id),
		deleteImage: async ({ params, query }) => removed(params.id, await images.remove(params.id, query.file)),
		getCatalog: () => catalog.catalog(),
		listUploads: () => ({ uploads: uploads.list().map(showUpload) }),
		setDefaultImage: async ({ body }) => ((await images.setDefault(body.id)) ? body : noImage(body.id)),
		listDevices: async ({ query }) => {
			// What the page before ended with may have got another id since.
			const after = query.after && ((await devices.get(query.after))?.id ?? query.after);
			const { shown, next } = pageOf(await devices.list(), { ...query, after }, ({ id }) => id);
			return { devices: shown, next };
		},
		getDevice: async ({ params }) => (await devices.get(params.id)) ?? noDevice(params.id),
		changeDevice: async ({ params, body }) => (await devices.change(params.id, body)) ?? noDevice(params.id),
		listBoots: async ({ params, query }) => (await devices.boots(params.id, query)) ?? noDevice(params.id),
		listAttempts: async ({ params }) => ({
			attempts: (await devices.attempts(params.id)) ?? noDevice(params.id),
		}),
		listDiagnoses: async ({ params, query }) => (await devices.diagnoses(params.id, query)) ?? noDevice(params.id),
		listBystanders: async () => ({ bystanders: await devices.bystanders() }),
		resetRoot: async ({ params }) => {
			const { id } = (await devices.resetRoot(params.id)) ?? noDevice(params.id);
			return { id, pending: true };
		},
		getRoot: ({ params }) => roots.root(params.id),
		listRootChanges: ({ params, query }) => roots.changes(params.id, query),
		listSnapshots: async ({ params }) => ({ snapshots: await roots.snapshots(params.id) }),
		createSnapshot: ({ params, body }) => roots.takeSnapshot(params.id, body.name),
		deleteSnapshot: async ({ params }) => {
			await roots.removeSnapshot(params.id, params.name);
			return undefined;
		},
		restoreSnapshot: ({ params }) => roots.restoreSnapshot(params.id, params.name),
		...writeOperations(services.writes),
		startVirtualPi: ({ body }) => {
			services.virtualPis.start(body.model, body.plays);
			return { model: body.model, started: true };
		},
		getDefaults: () => roots.defaults(),
		changeDefaults: ({ body }) => roots.changeDefaults(body),
		listLogs: async ({ query }) => {
			const lines = await logs.recent({ ...query, limit: query.limit + 1 });
			const shown = lines.slice(-query.limit);
			return { lines: shown, next: lines.length > query.limit ? (shown[0]?.id ?? null) : null };
		},
		createLoginCode: () => ({ ...access.createCode(), server: urlForOthers(listensOn, bootstrap.url) }),
		createInstallCode: () => installCode(bootstrap.url, codes.create("install")),
		createDownloadLink: async ({ params }) => {
			const { id } = (await images.get(params.id)) ?? noImage(params.id);
			const code = codes.create(`download ${id}`);
			return { path: downloadPath(id, code), expiresAt: code.expiresAt };
		},
		...accessOperations({ access, hosts, audit, streams }),
		getMetrics: async () =>
			metricsText({
				health: await health.health(),
				images: await images.list(),
				devices: await devices.list(),
				leases: await network.leases(),
				writes: await services.writes.list({ limit: 1000 }),
				bystanders: (await devices.bystanders()).length,
				counters: services.counters.list(),
				answered,
				eventStreams: streams.size,
			}),
	};
}

/** @param url of this server, by the address that it has in the network. */
function urlForOthers(listensOn: string, url: string): string | null {
	return isLoopback(listensOn) || isLoopback(new URL(url).hostname) ? null : url;
}

function showUpload({ id, imageId, name, size, offset, createdAt, fingerprint }: UnfinishedUpload) {
	return { id, imageId, name, size, offset, createdAt, ...(fingerprint !== undefined && { fingerprint }) };
}

function noImage(id: string | null): never {
	throw new ApiError("image-not-found", `There is no image "${id}".`, { hint: "`pi-netboot images` lists them." });
}

function noDevice(id: string): never {
	throw new ApiError("device-not-found", `There is no device "${id}".`, { hint: "`pi-netboot devices` lists them." });
}

function removed(id: string, outcome: "removed" | "not-found" | { readonly usedBy: readonly string[] }): undefined {
	if (outcome === "not-found") noImage(id);
	if (outcome !== "removed") {
		const names = outcome.usedBy.length === 0 ? "A device" : outcome.usedBy.join(", ");
		const verb = outcome.usedBy.length > 1 ? "run" : "runs";
		throw new ApiError("image-in-use", `${names} ${verb} from "${id}".`, {
			hint: "Shut down first, or give another image and reboot.",
		});
	}
	return undefined;
}
