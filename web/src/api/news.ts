/**
 * What happened, as changes of the lists. An answer that was on its way while something happened does not know of it, so
 * what happens meanwhile is kept and told to the answer, too: nothing is lost or turned back.
 */
import type { Bystander, Defaults, Device, Image, LogLine, Network, ServerEvent, Write } from "@pi-netboot/api";
import type { QueryClient } from "@tanstack/react-query";

/** Lines that the page keeps; the server keeps no more either. */
export const MOST_LINES = 2000;

/** Machines that do not boot from here; the server remembers no more either. */
const MOST_BYSTANDERS = 64;

/** What holds after the events, of what held before. */
interface Lists {
	readonly devices: Device[];
	readonly images: Image[];
	readonly bystanders: Bystander[];
	readonly network: Network;
	readonly defaults: Defaults;
	readonly writes: Write[];
	readonly logs: LogLine[];
}

type Update<K extends keyof Lists> = (before: Lists[K], events: readonly ServerEvent[]) => Lists[K];

const updates: { readonly [K in keyof Lists]: Update<K> } = {
	devices: (before, events) =>
		withChanges(
			before,
			ofType(events, "device").map(({ id, formerId, device }) => ({ id, formerId, item: device })),
		),
	images: (before, events) =>
		withChanges(
			before,
			ofType(events, "image").map(({ id, image }) => ({ id, formerId: undefined, item: image })),
		),
	bystanders: (before, events) => withSeen(before, events),
	network: (before, events) => ofType(events, "network").at(-1) ?? before,
	defaults: (before, events) => ofType(events, "defaults").at(-1) ?? before,
	writes: (before, events) =>
		withChanges(
			before,
			ofType(events, "write").map(({ id, write }) => ({ id, formerId: undefined, item: write })),
		),
	logs: (before, events) => withLines(before, ofType(events, "log")),
};

/** Whether events keep a list fresh. */
export function isTold(list: unknown): boolean {
	return typeof list === "string" && list in updates;
}

/** For each question on its way, what happened since it was asked. */
const onTheWay = new Set<ServerEvent[]>();

/** Asks, and adds to the answer what happened meanwhile. */
export async function askWithNews<K extends keyof Lists>(list: K, ask: () => Promise<Lists[K]>): Promise<Lists[K]> {
	const heard: ServerEvent[] = [];
	onTheWay.add(heard);
	try {
		const answer = await ask();
		return updates[list](answer, heard);
	} finally {
		onTheWay.delete(heard);
	}
}

/** Puts what happened into the lists, each list once; one that was not asked for yet is left alone. */
export function tellCache(client: QueryClient, events: readonly ServerEvent[]): void {
	for (const heard of onTheWay) heard.push(...events);
	const tell = <K extends keyof Lists>(list: K) =>
		client.setQueryData<Lists[K]>([list], (before) => before && updates[list](before, events));
	const types = new Set(events.map(({ type }) => type));
	if (types.has("device")) tell("devices");
	if (types.has("image")) tell("images");
	if (types.has("bystander") || types.has("device")) tell("bystanders");
	if (types.has("network")) tell("network");
	if (types.has("defaults")) {
		tell("defaults");
		// What has nothing of its own shows them, too.
		for (const list of ["devices", "root"]) void client.invalidateQueries({ queryKey: [list] });
	}
	if (types.has("write")) tell("writes");
	if (types.has("log")) tell("logs");
}

/** What events of each type bring. */
type EventData = { [E in ServerEvent as E["type"]]: E["data"] };

function ofType<T extends keyof EventData>(events: readonly ServerEvent[], type: T): EventData[T][] {
	return events.flatMap((event) => (event.type === type ? [event.data as EventData[T]] : []));
}

interface Change<T> {
	readonly id: string;
	readonly formerId: string | undefined;
	/** Undefined when it is gone. */
	readonly item: T | undefined;
}

function withChanges<T extends { readonly id: string }>(before: T[], changes: readonly Change<T>[]): T[] {
	if (changes.length === 0) return before;
	const byId = new Map(before.map((item) => [item.id, item]));
	for (const { id, formerId, item } of changes) {
		if (formerId !== undefined) byId.delete(formerId);
		if (item === undefined) byId.delete(id);
		else byId.set(id, item);
	}
	return [...byId.values()];
}

/** One that became a device boots from here now. */
function withSeen(before: Bystander[], events: readonly ServerEvent[]): Bystander[] {
	const byMac = new Map(before.map((one) => [one.mac, one]));
	let isChanged = false;
	for (const { type, data } of events) {
		if (type === "bystander") byMac.set(data.mac, data);
		const isHere = type === "device" && byMac.delete(data.device?.mac ?? "");
		isChanged ||= isHere || type === "bystander";
	}
	if (!isChanged) return before;
	return [...byMac.values()].sort((a, b) => b.lastSeenAt - a.lastSeenAt).slice(0, MOST_BYSTANDERS);
}

/** A line may come twice: in an answer and as an event. */
function withLines(before: LogLine[], lines: readonly LogLine[]): LogLine[] {
	const last = before.at(-1)?.id ?? -1;
	const newer = lines.filter(({ id }) => id > last);
	return newer.length === 0 ? before : [...before, ...newer].slice(-MOST_LINES);
}
