/** metadata_csum on directory blocks: entries end with a tail that looks like an unused entry, index nodes with another. */
import { crc32c } from "../block/crc.ts";
import { checkSum, malformed } from "./errors.ts";

/** `struct ext4_dir_entry_tail`: det_reserved_zero1, det_rec_len 12, det_reserved_zero2, 0xde, det_checksum. */
const TAIL_SIZE = 12;
const TAIL_FILE_TYPE = 0xde;
/** Where `struct dx_countlimit` stands: behind a fake entry in a node, behind `.`, `..` and dx_root_info in the root. */
const NODE_COUNT_OFFSET = 8;
const ROOT_COUNT_OFFSET = 32;

/**
 * @param seed `i_csum_seed` of the directory.
 * @param hashed the directory has an htree.
 * @param first it is block 0 of the directory.
 * @throws MalformedError.
 */
export function verifyDirectoryBlock(
	bytes: Buffer,
	seed: number,
	hashed: boolean,
	first: boolean,
	place: string,
): void {
	const isNode = bytes.readUInt32LE(0) === 0 && nodeFillsBlock(bytes);
	if (hashed && (first || isNode)) verifyIndex(bytes, seed, first ? ROOT_COUNT_OFFSET : NODE_COUNT_OFFSET, place);
	else verifyEntries(bytes, seed, place);
}

function nodeFillsBlock(bytes: Buffer): boolean {
	const length = bytes.readUInt16LE(4);
	return length === bytes.length || (bytes.length === 65_536 && (length === 65_535 || length === 0));
}

function verifyEntries(bytes: Buffer, seed: number, place: string): void {
	const tail = bytes.length - TAIL_SIZE;
	const isTail =
		bytes.readUInt32LE(tail) === 0 &&
		bytes.readUInt16LE(tail + 4) === TAIL_SIZE &&
		bytes.readUInt8(tail + 6) === 0 &&
		bytes.readUInt8(tail + 7) === TAIL_FILE_TYPE;
	if (!isTail) throw malformed(place, "the block of a directory has no checksum at its end");
	checkSum(place, bytes.readUInt32LE(tail + 8), crc32c(seed, bytes, 0, tail));
}

/** The checksum covers the index entries in use, not the room behind them, and its own place as zeros. */
function verifyIndex(bytes: Buffer, seed: number, countOffset: number, place: string): void {
	const limit = bytes.readUInt16LE(countOffset);
	const count = bytes.readUInt16LE(countOffset + 2);
	const tail = countOffset + limit * 8;
	if (count > limit || tail + 8 > bytes.length) {
		throw malformed(place, `an index of ${count} entries with room for ${limit} does not fit ${bytes.length} bytes`);
	}
	const entries = crc32c(seed, bytes, 0, countOffset + count * 8);
	const crc = crc32c(crc32c(entries, bytes, tail, tail + 4), Uint8Array.of(0, 0, 0, 0));
	checkSum(place, bytes.readUInt32LE(tail + 4), crc);
}
