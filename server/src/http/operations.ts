/** What each operation of the API does: one call of a service. */
import { isIPv6 } from "node:net";
import type { Input, OperationId, Output } from "@pi-netboot/api";
import type { Tally } from "../base/index.ts";
import type { Access, Arrival, Visitor } from "./access.ts";
import { accessOperations } from "./access-operations.ts";
import type { AllowedHosts } from "./allowed-hosts.ts";
import type { Audit } from "./audit.ts";
import { type BootstrapCodes, installCode } from "./bootstrap.ts";
import { deviceOperations } from "./device-operations.ts";
import type { EventStreams } from "./event-stream.ts";
import { isLoopback } from "./host.ts";
import { imageOperations } from "./image-operations.ts";
import { metricsText } from "./metrics.ts";
import { pageOf } from "./paging.ts";
import { rootOperations } from "./root-operations.ts";
import type { Awaitable, Services } from "./services.ts";
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
	const { bootstrap, health, network, images, devices, logs } = services;
	return {
		getHealth: () => health.health(),
		getNetwork: () => network.network(),
		changeNetwork: ({ body }) => network.change(body),
		listLeases: async ({ query }) => {
			const { shown, next } = pageOf(await network.leases(), query, ({ address }) => address);
			return { leases: shown, next };
		},
		confirmNetwork: () => network.confirm(),
		...imageOperations(services, codes),
		...deviceOperations(services),
		...rootOperations(services),
		...writeOperations(services.writes),
		startVirtualPi: ({ body }) => {
			services.virtualPis.start(body.model, body.plays);
			return { model: body.model, started: true };
		},
		listLogs: async ({ query }) => {
			const lines = await logs.recent({ ...query, limit: query.limit + 1 });
			const shown = lines.slice(-query.limit);
			return { lines: shown, next: lines.length > query.limit ? (shown[0]?.id ?? null) : null };
		},
		createLoginCode: () => ({ ...access.createCode(), server: urlForOthers(listensOn, bootstrap.url) }),
		createInstallCode: () => installCode(bootstrap.url, codes.create("install")),
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
	const { hostname, port } = new URL(url);
	if (isLoopback(listensOn) || isLoopback(hostname)) return null;
	if (listensOn === "0.0.0.0" || listensOn === "::") return url;
	// It may have several, and listens on this one alone.
	return `http://${isIPv6(listensOn) ? `[${listensOn}]` : listensOn}:${port}`;
}
