/**
 * Which roots of older builds go. A device's root belongs to one build of its image: when the image is replaced, the device
 * begins anew and what it had stays for a while. Pure.
 */
import type { LayerRow } from "../store/index.ts";

/** Settings of the installation. */
export interface OldRootRule {
	/** Per device and image, those used last. */
	readonly kept: number;
	/** After their last use; null = for ever. */
	readonly days: number | null;
	/** Of all roots and snapshots together; null = no limit. */
	readonly budgetBytes: number | null;
}

export const DEFAULT_RULE: OldRootRule = { kept: 2, days: 30, budgetBytes: null };

/** A root that may go: of a build that is not its image's newest, and that nobody runs from. */
export interface OldRoot {
	readonly row: LayerRow;
	readonly bytes: number;
}

export interface Dropped {
	readonly row: LayerRow;
	/** For the log. */
	readonly reason: string;
}

const DAY_MS = 86_400_000;

/** @param totalBytes of all roots and snapshots, the old ones included. @param now milliseconds since 1970. */
export function rootsToDrop(
	roots: readonly OldRoot[],
	totalBytes: number,
	{ kept, days, budgetBytes }: OldRootRule,
	now: number,
): Dropped[] {
	const dropped: Dropped[] = [];
	const ranks = new Map<string, number>();
	let left = totalBytes;
	const drop = ({ row, bytes }: OldRoot, reason: string) => {
		dropped.push({ row, reason });
		left -= bytes;
	};
	const staying: OldRoot[] = [];
	for (const root of roots.toSorted((a, b) => b.row.lastUsedAt - a.row.lastUsedAt)) {
		const owner = `${root.row.deviceKey} ${root.row.imageId}`;
		const rank = ranks.get(owner) ?? 0;
		ranks.set(owner, rank + 1);
		if (rank >= kept) drop(root, `${kept} of older builds are kept`);
		else if (days !== null && root.row.lastUsedAt < now - days * DAY_MS) drop(root, `not used for ${days} days`);
		else staying.push(root);
	}
	for (const root of staying.toReversed()) {
		if (budgetBytes !== null && left > budgetBytes)
			drop(root, `all roots together have more than ${budgetBytes} bytes`);
	}
	return dropped;
}
