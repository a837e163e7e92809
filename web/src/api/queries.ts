/** What the page knows of the server: each question by its key, kept fresh by the live events. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { together } from "../words/writes.ts";
import { ask } from "./client.ts";
import { askWithNews, MOST_LINES } from "./news.ts";

/** The live events keep it fresh; it is asked for anew after they were interrupted. */
const live = { staleTime: Number.POSITIVE_INFINITY };

export const devicesQuery = queryOptions({
	queryKey: ["devices"],
	queryFn: ({ signal }) => askWithNews("devices", async () => (await ask("listDevices", {}, signal)).devices),
	...live,
});

export const imagesQuery = queryOptions({
	queryKey: ["images"],
	queryFn: ({ signal }) => askWithNews("images", async () => (await ask("listImages", {}, signal)).images),
	...live,
});

export const networkQuery = queryOptions({
	queryKey: ["network"],
	queryFn: ({ signal }) => askWithNews("network", () => ask("getNetwork", {}, signal)),
	...live,
});

/** Milliseconds after which a server that says nothing is away: its machine may be off, or a cable out. */
const PATIENCE = 5_000;

/** No event tells of it, so it is asked for now and then. */
export const healthQuery = queryOptions({
	queryKey: ["health"],
	queryFn: () => ask("getHealth", {}, AbortSignal.timeout(PATIENCE)),
	retry: false,
	refetchInterval: 15_000,
});

export const defaultsQuery = queryOptions({
	queryKey: ["defaults"],
	queryFn: ({ signal }) => askWithNews("defaults", () => ask("getDefaults", {}, signal)),
});

export const catalogQuery = queryOptions({
	queryKey: ["catalog"],
	queryFn: ({ signal }) => ask("getCatalog", {}, signal),
	staleTime: 10 * 60_000,
	retry: false,
});

export function rootQuery(id: string) {
	return queryOptions({
		queryKey: ["root", id],
		queryFn: ({ signal }) => ask("getRoot", { params: { id } }, signal),
	});
}

export const logsQuery = queryOptions({
	queryKey: ["logs"],
	queryFn: ({ signal }) =>
		askWithNews("logs", async () => (await ask("listLogs", { query: { limit: MOST_LINES } }, signal)).lines),
	...live,
});

/** One Pi by any id that it ever had. */
export function deviceQuery(id: string) {
	return queryOptions({
		queryKey: ["device", id],
		queryFn: ({ signal }) => ask("getDevice", { params: { id } }, signal),
		retry: false,
	});
}

/** The last lines about one Pi, which in a crowd may be further back than the last lines of all. */
export function deviceLogsQuery(id: string) {
	return queryOptions({
		queryKey: ["logs", id],
		queryFn: async ({ signal }) => (await ask("listLogs", { query: { device: id, limit: 300 } }, signal)).lines,
	});
}

export const bystandersQuery = queryOptions({
	queryKey: ["bystanders"],
	queryFn: ({ signal }) => askWithNews("bystanders", async () => (await ask("listBystanders", {}, signal)).bystanders),
	...live,
});

/** Writes that are over and come at once. */
export const LAST_WRITES = 50;

/** All that run or wait, and the last of the others. */
export const writesQuery = queryOptions({
	queryKey: ["writes"],
	queryFn: ({ signal }) =>
		askWithNews("writes", async () => {
			const [open, over] = await Promise.all([
				ask("listWrites", { query: { open: "true", limit: 1000 } }, signal),
				ask("listWrites", { query: { open: "false", limit: LAST_WRITES } }, signal),
			]);
			return together(open.writes, over.writes);
		}),
	...live,
});

/** Those that are over and older than one, page by page. @param id undefined while there is none. */
export function olderWritesQuery(id: string | undefined) {
	return infiniteQueryOptions({
		queryKey: ["older-writes", id],
		initialPageParam: id,
		queryFn: ({ pageParam: before, signal }) =>
			ask("listWrites", { query: { open: "false", limit: LAST_WRITES, before } }, signal),
		getNextPageParam: ({ next }) => next,
		enabled: false,
		...live,
	});
}

/** Those of one Pi: the list of all may have no room for them. */
export function deviceWritesQuery(device: string) {
	return queryOptions({
		queryKey: ["device-writes", device],
		queryFn: async ({ signal }) => (await ask("listWrites", { query: { device, limit: 5 } }, signal)).writes,
	});
}

export function bootsQuery(id: string) {
	return queryOptions({
		queryKey: ["boots", id],
		queryFn: async ({ signal }) => (await ask("listBoots", { params: { id }, query: { limit: 20 } }, signal)).boots,
	});
}

/** What was wrong with it, the newest first. */
export function diagnosesQuery(id: string) {
	return queryOptions({
		queryKey: ["diagnoses", id],
		queryFn: async ({ signal }) =>
			(await ask("listDiagnoses", { params: { id }, query: { limit: 50 } }, signal)).diagnoses,
	});
}

/** What a boot asks for comes without events: it is asked for again while it starts. */
export function attemptsQuery(id: string) {
	return queryOptions({
		queryKey: ["attempts", id],
		queryFn: async ({ signal }) => (await ask("listAttempts", { params: { id } }, signal)).attempts,
		refetchInterval: 5_000,
	});
}

export const sessionQuery = queryOptions({
	queryKey: ["session"],
	queryFn: ({ signal }) => ask("getSession", {}, signal),
});

export const tokensQuery = queryOptions({
	queryKey: ["tokens"],
	queryFn: async ({ signal }) => (await ask("listTokens", {}, signal)).tokens,
});

export const allowedHostsQuery = queryOptions({
	queryKey: ["allowed-hosts"],
	queryFn: ({ signal }) => ask("getAllowedHosts", {}, signal),
});
