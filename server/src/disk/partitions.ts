/** Finds the partitions of a disk, whichever table it has, or none. */
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
 * @throws MalformedError (`mbr`, `gpt`) when there is a table and it is broken beyond use, BlockFault.
 */
export function readPartitions(source: BlockSource): PartitionTable {
	if (source.size < SECTOR) return NO_TABLE;
	const sector = readBytes(source, 0, SECTOR);
	const entries = readEntries(sector);
	if (entries === undefined || !entries.some((entry) => isPlausible(entry, source.size))) return NO_TABLE;
	if (entries.some((entry) => entry.type === TYPE_PROTECTIVE)) return readGpt(source);
	// A file system may leave room for boot code in its first sector, and its 55 AA is no table's.
	if (recognise(source) !== "unknown" && !entries.every((entry) => isEmpty(entry) || isPlausible(entry, source.size))) {
		return NO_TABLE;
	}
	return readMbr(source, sector, entries);
}

function isEmpty(entry: MbrEntry): boolean {
	return entry.type === 0 && entry.start === 0 && entry.count === 0;
}

function isPlausible(entry: MbrEntry, size: number): boolean {
	return entry.type !== 0 && entry.count !== 0 && entry.start !== 0 && entry.start * SECTOR < size;
}
