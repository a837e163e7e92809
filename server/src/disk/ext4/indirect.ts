/**
 * The block map of ext2 and ext3 (and of ext4 files without extents): 12 block numbers in the inode, then the numbers of
 * a block full of block numbers, of a block of such blocks, and of a block of those. 0 is a hole at every level.
 *
 * It is walked when asked, three blocks at most, so a map that leads in circles costs no more than any other.
 */

import type { BlockMap, Run } from "../block/block-map.ts";
import { HOLE } from "../block/block-map.ts";
import { GenerationCache } from "../block/cache.ts";
import { malformed } from "./errors.ts";
import { I_BLOCK } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

const DIRECT = 12;
/** Leaf tables that are kept for each file. */
const CACHED_LEAVES = 16;

export class IndirectMap implements BlockMap {
	readonly weight: number;
	readonly #volume: ExtVolume;
	readonly #place: string;
	/** `i_block`: 12 data blocks, then the single, double and triple indirect block. */
	readonly #roots: Uint32Array;
	/** Block numbers in a block. */
	readonly #fanout: number;
	readonly #leaves = new GenerationCache<number, Uint32Array>(CACHED_LEAVES);
	readonly #hole: Uint32Array;

	/** @throws MalformedError when the file is longer than its map can be. */
	constructor(volume: ExtVolume, raw: Buffer, ino: number, size: number) {
		this.#volume = volume;
		this.#place = `inode ${ino}`;
		this.#fanout = volume.blockSize / 4;
		this.weight = CACHED_LEAVES * this.#fanout;
		this.#roots = Uint32Array.from({ length: DIRECT + 3 }, (_, index) => raw.readUInt32LE(I_BLOCK + 4 * index));
		this.#hole = new Uint32Array(this.#fanout);
		const reach = DIRECT + this.#fanout + this.#fanout ** 2 + this.#fanout ** 3;
		if (Math.ceil(size / volume.blockSize) > reach) {
			throw malformed(this.#place, `i_size is ${size}, its block map reaches ${reach * volume.blockSize}`);
		}
	}

	find(logical: number, run: Run): void {
		if (logical < DIRECT) {
			this.#runIn(this.#roots, logical, DIRECT, run);
			return;
		}
		const index = (logical - DIRECT) % this.#fanout;
		this.#runIn(this.#leaf((logical - DIRECT - index) / this.#fanout), index, this.#fanout, run);
	}

	#runIn(table: Uint32Array, index: number, end: number, run: Run): void {
		const physical = table[index] ?? 0;
		const step = physical === 0 ? 0 : 1;
		let count = 1;
		while (index + count < end && table[index + count] === physical + count * step) count++;
		if (physical !== 0) this.#volume.checkBlocks(physical, count, this.#place);
		run.position = physical === 0 ? HOLE : physical * this.#volume.blockSize;
		run.count = count;
	}

	/** The numbers of the data blocks from `DIRECT + leaf * fanout` on. */
	#leaf(leaf: number): Uint32Array {
		const cached = this.#leaves.get(leaf);
		if (cached !== undefined) return cached;
		const table = this.#walk(leaf);
		this.#leaves.set(leaf, table);
		return table;
	}

	#walk(leaf: number): Uint32Array {
		const fanout = this.#fanout;
		let depth = 0;
		let index = leaf;
		for (let leaves = 1; index >= leaves; leaves *= fanout) {
			index -= leaves;
			depth++;
		}
		let block = this.#roots[DIRECT + depth] ?? 0;
		for (let level = depth; block !== 0 && level > 0; level--) {
			const below = fanout ** (level - 1);
			block = this.#table(block)[Math.floor(index / below) % fanout] ?? 0;
		}
		return block === 0 ? this.#hole : this.#table(block);
	}

	#table(block: number): Uint32Array {
		const bytes = this.#volume.readBlock(block, `${this.#place}, indirect block ${block}`);
		return Uint32Array.from({ length: this.#fanout }, (_, index) => bytes.readUInt32LE(4 * index));
	}
}
