/**
 * Extent trees (`struct ext4_extent_header` and what follows it).
 *
 *     node     header, then entries of 12 bytes; the root is in the inode's i_block, the others fill a block
 *     header   eh_magic 0xf30a, eh_entries, eh_max, eh_depth (0: entries are extents), eh_generation
 *     extent   ee_block (first block of the file), ee_len, ee_start_hi, ee_start_lo (first block on the disk)
 *     index    ei_block, ei_leaf_lo, ei_leaf_hi (the block of the node that holds what begins at ei_block)
 */

import type { BlockMap } from "../block/block-map.ts";
import { crc32c } from "../block/crc.ts";
import { RunMapBuilder } from "../block/run-map.ts";
import { checkSum, malformed } from "./errors.ts";
import { I_BLOCK, I_BLOCK_SIZE } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

const EH_MAGIC = 0xf30a;
const ENTRY_SIZE = 12;
const MAX_DEPTH = 5;
/** An extent whose ee_len is larger is allocated but unwritten, which reads as zeros. */
const MAX_WRITTEN = 32768;
/** One behind the last block that a file can have. */
const END = 0x1_0000_0000;

/**
 * Reads the whole extent tree of an inode.
 *
 * @param raw the inode, verified.
 * @throws MalformedError, BlockFault.
 */
export function readExtents(volume: ExtVolume, raw: Buffer, ino: number): BlockMap {
	const seed = volume.inodeSeed(ino, raw.readUInt32LE(0x64));
	const reader = new ExtentReader(volume, ino, seed);
	const root = raw.subarray(I_BLOCK, I_BLOCK + I_BLOCK_SIZE);
	reader.node(root, `inode ${ino}`, undefined, 0, END);
	return reader.runs.finish();
}

class ExtentReader {
	readonly runs: RunMapBuilder;
	readonly #volume: ExtVolume;
	readonly #ino: number;
	readonly #seed: number;

	constructor(volume: ExtVolume, ino: number, seed: number) {
		this.#volume = volume;
		this.#ino = ino;
		this.#seed = seed;
		this.runs = new RunMapBuilder(volume.blockSize);
	}

	/**
	 * Takes in a node and all below it. What it holds must lie in [from, to) and ascend; an inner node must hold
	 * something. So no node can stand twice in a tree, and a tree that leads back into itself ends with an error.
	 */
	node(bytes: Buffer, place: string, depth: number | undefined, from: number, to: number): void {
		const { entries, depth: nodeDepth } = parseHeader(bytes, place, depth);
		let begin = from;
		for (let entry = 0; entry < entries; entry++) {
			const at = ENTRY_SIZE * (entry + 1);
			const logical = bytes.readUInt32LE(at);
			if (logical < begin || logical >= to) {
				throw malformed(place, `entry ${entry} begins at block ${logical} of the file, expected ${begin} to ${to - 1}`);
			}
			if (nodeDepth === 0) {
				begin = this.#extent(bytes, at, place, to);
			} else {
				const end = entry + 1 < entries ? bytes.readUInt32LE(at + ENTRY_SIZE) : to;
				this.#child(bytes, at, place, nodeDepth - 1, Math.min(end, to));
				begin = logical + 1;
			}
		}
	}

	#extent(bytes: Buffer, at: number, place: string, to: number): number {
		const logical = bytes.readUInt32LE(at);
		const length = bytes.readUInt16LE(at + 4);
		const physical = bytes.readUInt16LE(at + 6) * 0x1_0000_0000 + bytes.readUInt32LE(at + 8);
		const unwritten = length > MAX_WRITTEN;
		const count = unwritten ? length - MAX_WRITTEN : length;
		if (count === 0 || logical + count > to) {
			throw malformed(
				place,
				`the extent at block ${logical} of the file has ${count} blocks, expected 1 to ${to - logical}`,
			);
		}
		this.#volume.checkBlocks(physical, count, place);
		if (!unwritten) this.runs.add(logical, physical * this.#volume.blockSize, count);
		return logical + count;
	}

	#child(bytes: Buffer, at: number, place: string, depth: number, to: number): void {
		const block = bytes.readUInt16LE(at + 8) * 0x1_0000_0000 + bytes.readUInt32LE(at + 4);
		const child = this.#volume.readBlock(block, place);
		const childPlace = `inode ${this.#ino}, extent block ${block}`;
		if (this.#volume.checksums) this.#verify(child, childPlace);
		this.node(child, childPlace, depth, bytes.readUInt32LE(at), to);
	}

	/** `struct ext4_extent_tail` stands behind the last entry that there is room for. */
	#verify(bytes: Buffer, place: string): void {
		const tail = ENTRY_SIZE * (bytes.readUInt16LE(4) + 1);
		if (tail + 4 > bytes.length) throw malformed(place, `eh_max is ${bytes.readUInt16LE(4)}: too many for a block`);
		checkSum(place, bytes.readUInt32LE(tail), crc32c(this.#seed, bytes, 0, tail));
	}
}

function parseHeader(bytes: Buffer, place: string, expected: number | undefined): { entries: number; depth: number } {
	const magic = bytes.readUInt16LE(0);
	const entries = bytes.readUInt16LE(2);
	const depth = bytes.readUInt16LE(6);
	const room = Math.floor(bytes.length / ENTRY_SIZE) - 1;
	if (magic !== EH_MAGIC) throw malformed(place, `eh_magic is 0x${magic.toString(16)}, expected 0xf30a`);
	if (entries > room) throw malformed(place, `eh_entries is ${entries}, there is room for ${room}`);
	if (depth > MAX_DEPTH || (expected !== undefined && depth !== expected)) {
		throw malformed(place, `eh_depth is ${depth}, expected ${expected ?? `at most ${MAX_DEPTH}`}`);
	}
	if (entries === 0 && depth > 0) throw malformed(place, `eh_depth is ${depth} and there are no entries`);
	return { entries, depth };
}
