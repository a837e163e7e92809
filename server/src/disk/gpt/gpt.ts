/**
 * The GUID partition table (UEFI specification, chapter 5): a header in sector 1 with an array of entries, and a copy of
 * both at the end of the disk. Each header has a CRC-32 of itself and one of the array.
 */
import { crc32 } from "node:zlib";
import { isNetbootError, MalformedError } from "../../base/index.ts";
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";
import type { Partition, PartitionTable } from "../partition.ts";
import { fitPartition } from "../partition.ts";
import { guidText } from "./guid.ts";

const SIGNATURE = "EFI PART";
const HEADER_SIZE = 92;
const ENTRY_MIN = 128;
/** Tables have 128 entries; ours may have 32 times as many before we call it nonsense. */
const MAX_ARRAY = 128 * 128 * 32;
/** The two sizes that disks have. */
const SECTOR_SIZES = [512, 4096];
const UNUSED = "00000000-0000-0000-0000-000000000000";
/** Attribute bit 2: "legacy BIOS bootable". */
const BOOTABLE = 0x4;

interface Header {
	readonly sectorSize: number;
	readonly diskGuid: string;
	readonly entriesLba: number;
	readonly entryCount: number;
	readonly entrySize: number;
	readonly entriesCrc: number;
}

/**
 * Reads the table, from its copy at the end of the disk where the first is damaged.
 *
 * @throws MalformedError (`gpt`) when both are.
 */
export function readGpt(source: BlockSource): PartitionTable {
	const problems: string[] = [];
	for (const { lba, sectorSize, backup } of places(source.size)) {
		try {
			const table = readTable(source, lba, sectorSize);
			if (!backup) return table;
			const findings = [`the GPT at the start is damaged (${problems[0]}); its copy at the end is used`];
			return { ...table, findings: [...findings, ...table.findings] };
		} catch (error) {
			// A damaged copy is no failure as long as another one is whole; a fault of the source is not for us.
			if (!isNetbootError(error) || error.code !== "malformed-gpt") throw error;
			problems.push(error.message);
		}
	}
	throw new MalformedError("gpt", problems[0] ?? "gpt: the source is too small for one");
}

function places(size: number): { lba: number; sectorSize: number; backup: boolean }[] {
	const first = SECTOR_SIZES.map((sectorSize) => ({ lba: 1, sectorSize, backup: false }));
	const last = SECTOR_SIZES.map((sectorSize) => ({ lba: Math.floor(size / sectorSize) - 1, sectorSize, backup: true }));
	return [...first, ...last].filter(({ lba, sectorSize }) => lba >= 1 && (lba + 1) * sectorSize <= size);
}

function readTable(source: BlockSource, lba: number, sectorSize: number): PartitionTable {
	const header = readHeader(source, lba, sectorSize);
	const array = readArray(source, header);
	const findings: string[] = [];
	const partitions: Partition[] = [];
	for (let number = 0; number < header.entryCount; number++) {
		const entry = array.subarray(number * header.entrySize, (number + 1) * header.entrySize);
		const partition = readEntry(entry, number + 1, sectorSize, findings);
		const fitted = partition && fitPartition(partition, source.size, findings);
		if (fitted !== undefined) partitions.push(fitted);
	}
	return { kind: "gpt", diskId: header.diskGuid, partitions, findings };
}

function readHeader(source: BlockSource, lba: number, sectorSize: number): Header {
	const sector = readBytes(source, lba * sectorSize, sectorSize);
	const place = `gpt: header in sector ${lba}`;
	if (sector.toString("latin1", 0, 8) !== SIGNATURE) throw new MalformedError("gpt", `${place}: no signature`);
	const size = sector.readUInt32LE(12);
	if (size < HEADER_SIZE || size > sectorSize) {
		throw new MalformedError("gpt", `${place}: its size is ${size}, expected ${HEADER_SIZE} to ${sectorSize}`);
	}
	checkCrc(place, sector.readUInt32LE(16), headerCrc(sector.subarray(0, size)));
	const ownLba = lbaNumber(sector, 24, place);
	if (ownLba !== lba) throw new MalformedError("gpt", `${place}: it says that it is in sector ${ownLba}`);
	return {
		sectorSize,
		diskGuid: guidText(sector.subarray(56, 72)),
		entriesLba: lbaNumber(sector, 72, place),
		entryCount: sector.readUInt32LE(80),
		entrySize: sector.readUInt32LE(84),
		entriesCrc: sector.readUInt32LE(88),
	};
}

/** The header's own checksum counts as zeros. */
function headerCrc(header: Buffer): number {
	return crc32(header.subarray(20), crc32(Buffer.alloc(4), crc32(header.subarray(0, 16))));
}

function checkCrc(place: string, got: number, expected: number): void {
	if (got === expected) return;
	throw new MalformedError(
		"gpt",
		`${place}: checksum is 0x${got.toString(16)}, its bytes give 0x${expected.toString(16)}`,
	);
}

function readArray(source: BlockSource, header: Header): Buffer {
	const { entryCount, entrySize, entriesLba, sectorSize } = header;
	const size = entryCount * entrySize;
	if (entrySize < ENTRY_MIN || entrySize % 8 !== 0 || size > MAX_ARRAY) {
		throw new MalformedError(
			"gpt",
			`gpt: ${entryCount} entries of ${entrySize} bytes, expected at least ${ENTRY_MIN} each`,
		);
	}
	if (entriesLba * sectorSize + size > source.size) {
		throw new MalformedError("gpt", `gpt: the entries at sector ${entriesLba} are behind the image's end`);
	}
	const array = readBytes(source, entriesLba * sectorSize, size);
	checkCrc(`gpt: entries at sector ${entriesLba}`, header.entriesCrc, crc32(array));
	return array;
}

/** An entry that makes no sense is left out, as Linux does: the checksum says that somebody meant the others. */
function readEntry(entry: Buffer, index: number, sectorSize: number, findings: string[]): Partition | undefined {
	const type = guidText(entry.subarray(0, 16));
	if (type === UNUSED) return undefined;
	const first = readLba(entry, 32);
	const last = readLba(entry, 40);
	if (first === undefined || last === undefined || last < first) {
		findings.push(
			`partition ${index} begins at sector ${first ?? "beyond 2^40"} and ends at ${last ?? "beyond 2^40"}: left out`,
		);
		return undefined;
	}
	return {
		index,
		start: first * sectorSize,
		size: (last - first + 1) * sectorSize,
		type,
		partuuid: guidText(entry.subarray(16, 32)),
		name: utf16Text(entry.subarray(56, 128)),
		bootable: (entry.readUInt8(48) & BOOTABLE) !== 0,
	};
}

function utf16Text(bytes: Buffer): string {
	return bytes.toString("utf16le").replace(/\0.*$/s, "");
}

/** A sector number; undefined for one whose byte does not fit a number, which is on no disk. */
function readLba(bytes: Buffer, at: number): number | undefined {
	const high = bytes.readUInt32LE(at + 4);
	return high > 0xff ? undefined : high * 0x1_0000_0000 + bytes.readUInt32LE(at);
}

function lbaNumber(bytes: Buffer, at: number, place: string): number {
	const lba = readLba(bytes, at);
	if (lba === undefined) throw new MalformedError("gpt", `${place}: a sector number beyond 2^40`);
	return lba;
}
