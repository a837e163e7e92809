/** `struct ext4_inode`: everything that is known of a file but its name and its bytes. */
import type { Attributes, FileTime, FileType } from "../../base/index.ts";
import { crc32c } from "../block/crc.ts";
import { checkSum, malformed } from "./errors.ts";
import { INCOMPAT, RO_COMPAT } from "./features.ts";
import type { ExtVolume } from "./volume.ts";

/** Bits of `i_flags`. */
export const INODE_FLAG = {
	ENCRYPT: 0x800,
	INDEX: 0x1000,
	HUGE_FILE: 0x40000,
	EXTENTS: 0x80000,
	EA_INODE: 0x200000,
	INLINE_DATA: 0x10000000,
} as const;

/** `i_block`: 15 block numbers, or an extent tree's root, or the target of a short symbolic link, or inline data. */
export const I_BLOCK = 0x28;
export const I_BLOCK_SIZE = 60;
/** Where an inode of the old size ends and the "extra" fields begin. */
export const GOOD_OLD_SIZE = 128;

export interface Inode {
	readonly attributes: Attributes;
	readonly flags: number;
	readonly generation: number;
	/** The block that holds extended attributes; 0: none. */
	readonly fileAcl: number;
}

const TYPES: ReadonlyMap<number, FileType> = new Map([
	[0x1, "fifo"],
	[0x2, "character"],
	[0x4, "directory"],
	[0x6, "block"],
	[0x8, "file"],
	[0xa, "symlink"],
	[0xc, "socket"],
]);

/** An inode that was freed or never used is all zeros where it counts. */
export function isFree(raw: Buffer): boolean {
	return raw.readUInt16LE(0x1a) === 0; // i_links_count
}

/**
 * Decodes an inode whose checksum was verified.
 *
 * @param fsid goes into the attributes.
 * @throws MalformedError.
 */
export function parseInode(raw: Buffer, ino: number, volume: ExtVolume, fsid: number): Inode {
	const iMode = raw.readUInt16LE(0x00);
	const type = TYPES.get(iMode >>> 12);
	if (type === undefined) throw malformed(`inode ${ino}`, `i_mode is 0o${iMode.toString(8)}: no known file type`);
	const flags = raw.readUInt32LE(0x20);
	const attributes: Attributes = {
		ino,
		fsid,
		type,
		mode: type === "symlink" ? 0o777 : iMode & 0o7777,
		nlink: raw.readUInt16LE(0x1a),
		uid: raw.readUInt16LE(0x02) + raw.readUInt16LE(0x78) * 0x1_0000, // l_i_uid_high
		gid: raw.readUInt16LE(0x18) + raw.readUInt16LE(0x7a) * 0x1_0000, // l_i_gid_high
		size: sizeOf(raw, ino, type, volume),
		used: usedBytes(raw, flags, volume),
		...deviceNumbers(raw, type),
		...times(raw),
	};
	const fileAcl = raw.readUInt32LE(0x68) + raw.readUInt16LE(0x76) * 0x1_0000_0000;
	return { attributes, flags, generation: raw.readUInt32LE(0x64), fileAcl };
}

/** `i_size_high` counts for files; for directories only with large_dir, since it once was `i_dir_acl`. */
function sizeOf(raw: Buffer, ino: number, type: FileType, volume: ExtVolume): number {
	const largeDir = type === "directory" && (volume.superblock.incompat & INCOMPAT.LARGEDIR) !== 0;
	const high = type === "file" || largeDir ? raw.readUInt32LE(0x6c) : 0;
	const size = raw.readUInt32LE(0x04) + high * 0x1_0000_0000;
	const limit = 0x1_0000_0000 * volume.blockSize;
	if (size > limit) throw malformed(`inode ${ino}`, `i_size is ${size}, a file can have ${limit} bytes`);
	return size;
}

/** `i_blocks` counts 512-byte sectors, or blocks where the file is flagged as huge. */
function usedBytes(raw: Buffer, flags: number, volume: ExtVolume): number {
	const low = raw.readUInt32LE(0x1c);
	if ((volume.superblock.roCompat & RO_COMPAT.HUGE_FILE) === 0) return low * 512;
	const blocks = low + raw.readUInt16LE(0x74) * 0x1_0000_0000;
	return blocks * (flags & INODE_FLAG.HUGE_FILE ? volume.blockSize : 512);
}

function deviceNumbers(raw: Buffer, type: FileType): { major: number; minor: number } {
	if (type !== "block" && type !== "character") return { major: 0, minor: 0 };
	const old = raw.readUInt32LE(I_BLOCK);
	if (old !== 0) return { major: (old >>> 8) & 0xff, minor: old & 0xff };
	const wide = raw.readUInt32LE(I_BLOCK + 4);
	return { major: (wide >>> 8) & 0xfff, minor: (wide & 0xff) | ((wide >>> 12) & 0xfff00) };
}

function times(raw: Buffer): { atime: FileTime; mtime: FileTime; ctime: FileTime } {
	const mtime = time(raw, 0x10, 0x88);
	const ctime = time(raw, 0x0c, 0x84);
	const atime = time(raw, 0x08, 0x8c);
	// Most files were never touched after they were made: one object is enough for equal times.
	return { mtime, ctime: same(ctime, mtime) ? mtime : ctime, atime: same(atime, mtime) ? mtime : atime };
}

function same(a: FileTime, b: FileTime): boolean {
	return a.sec === b.sec && a.nsec === b.nsec;
}

/** Signed seconds; the extra field adds two bits of epoch (to the year 2446) and the nanoseconds. */
function time(raw: Buffer, at: number, extraAt: number): FileTime {
	const sec = raw.readInt32LE(at);
	if (extraAt + 4 > GOOD_OLD_SIZE + extraSize(raw)) return { sec, nsec: 0 };
	const extra = raw.readUInt32LE(extraAt);
	return { sec: sec + (extra & 3) * 0x1_0000_0000, nsec: Math.min(extra >>> 2, 999_999_999) };
}

/** `i_extra_isize`: how many bytes behind the old inode are fields of the inode. Checked by `verifyInode`. */
export function extraSize(raw: Buffer): number {
	return raw.length > GOOD_OLD_SIZE ? raw.readUInt16LE(0x80) : 0;
}

const CHECKSUM_LOW = 0x7c; // l_i_checksum_lo
const CHECKSUM_HIGH = 0x82; // i_checksum_hi

/** @throws MalformedError when the inode's own size or its checksum is wrong. */
export function verifyInode(raw: Buffer, ino: number, volume: ExtVolume): void {
	const place = `inode ${ino}`;
	const extra = extraSize(raw);
	if (GOOD_OLD_SIZE + extra > raw.length || extra % 4 !== 0) {
		throw malformed(place, `i_extra_isize is ${extra}, expected a multiple of 4 up to ${raw.length - GOOD_OLD_SIZE}`);
	}
	if (!volume.checksums) return;
	const hasHigh = extra >= CHECKSUM_HIGH + 2 - GOOD_OLD_SIZE;
	const stored = raw.readUInt16LE(CHECKSUM_LOW) + (hasHigh ? raw.readUInt16LE(CHECKSUM_HIGH) * 0x1_0000 : 0);
	const crc = checksum(raw, volume.inodeSeed(ino, raw.readUInt32LE(0x64)), hasHigh);
	checkSum(place, stored, hasHigh ? crc : crc & 0xffff);
}

/** The checksum's own two halves count as zeros. */
function checksum(raw: Buffer, seed: number, hasHigh: boolean): number {
	const zeros = Uint8Array.of(0, 0);
	const old = crc32c(crc32c(crc32c(seed, raw, 0, CHECKSUM_LOW), zeros), raw, CHECKSUM_LOW + 2, GOOD_OLD_SIZE);
	if (!hasHigh) return crc32c(old, raw, GOOD_OLD_SIZE);
	return crc32c(crc32c(crc32c(old, raw, GOOD_OLD_SIZE, CHECKSUM_HIGH), zeros), raw, CHECKSUM_HIGH + 2);
}
