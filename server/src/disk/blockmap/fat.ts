/** The free clusters of a FAT file system. */
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";
import type { FatGeometry } from "../fat/boot-sector.ts";
import { readGeometry } from "../fat/boot-sector.ts";
import { FatTable } from "../fat/table.ts";
import { Doubt } from "./doubt.ts";
import { RunJoiner } from "./run-joiner.ts";

/** Entry 1 of a FAT16: ClnShutBitMask and HrdErrBitMask, both set on a volume in order; FAT32 has its own. */
const IN_ORDER = { 12: 0, 16: 0xc000, 32: 0x0c000000 } as const;
/** In BS_Reserved1 Linux and Windows keep: not unmounted, and a test of the surface wanted. */
const DIRTY = 0x03;
const COMPARED_AT_ONCE = 65_536;

/**
 * Gives each run of bytes that belongs to no file. What was given counts only when it returns.
 *
 * @throws Doubt, MalformedError (`fat`), BlockFault.
 */
export function freeOfFat(source: BlockSource, pass: (start: number, end: number) => void): void {
	const geometry = readGeometry(source);
	const table = new FatTable(source, geometry);
	checkClean(source, geometry, table);
	checkCopies(source, geometry);
	const joiner = new RunJoiner(pass);
	for (let cluster = 2; cluster < geometry.clusterCount + 2; cluster++) {
		if (table.entry(cluster) !== 0) continue;
		const start = geometry.dataStart + (cluster - 2) * geometry.clusterSize;
		joiner.add(start, start + geometry.clusterSize);
	}
	joiner.finish();
}

function checkClean(source: BlockSource, { variant }: FatGeometry, table: FatTable): void {
	const mask = IN_ORDER[variant];
	if ((table.entry(1) & mask) !== mask) throw new Doubt("it was not unmounted (entry 1 of its table)");
	const reserved = readBytes(source, variant === 32 ? 0x41 : 0x25, 1).readUInt8(0);
	if ((reserved & DIRTY) !== 0) throw new Doubt("it was not unmounted (its boot sector is marked as dirty)");
}

/** After a cut in the middle of a change the tables differ. With BPB_ExtFlags bit 7 they may. */
function checkCopies(source: BlockSource, { variant, fatSize }: FatGeometry): void {
	const sector = readBytes(source, 0, 512);
	if (variant === 32 && (sector.readUInt16LE(40) & 0x80) !== 0) return;
	const first = sector.readUInt16LE(14) * sector.readUInt16LE(11);
	for (let copy = 1; copy < sector.readUInt8(16); copy++) {
		if (!isSame(source, first, first + copy * fatSize, fatSize)) throw new Doubt("its two tables differ");
	}
}

function isSame(source: BlockSource, one: number, other: number, length: number): boolean {
	for (let at = 0; at < length; at += COMPARED_AT_ONCE) {
		const count = Math.min(COMPARED_AT_ONCE, length - at);
		if (!readBytes(source, one + at, count).equals(readBytes(source, other + at, count))) return false;
	}
	return true;
}
