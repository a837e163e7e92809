/** The form of the network's settings, and what of it differs from what holds. */
import type { DhcpMode, Network, NetworkChanges } from "@pi-netboot/api";

/** As it stands in the fields: nothing typed means that the server finds it. */
export interface Draft {
	readonly mode: DhcpMode;
	readonly interface: string | null;
	readonly serverIp: string;
	readonly start: string;
	readonly end: string;
	readonly serveEverybody: boolean;
	readonly insist: boolean;
}

export function draftOf(network: Network): Draft {
	return {
		mode: network.mode,
		interface: network.interface,
		serverIp: network.serverIp ?? "",
		start: network.range?.start ?? "",
		end: network.range?.end ?? "",
		serveEverybody: network.serveEverybody,
		insist: network.insist,
	};
}

/** What has to be asked for so that the draft holds. */
export function changesOf(network: Network, draft: Draft): NetworkChanges {
	const now = draftOf(network);
	const { mode, serveEverybody, insist } = draft;
	return {
		...(mode !== now.mode && { mode }),
		...(draft.interface !== now.interface && { interface: draft.interface }),
		...(draft.serverIp.trim() !== now.serverIp && { serverIp: orNull(draft.serverIp) }),
		...(mode === "full" && rangeChange(now, draft)),
		...(serveEverybody !== now.serveEverybody && { serveEverybody }),
		...(insist !== now.insist && { insist }),
	};
}

function rangeChange(now: Draft, { start, end }: Draft): Pick<NetworkChanges, "range"> {
	if (start.trim() === now.start && end.trim() === now.end) return {};
	if (start.trim() === "" && end.trim() === "") return { range: null };
	return { range: { start: start.trim(), end: end.trim() } };
}

/** What brings back what held before the changes. */
export function undoOf(before: Network, changes: NetworkChanges): NetworkChanges {
	const { mode, interface: name, serverIp, range, serveEverybody, insist } = before;
	const old: NetworkChanges = { mode, interface: name, serverIp, range, serveEverybody, insist };
	const keys = Object.keys(changes) as (keyof NetworkChanges)[];
	return Object.fromEntries(keys.map((key) => [key, old[key]]));
}

function orNull(text: string): string | null {
	return text.trim() === "" ? null : text.trim();
}
