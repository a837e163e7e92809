/**
 * The master boot record: 4 entries of 16 bytes at offset 446 of the first sector, then 55 AA.
 *
 *     entry   boot indicator (80: active), CHS of the start, type, CHS of the end, first sector, number of sectors
 *
 * An entry of an extended type leads to a chain of further such sectors, each with one logical partition (relative to
 * itself) and a link to the next (relative to the extended partition).
 */
import { MalformedError } from "../../base/index.ts";
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";
import type { Partition, PartitionTable } from "../partition.ts";
import { fitPartition } from "../partition.ts";

export const SECTOR = 512;
const ENTRIES = 446;
const EXTENDED_TYPES = [0x05, 0x0f, 0x85];
const FIRST_LOGICAL = 5;
/** Linux gives a disk 255 partitions at most. */
const MAX_LOGICAL = 250;
/** The type of the one entry that guards a GPT from programs that do not know it. */
export const TYPE_PROTECTIVE = 0xee;

export interface MbrEntry {
	readonly active: boolean;
	readonly type: number;
	/** In sectors, relative to what the table's kind says. */
	readonly start: number;
	readonly count: number;
}

/** The four entries of a boot sector, or undefined when it does not look like a partition table. */
export function readEntries(sector: Buffer): MbrEntry[] | undefined {
	if (sector.length < SECTOR || sector.readUInt16BE(510) !== 0x55aa) return undefined;
	const entries = [0, 1, 2, 3].map((number) => readEntry(sector, ENTRIES + 16 * number));
	return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

/** Boot code and the text of a FAT boot sector do not have 00 or 80 in all four places; that is how Linux tells, too. */
function readEntry(sector: Buffer, at: number): MbrEntry | undefined {
	const indicator = sector.readUInt8(at);
	if (indicator !== 0 && indicator !== 0x80) return undefined;
	return {
		active: indicator === 0x80,
		type: sector.readUInt8(at + 4),
		start: sector.readUInt32LE(at + 8),
		count: sector.readUInt32LE(at + 12),
	};
}

/**
 * Reads the partitions of an MBR whose four entries were found.
 *
 * @throws MalformedError (`mbr`) when the chain of logical partitions leads in a circle or out of the disk.
 */
export function readMbr(source: BlockSource, sector: Buffer, entries: readonly MbrEntry[]): PartitionTable {
	const diskId = sector.readUInt32LE(440).toString(16).padStart(8, "0");
	const findings: string[] = [];
	const partitions: Partition[] = [];
	const add = (entry: MbrEntry, index: number, base: number) => {
		const fitted = fitPartition(toPartition(entry, index, base, diskId), source.size, findings);
		if (fitted !== undefined) partitions.push(fitted);
	};
	for (const [number, entry] of entries.entries()) {
		if (isUsed(entry)) add(entry, number + 1, 0);
	}
	const extended = entries.find((entry) => isUsed(entry) && EXTENDED_TYPES.includes(entry.type));
	if (extended !== undefined) readLogical(source, extended.start, add);
	return { kind: "mbr", diskId, partitions, findings };
}

function isUsed(entry: MbrEntry): boolean {
	return entry.type !== 0 && entry.count !== 0;
}

function toPartition(entry: MbrEntry, index: number, base: number, diskId: string): Partition {
	return {
		index,
		start: (base + entry.start) * SECTOR,
		size: entry.count * SECTOR,
		type: entry.type.toString(16).padStart(2, "0"),
		partuuid: `${diskId}-${index.toString(16).padStart(2, "0")}`,
		bootable: entry.active,
	};
}

function readLogical(
	source: BlockSource,
	extendedStart: number,
	add: (entry: MbrEntry, index: number, base: number) => void,
): void {
	const seen = new Set<number>();
	let index = FIRST_LOGICAL;
	for (let at: number | undefined = extendedStart; at !== undefined; ) {
		if (seen.has(at) || seen.size === MAX_LOGICAL) {
			throw new MalformedError("mbr", `mbr: the chain of logical partitions comes back to sector ${at}`);
		}
		seen.add(at);
		const entries = readLink(source, at);
		for (const entry of entries.filter((candidate) => isUsed(candidate) && !isLink(candidate))) {
			add(entry, index++, at);
		}
		const link = entries.find((candidate) => isUsed(candidate) && isLink(candidate));
		at = link === undefined ? undefined : extendedStart + link.start;
	}
}

function isLink(entry: MbrEntry): boolean {
	return EXTENDED_TYPES.includes(entry.type);
}

function readLink(source: BlockSource, at: number): readonly MbrEntry[] {
	if ((at + 1) * SECTOR > source.size) {
		throw new MalformedError(
			"mbr",
			`mbr: a logical partition's table should be in sector ${at}, behind the image's end`,
		);
	}
	return readEntries(readBytes(source, at * SECTOR, SECTOR))?.slice(0, 2) ?? [];
}
