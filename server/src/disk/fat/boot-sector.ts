/** The boot sector of a FAT file system: its BIOS parameter block says where everything is. */
import { MalformedError } from "../../base/index.ts";
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";

export type FatVariant = 12 | 16 | 32;

/** All places are bytes from the start of the file system. */
export interface FatGeometry {
	readonly variant: FatVariant;
	readonly clusterSize: number;
	/** Data clusters; they are numbered from 2 on. */
	readonly clusterCount: number;
	/** Where the table in use begins. */
	readonly fatStart: number;
	/** Bytes of one table. */
	readonly fatSize: number;
	/** FAT12 and FAT16 have the root directory in a place of its own; its size is 0 for FAT32. */
	readonly rootStart: number;
	readonly rootSize: number;
	/** FAT32: the first cluster of the root directory. */
	readonly rootCluster: number;
	/** Where cluster 2 begins. */
	readonly dataStart: number;
	/** Where the last cluster ends. */
	readonly dataEnd: number;
	/** FAT32: byte of the FSInfo sector; 0: none. */
	readonly fsInfo: number;
	/** The volume's serial number, 8 hex digits; empty when it has none. */
	readonly serial: string;
	/** The label in the boot sector; the root directory may know a newer one. */
	readonly label: string;
}

const SECTOR_SIZES = [512, 1024, 2048, 4096];
const ENTRY_SIZE = 32;
/** What formatting writes when it is given no label. */
const NO_LABEL = "NO NAME";
/** The bounds of Microsoft's specification: fewer clusters than this are FAT12, FAT16. */
const FAT12_CLUSTERS = 4085;
const FAT16_CLUSTERS = 65_525;
const FAT32_CLUSTERS = 0x0ffffff5;

/** Tells whether the first 512 bytes of something can be a FAT boot sector. */
export function isFatBootSector(sector: Buffer): boolean {
	const sectorsPerCluster = sector.readUInt8(13);
	const media = sector.readUInt8(21);
	return (
		sector.readUInt16BE(510) === 0x55aa &&
		SECTOR_SIZES.includes(sector.readUInt16LE(11)) &&
		sectorsPerCluster !== 0 &&
		(sectorsPerCluster & (sectorsPerCluster - 1)) === 0 &&
		sector.readUInt16LE(14) !== 0 && // BPB_RsvdSecCnt
		sector.readUInt8(16) !== 0 && // BPB_NumFATs
		(media === 0xf0 || media >= 0xf8)
	);
}

/** @throws MalformedError (`fat`), BlockFault. */
export function readGeometry(source: BlockSource): FatGeometry {
	if (source.size < 512) throw malformed("boot sector", `the source has ${source.size} bytes`);
	const sector = readBytes(source, 0, 512);
	if (!isFatBootSector(sector)) throw malformed("boot sector", "its BIOS parameter block is none of FAT");
	const geometry = parseGeometry(sector);
	if (geometry.dataEnd > source.size) {
		throw malformed("boot sector", `the file system ends at byte ${geometry.dataEnd}, the source at ${source.size}`);
	}
	return geometry;
}

export function malformed(place: string, what: string): MalformedError {
	return new MalformedError("fat", `fat: ${place}: ${what}`);
}

function parseGeometry(sector: Buffer): FatGeometry {
	const sectorSize = sector.readUInt16LE(11); // BPB_BytsPerSec
	const clusterSize = sectorSize * sector.readUInt8(13); // BPB_SecPerClus
	const fatSectors16 = sector.readUInt16LE(22); // BPB_FATSz16
	const fatSectors = fatSectors16 || sector.readUInt32LE(36); // BPB_FATSz32
	const totalSectors = sector.readUInt16LE(19) || sector.readUInt32LE(32); // BPB_TotSec16, BPB_TotSec32
	const fatsStart = sector.readUInt16LE(14) * sectorSize; // BPB_RsvdSecCnt
	const fatSize = fatSectors * sectorSize;
	const rootStart = fatsStart + sector.readUInt8(16) * fatSize; // BPB_NumFATs
	const rootSize = sector.readUInt16LE(17) * ENTRY_SIZE; // BPB_RootEntCnt
	const dataStart = rootStart + Math.ceil(rootSize / sectorSize) * sectorSize;
	const clusterCount = Math.floor((totalSectors * sectorSize - dataStart) / clusterSize);
	// Linux and mkfs.fat take the 32-bit table size as the sign of FAT32, so small FAT32 volumes exist.
	const variant = fatSectors16 === 0 ? 32 : clusterCount < FAT12_CLUSTERS ? 12 : 16;
	checkCounts(variant, clusterCount, fatSize);
	const is32 = variant === 32;
	return {
		variant,
		clusterSize,
		clusterCount,
		fatStart: fatsStart + (is32 ? activeFat(sector) : 0) * fatSize,
		fatSize,
		rootStart,
		rootSize: is32 ? 0 : rootSize,
		rootCluster: is32 ? sector.readUInt32LE(44) : 0, // BPB_RootClus
		dataStart,
		dataEnd: dataStart + clusterCount * clusterSize,
		fsInfo: is32 ? sector.readUInt16LE(48) * sectorSize : 0, // BPB_FSInfo
		...identity(sector, is32 ? 66 : 38),
	};
}

function checkCounts(variant: FatVariant, clusterCount: number, fatSize: number): void {
	const limit = variant === 32 ? FAT32_CLUSTERS : FAT16_CLUSTERS;
	if (clusterCount < 1 || clusterCount >= limit) {
		throw malformed("boot sector", `there are ${clusterCount} clusters, FAT${variant} has 1 to ${limit - 1}`);
	}
	const needed = Math.ceil(((clusterCount + 2) * variant) / 8);
	if (fatSize < needed) throw malformed("boot sector", `a table has ${fatSize} bytes, its clusters need ${needed}`);
}

/** BPB_ExtFlags: when bit 7 says that the tables are not copies of each other, the low bits say which one counts. */
function activeFat(sector: Buffer): number {
	const flags = sector.readUInt16LE(40);
	const active = flags & 0x0f;
	return (flags & 0x80) !== 0 && active < sector.readUInt8(16) ? active : 0;
}

/** BS_BootSig 0x28 stands before a serial number alone, 0x29 before one with a label. */
function identity(sector: Buffer, at: number): { serial: string; label: string } {
	const signature = sector.readUInt8(at);
	if (signature !== 0x28 && signature !== 0x29) return { serial: "", label: "" };
	const serial = sector.readUInt32LE(at + 1).toString(16);
	const label = signature === 0x29 ? sector.toString("latin1", at + 5, at + 16).trimEnd() : "";
	return { serial: serial.padStart(8, "0"), label: label === NO_LABEL ? "" : label };
}
