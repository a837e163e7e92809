import type { BlockSource } from "./source.ts";
import { checkRange } from "./source.ts";

/** A part of another source: a partition of a disk. */
export class SliceSource implements BlockSource {
	readonly size: number;
	readonly #source: BlockSource;
	readonly #start: number;

	/**
	 * @param start byte of `source` where the part begins.
	 * @param size bytes of the part.
	 * @throws MalformedError (`image`) when the part is not inside the source.
	 */
	constructor(source: BlockSource, start: number, size: number) {
		checkRange(start, size, source.size);
		this.#source = source;
		this.#start = start;
		this.size = size;
	}

	read(offset: number, target: Uint8Array): void {
		checkRange(offset, target.length, this.size);
		this.#source.read(this.#start + offset, target);
	}
}
