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

	/** Gives a buffer of at least `capacity` bytes, with anything in it. */
	take(capacity: number): PooledBuffer {
		const index = classes.findIndex((size) => size >= capacity);
		const size = classes[index];
		if (size === undefined) return allocateBuffer(capacity);
		return this.#free[index]?.pop() ?? allocateBuffer(size);
	}

	/** Takes a buffer back; its owner must not touch it again. */
	release(buffer: PooledBuffer): void {
		const size = buffer.bytes.length;
		const free = this.#free[classes.indexOf(size)];
		if (free !== undefined && (free.length + 1) * size <= keptBytes) free.push(buffer);
	}
}
