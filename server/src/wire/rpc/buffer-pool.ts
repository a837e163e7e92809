/**
 * Buffers that are used again. A fresh megabyte costs more in page faults than it takes to fill it, so replies and long
 * records are put together in buffers that go back to the pool when the system has taken their bytes.
 */

/** Memory with the view that writes numbers into it fastest. */
export interface PooledBuffer {
	readonly bytes: Buffer;
	readonly view: DataView;
}

/** What a reply of metadata, a few READs of the usual 64 KiB, or one of the largest READ needs with its headers. */
const classes: readonly number[] = [16 << 10, 136 << 10, (1 << 20) + (64 << 10)];

/** How many unused bytes each class keeps. */
const keptBytes = 8 << 20;

/** Makes memory outside of any pool. */
export function allocateBuffer(capacity: number): PooledBuffer {
	const bytes = Buffer.allocUnsafeSlow(capacity);
	return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

export class BufferPool {
	readonly #free: PooledBuffer[][] = classes.map(() => []);
	/** The fewest that were unused since the last `trim`, of each class. */
	readonly #spare: number[] = classes.map(() => 0);

	/** Gives a buffer of at least `capacity` bytes, with anything in it. */
	take(capacity: number): PooledBuffer {
		const index = classes.findIndex((size) => size >= capacity);
		const size = classes[index];
		if (size === undefined) return allocateBuffer(capacity);
		const buffer = this.#free[index]?.pop() ?? allocateBuffer(size);
		this.#spare[index] = Math.min(this.#spare[index] ?? 0, this.#free[index]?.length ?? 0);
		return buffer;
	}

	/** Takes a buffer back; its owner must not touch it again. */
	release(buffer: PooledBuffer): void {
		const size = buffer.bytes.length;
		const free = this.#free[classes.indexOf(size)];
		if (free !== undefined && (free.length + 1) * size <= keptBytes) free.push(buffer);
	}

	/**
	 * Gives up what nobody needed since the last call. Besides its own bytes, each buffer that is kept holds back free memory around
	 * it: the system's allocator returns only what lies behind the last block in use.
	 */
	trim(): void {
		for (const [index, free] of this.#free.entries()) {
			free.splice(0, this.#spare[index]);
			this.#spare[index] = free.length;
		}
	}
}
