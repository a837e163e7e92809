import { UnsupportedError } from "../../base/index.ts";

/** What a map counts in, whatever the file systems inside count in: disks and page caches like no less. Bytes. */
export const BLOCK = 4096;

/** One bit per block is 64 MiB then; no disk of a Pi comes near. */
const LARGEST = 2 ** 41;

/** Which blocks of an image hold nothing that anybody will miss: one bit each, all in use at first. */
export class FreeBlocks {
	/** Blocks; the last one may be cut. */
	readonly length: number;
	readonly #bits: Uint8Array;

	/** @param size bytes of the image. @throws UnsupportedError (`image`) when it is beyond reason. */
	constructor(size: number) {
		if (size > LARGEST) {
			throw new UnsupportedError("image", `image: ${size} bytes are too many to map, expected at most ${LARGEST}`);
		}
		this.length = Math.ceil(size / BLOCK);
		this.#bits = new Uint8Array(Math.ceil(this.length / 8));
	}

	/** Says that the bytes from `start` to before `end` are free: of blocks that are free in part nothing is. */
	free(start: number, end: number): void {
		this.#set(Math.ceil(start / BLOCK), Math.floor(end / BLOCK), true);
	}

	/** Says that the bytes from `start` to before `end` are in use, and with them the rest of their blocks. */
	use(start: number, end: number): void {
		this.#set(Math.floor(start / BLOCK), Math.ceil(end / BLOCK), false);
	}

	/** Whether all bytes from `start` to before `end` are in blocks that are in use. */
	isUsed(start: number, end: number): boolean {
		const last = Math.min(Math.ceil(end / BLOCK), this.length);
		for (let block = Math.floor(start / BLOCK); block < last; block++) if (this.isFree(block)) return false;
		return true;
	}

	isFree(block: number): boolean {
		return ((this.#bits[block >>> 3] ?? 0) & (1 << (block & 7))) !== 0;
	}

	/** Free blocks from `first` to before `end`. */
	count(first = 0, end = this.length): number {
		let count = 0;
		for (let block = first; block < end; block++) if (this.isFree(block)) count++;
		return count;
	}

	#set(first: number, end: number, free: boolean): void {
		const last = Math.min(end, this.length);
		for (let block = first; block < last; ) {
			if ((block & 7) === 0 && block + 8 <= last) {
				const bytes = (last - block) >>> 3;
				this.#bits.fill(free ? 0xff : 0, block >>> 3, (block >>> 3) + bytes);
				block += bytes * 8;
			} else {
				this.#setOne(block, free);
				block++;
			}
		}
	}

	#setOne(block: number, free: boolean): void {
		const bit = 1 << (block & 7);
		const byte = this.#bits[block >>> 3] ?? 0;
		this.#bits[block >>> 3] = free ? byte | bit : byte & ~bit;
	}
}
