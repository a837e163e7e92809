/** Which packs are kept: those that a write needs, and of the others the ones used last, as far as there is room for them. */
import type { PackResult } from "./make-pack.ts";
import type { PackRecord } from "./pack-records.ts";

export interface PackRule {
	/** Whether a write that is not over needs map and pack of this build: then they stay, whatever they take. */
	isInUse(key: string): boolean;
	/** Whether this build can still be written: its image is there, and was not replaced. */
	isKnown(key: string): boolean;
	/** Bytes that all packs may take, those in use included. */
	readonly mostBytes: number;
}

/** What a shelf does that nobody gave a rule. */
export const KEEP_ALL: PackRule = { isInUse: () => true, isKnown: () => true, mostBytes: Number.POSITIVE_INFINITY };

/** Those that go. Builds of the same content share a pack, which counts once. */
export function surplus(records: readonly PackRecord[], rule: PackRule): PackRecord[] {
	const [inUse, idle] = parted(records, ({ key }) => rule.isInUse(key));
	const [known, gone] = parted(idle, ({ key }) => rule.isKnown(key));
	const kept = new Set<string>();
	let bytes = 0;
	const costOf = ({ pack, packBytes }: PackResult) => (kept.has(pack) ? 0 : packBytes);
	const take = (result: PackResult) => {
		bytes += costOf(result);
		kept.add(result.pack);
	};
	for (const { result } of inUse) take(result);
	const going = [...gone];
	for (const record of known.toSorted((a, b) => b.usedAt - a.usedAt)) {
		const cost = costOf(record.result);
		if (cost > 0 && bytes + cost > rule.mostBytes) going.push(record);
		else take(record.result);
	}
	return going;
}

function parted<T>(all: readonly T[], test: (each: T) => boolean): [T[], T[]] {
	const parts = Map.groupBy(all, test);
	return [parts.get(true) ?? [], parts.get(false) ?? []];
}
