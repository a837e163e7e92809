/** The bytes of a file in memory, with holes. */

const BLOCK = 4096;

export class SparseBytes {
	readonly #blocks = new Map<number, Uint8Array>();
	#size = 0;

	get size(): number {
		return this.#size;
	}

	/** Bytes that are not holes, in whole blocks. */
	get used(): number {
		return this.#blocks.size * BLOCK;
	}

	/** Fills `target` from `offset` on; gives how many bytes there were. */
	read(offset: number, target: Uint8Array): number {
		const length = Math.max(0, Math.min(target.length, this.#size - offset));
		forEachPiece(offset, length, (block, within, at, count) => {
			const piece = target.subarray(at, at + count);
			const bytes = this.#blocks.get(block);
			if (bytes === undefined) piece.fill(0);
			else piece.set(bytes.subarray(within, within + count));
		});
		return length;
	}

	write(offset: number, data: Uint8Array): void {
		forEachPiece(offset, data.length, (block, within, at, count) => {
			let bytes = this.#blocks.get(block);
			if (bytes === undefined) {
				bytes = new Uint8Array(BLOCK);
				this.#blocks.set(block, bytes);
			}
			bytes.set(data.subarray(at, at + count), within);
		});
		this.#size = Math.max(this.#size, offset + data.length);
	}

	/** Cuts the file, or extends it with a hole. */
	truncate(size: number): void {
		if (size < this.#size) {
			for (const block of this.#blocks.keys()) if (block * BLOCK >= size) this.#blocks.delete(block);
			// What lies behind the end must read as zeros when the file grows again.
			this.#blocks.get(Math.floor(size / BLOCK))?.fill(0, size % BLOCK);
		}
		this.#size = size;
	}
}

function forEachPiece(
	offset: number,
	length: number,
	piece: (block: number, within: number, at: number, count: number) => void,
): void {
	for (let at = 0; at < length; ) {
		const within = (offset + at) % BLOCK;
		const count = Math.min(BLOCK - within, length - at);
		piece((offset + at - within) / BLOCK, within, at, count);
		at += count;
	}
}
