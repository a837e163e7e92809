/** A file system with its journal replayed: blocks that the journal has newer are read from there. Nothing is copied. */
import type { BlockSource } from "../../block/source.ts";
import { checkRange } from "../../block/source.ts";
import { JBD2_MAGIC } from "./superblock.ts";

export interface Redirection {
	/** The block of the file system. */
	readonly block: number;
	/** Byte of the source where its newest state is. */
	readonly position: number;
	/** Its first four bytes are the journal's magic number, and zeros in the journal. */
	readonly escaped: boolean;
}

const MAGIC = Buffer.alloc(4);
MAGIC.writeUInt32BE(JBD2_MAGIC);

export class OverlaySource implements BlockSource {
	readonly size: number;
	readonly #source: BlockSource;
	readonly #blockSize: number;
	/** In ascending order of their blocks. */
	readonly #redirections: readonly Redirection[];

	constructor(source: BlockSource, blockSize: number, redirections: readonly Redirection[]) {
		this.#source = source;
		this.#blockSize = blockSize;
		this.#redirections = redirections.toSorted((a, b) => a.block - b.block);
		this.size = source.size;
	}

	read(offset: number, target: Uint8Array): void {
		checkRange(offset, target.length, this.size);
		this.#source.read(offset, target);
		const end = (offset + target.length) / this.#blockSize;
		for (let at = this.#firstFrom(Math.floor(offset / this.#blockSize)); ; at++) {
			const redirection = this.#redirections[at];
			if (redirection === undefined || redirection.block >= end) return;
			this.#replace(redirection, offset, target);
		}
	}

	/** Puts the part of the block that lies in the target over what was read. */
	#replace(redirection: Redirection, offset: number, target: Uint8Array): void {
		const start = redirection.block * this.#blockSize;
		const from = Math.max(start, offset);
		const to = Math.min(start + this.#blockSize, offset + target.length);
		const part = target.subarray(from - offset, to - offset);
		this.#source.read(redirection.position + from - start, part);
		if (redirection.escaped && from - start < MAGIC.length) {
			part.set(MAGIC.subarray(from - start, Math.min(MAGIC.length, to - start)));
		}
	}

	/** Index of the first redirection of this block or a later one. */
	#firstFrom(block: number): number {
		let low = 0;
		let high = this.#redirections.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#redirections[middle]?.block ?? 0) < block) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
