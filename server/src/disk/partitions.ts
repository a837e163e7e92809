/** Finds the partitions of a disk, whichever table it has, or none. */
import { isNetbootError } from "../base/index.ts";
import type { BlockSource } from "./block/source.ts";
import { readBytes } from "./block/source.ts";
import { readGpt } from "./gpt/gpt.ts";
import type { MbrEntry } from "./mbr/mbr.ts";
import { readEntries, readMbr, SECTOR, TYPE_PROTECTIVE } from "./mbr/mbr.ts";
import type { PartitionTable } from "./partition.ts";
import { recognise } from "./probe.ts";

const NO_TABLE: PartitionTable = { kind: "none", diskId: "", partitions: [], findings: [] };

/**
 * Reads the partition table. A source that is one file system, or nothing known, is of the kind `none`; that is not an
 * error, `recognise` tells what it is.
 *
 * @throws MalformedError (`gpt`) when there is a GPT and both of its copies are broken, BlockFault.
 */
export function readPartitions(source: BlockSource): PartitionTable {
	if (source.size < SECTOR) return NO_TABLE;
	const sector = readBytes(source, 0, SECTOR);
	const entries = readEntries(sector);
	if (entries === undefined || !entries.some((entry) => isPlausible(entry, source.size))) return NO_TABLE;
	if (entries.some((entry) => entry.type === TYPE_PROTECTIVE)) return readGuarded(source, sector, entries);
	// A file system may leave room for boot code in its first sector, and its 55 AA is no table's.
	if (recognise(source) !== "unknown" && !entries.every((entry) => isEmpty(entry) || isPlausible(entry, source.size))) {
		return NO_TABLE;
	}
	return readMbr(source, sector, entries);
}

/** A hybrid MBR names partitions of the GPT a second time, for programs that do not know one: better than nothing. */
function readGuarded(source: BlockSource, sector: Buffer, entries: readonly MbrEntry[]): PartitionTable {
	try {
		return readGpt(source);
	} catch (error) {
		const others = entries.filter((entry) => entry.type !== TYPE_PROTECTIVE);
		if (!isNetbootError(error) || error.code !== "malformed-gpt" || others.every(isEmpty)) throw error;
		const kept = entries.map((entry) => (entry.type === TYPE_PROTECTIVE ? { ...entry, count: 0 } : entry));
		const table = readMbr(source, sector, kept);
		const finding = `both copies of the GPT are damaged (${error.message}); the partitions that the MBR names are used`;
		return {
			kind: table.kind,
			diskId: table.diskId,
			partitions: table.partitions,
			findings: [finding, ...table.findings],
		};
	}
}

function isEmpty(entry: MbrEntry): boolean {
	return entry.type === 0 && entry.start === 0 && entry.count === 0;
}

function isPlausible(entry: MbrEntry, size: number): boolean {
	return entry.type !== 0 && entry.count !== 0 && entry.start !== 0 && entry.start * SECTOR < size;
}
