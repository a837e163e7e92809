/**
 * Extended attributes: entries behind the fields of the inode (if there is room), and more of them in one block.
 *
 *     entry   e_name_len, e_name_index, e_value_offs, e_value_inum, e_value_size, e_hash, name
 *
 * Entries ascend from the start of their area, values descend from its end; four zero bytes end the entries.
 */
import { crc32c } from "../block/crc.ts";
import { checkSum, malformed } from "./errors.ts";
import { extraSize, GOOD_OLD_SIZE } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

const EXT4_XATTR_MAGIC = 0xea020000;
const ENTRY_SIZE = 16;
const BLOCK_HEADER_SIZE = 32;
const BLOCK_CHECKSUM = 16; // h_checksum
/** What Linux gives out at most (XATTR_SIZE_MAX); one in an inode of its own could claim more. */
const MAX_VALUE = 65_536;

export interface XattrEntry {
	/** `e_name_index`: which prefix the name has. */
	readonly index: number;
	/** The name behind the prefix, as a byte string. */
	readonly name: string;
	readonly size: number;
	/** The value, unless it has an inode of its own. */
	readonly value: Buffer;
	/** `e_value_inum`: the inode that holds the value; 0: none. */
	readonly inode: number;
}

/** The entries that are inside the inode. @param raw the inode, verified. */
export function inodeXattrs(raw: Buffer, place: string): XattrEntry[] {
	const start = GOOD_OLD_SIZE + extraSize(raw);
	if (raw.length <= GOOD_OLD_SIZE || extraSize(raw) === 0 || start + 4 > raw.length) return [];
	if (raw.readUInt32LE(start) !== EXT4_XATTR_MAGIC) return [];
	return parseEntries(raw.subarray(start + 4), 0, place);
}

/** The entries in the block that `i_file_acl` names. */
export function blockXattrs(volume: ExtVolume, block: number, ino: number): XattrEntry[] {
	const place = `inode ${ino}, attribute block ${block}`;
	const bytes = volume.readBlock(block, place);
	const magic = bytes.readUInt32LE(0);
	const blocks = bytes.readUInt32LE(8);
	if (magic !== EXT4_XATTR_MAGIC || blocks !== 1) {
		throw malformed(place, `h_magic is 0x${magic.toString(16)} and h_blocks ${blocks}, expected 0xea020000 and 1`);
	}
	if (volume.checksums) verifyBlock(bytes, block, volume.superblock.checksumSeed, place);
	return parseEntries(bytes, BLOCK_HEADER_SIZE, place);
}

/** The checksum begins with the block's number in 8 bytes, and counts itself as zeros. */
function verifyBlock(bytes: Buffer, block: number, seed: number, place: string): void {
	const number = Buffer.alloc(8);
	number.writeBigUInt64LE(BigInt(block));
	const head = crc32c(crc32c(seed, number), bytes, 0, BLOCK_CHECKSUM);
	const crc = crc32c(crc32c(head, Uint8Array.of(0, 0, 0, 0)), bytes, BLOCK_CHECKSUM + 4);
	checkSum(place, bytes.readUInt32LE(BLOCK_CHECKSUM), crc);
}

/** @param from where entries begin; values are counted from the start of `area`. */
function parseEntries(area: Buffer, from: number, place: string): XattrEntry[] {
	const entries: XattrEntry[] = [];
	for (let at = from; at + 4 <= area.length && area.readUInt32LE(at) !== 0; ) {
		if (at + ENTRY_SIZE > area.length) throw malformed(place, `an attribute at offset ${at} is cut off`);
		const nameLength = area.readUInt8(at);
		const end = at + ENTRY_SIZE + nameLength;
		if (end > area.length) throw malformed(place, `e_name_len at offset ${at} is ${nameLength}: outside of its area`);
		entries.push(parseEntry(area, at, end, place));
		at = (end + 3) & ~3;
	}
	return entries;
}

function parseEntry(area: Buffer, at: number, end: number, place: string): XattrEntry {
	const offset = area.readUInt16LE(at + 2);
	const inode = area.readUInt32LE(at + 4);
	const size = area.readUInt32LE(at + 8);
	if (size > MAX_VALUE)
		throw malformed(place, `e_value_size at offset ${at} is ${size}, expected at most ${MAX_VALUE}`);
	if (inode === 0 && offset + size > area.length) {
		throw malformed(place, `the value at ${offset} has ${size} bytes, its area ${area.length}`);
	}
	return {
		index: area.readUInt8(at + 1),
		name: area.toString("latin1", at + ENTRY_SIZE, end),
		size,
		value: inode === 0 ? area.subarray(offset, offset + size) : Buffer.alloc(0),
		inode,
	};
}
