import type { BlockSource } from "./source.ts";
import { checkRange } from "./source.ts";

/** A source over bytes in memory. It keeps a view: what changes the array changes the source. */
export class MemorySource implements BlockSource {
	readonly size: number;
	readonly #bytes: Uint8Array;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
		this.size = bytes.length;
	}

	read(offset: number, target: Uint8Array): void {
		checkRange(offset, target.length, this.size);
		target.set(this.#bytes.subarray(offset, offset + target.length));
	}
}
