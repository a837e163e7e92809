/**
 * The master boot record: 4 entries of 16 bytes at offset 446 of the first sector, then 55 AA.
 *
 *     entry   boot indicator (80: active), CHS of the start, type, CHS of the end, first sector, number of sectors
 *
 * An entry of an extended type leads to a chain of further such sectors, each with one logical partition (relative to
 * itself) and a link to the next (relative to the extended partition).
 */
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";
import type { Partition, PartitionTable } from "../partition.ts";
import { fitPartition } from "../partition.ts";

export const SECTOR = 512;
const ENTRIES = 446;
/** DOS's, that of Windows with LBA, and Linux's own. */
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

/** Reads the partitions of an MBR whose four entries were found; what is broken in it is a finding. */
export function readMbr(source: BlockSource, sector: Buffer, entries: readonly MbrEntry[]): PartitionTable {
	const reader = new MbrReader(source, sector.readUInt32LE(440).toString(16).padStart(8, "0"));
	for (const [number, entry] of entries.entries()) {
		if (isUsed(entry)) reader.add(entry, number + 1, 0);
	}
	// Linux takes the logical partitions of each extended one, in the order of the entries.
	for (const entry of entries) {
		if (isUsed(entry) && isLink(entry)) reader.addLogical(entry.start);
	}
	const { diskId, partitions, findings } = reader;
	return { kind: "mbr", diskId, partitions, findings };
}

function isUsed(entry: MbrEntry): boolean {
	return entry.type !== 0 && entry.count !== 0;
}

function isLink(entry: MbrEntry): boolean {
	return EXTENDED_TYPES.includes(entry.type);
}

class MbrReader {
	readonly diskId: string;
	readonly partitions: Partition[] = [];
	readonly findings: string[] = [];
	readonly #source: BlockSource;
	/** Sectors whose entries were taken: a chain that leads in a circle ends where it comes back. */
	readonly #links = new Set<number>();
	#nextLogical = FIRST_LOGICAL;

	constructor(source: BlockSource, diskId: string) {
		this.#source = source;
		this.diskId = diskId;
	}

	/** @param base the sector that the entry counts from. */
	add(entry: MbrEntry, index: number, base: number): void {
		const partition = {
			index,
			start: (base + entry.start) * SECTOR,
			size: entry.count * SECTOR,
			type: entry.type.toString(16).padStart(2, "0"),
			partuuid: `${this.diskId}-${index.toString(16).padStart(2, "0")}`,
			bootable: entry.active,
		};
		const fitted = fitPartition(partition, this.#source.size, this.findings);
		if (fitted !== undefined) this.partitions.push(fitted);
	}

	/** Follows the chain from the first sector of an extended partition; where it is broken it ends, as in Linux. */
	addLogical(extendedStart: number): void {
		for (let at: number | undefined = extendedStart; at !== undefined; ) {
			const problem = this.#problemWith(at);
			if (problem !== undefined) {
				this.findings.push(`the chain of logical partitions ${problem}: what would follow is left out`);
				return;
			}
			const link = this.#takeLink(at);
			at = link === undefined ? undefined : extendedStart + link.start;
		}
	}

	/** Adds the partition of a link of the chain, and gives the entry that leads to the next. */
	#takeLink(at: number): MbrEntry | undefined {
		this.#links.add(at);
		// The third and the fourth entry are nobody's: Linux does not trust what stands there either.
		const entries = (readEntries(readBytes(this.#source, at * SECTOR, SECTOR)) ?? []).slice(0, 2).filter(isUsed);
		for (const entry of entries) {
			if (!isLink(entry)) this.add(entry, this.#nextLogical++, at);
		}
		return entries.find(isLink);
	}

	#problemWith(at: number): string | undefined {
		if (this.#links.has(at)) return `comes back to sector ${at}`;
		if (this.#links.size >= MAX_LOGICAL) return `is longer than ${MAX_LOGICAL}`;
		if ((at + 1) * SECTOR > this.#source.size) return `leads to sector ${at}, behind the image's end`;
		return undefined;
	}
}
