/**
 * Notices buffers whose size somebody foreign chose. `Buffer`'s own functions are wrapped; arrays and maps that grow without
 * end run into the heap limit of the worker instead.
 */

/** A buffer larger than any that the input justifies. It is thrown before the memory is taken. */
export class AllocationError extends Error {
	constructor(size: number, limit: number) {
		super(`a buffer of ${size} bytes was asked for, the input justifies ${limit}`);
		this.name = "AllocationError";
	}
}

export class AllocationGuard {
	/** Bytes; what the run at hand may take in one piece. */
	limit = Number.POSITIVE_INFINITY;
	/** The first that was too large; also kept here because a decoder may swallow what is thrown. */
	failure: AllocationError | undefined;

	/** For the life of the thread. */
	install(): void {
		const { alloc, allocUnsafe, allocUnsafeSlow } = Buffer;
		Buffer.alloc = (size, ...rest) => alloc(this.#checked(size), ...rest);
		Buffer.allocUnsafe = (size) => allocUnsafe(this.#checked(size));
		Buffer.allocUnsafeSlow = (size) => allocUnsafeSlow(this.#checked(size));
	}

	#checked(size: number): number {
		if (size <= this.limit) return size;
		const error = new AllocationError(size, this.limit);
		this.failure ??= error;
		throw error;
	}

	begin(limit: number): void {
		this.limit = limit;
		this.failure = undefined;
	}

	/** Lifts the limit. @throws AllocationError when there was one since `begin`. */
	end(): void {
		this.limit = Number.POSITIVE_INFINITY;
		if (this.failure !== undefined) throw this.failure;
	}
}
