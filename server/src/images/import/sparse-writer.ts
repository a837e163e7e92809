/** Writes a file from its first byte to its last, leaving holes where there would be nothing but zeros. */
import fs from "node:fs";

/** Holes are made of whole blocks of this size: what nearly all file systems have. */
const BLOCK = 4096;

/** Bytes that are gathered before they are looked at and written. */
const GATHERED = 1 << 20;

const zeros = Buffer.alloc(GATHERED);

/** Blocks its thread while the disk works: it is for a worker. */
export class SparseWriter {
	readonly #fd: number;
	readonly #gathered = Buffer.allocUnsafeSlow(GATHERED);
	#filled = 0;
	#flushed = 0;
	#written = 0;
	/** The size of the file. */
	#extent = 0;

	/** @param fd of an empty file, open for writing; the caller closes it. */
	constructor(fd: number) {
		this.#fd = fd;
	}

	/** Bytes of the file that can be read from it now: all before this place are there. */
	get flushed(): number {
		return this.#flushed;
	}

	/** Bytes of the file so far, holes and what is still gathered included. */
	get size(): number {
		return this.#flushed + this.#filled;
	}

	/** Bytes that are no holes. */
	get written(): number {
		return this.#written;
	}

	/** @throws the operating system's error. */
	write(chunk: Uint8Array): void {
		for (let at = 0; at < chunk.length; ) {
			const part = chunk.subarray(at, at + GATHERED - this.#filled);
			this.#gathered.set(part, this.#filled);
			this.#filled += part.length;
			at += part.length;
			if (this.#filled === GATHERED) this.#flush();
		}
	}

	/** Writes what is left. The caller brings it to the disk. */
	finish(): void {
		this.#flush();
	}

	#flush(): void {
		const end = this.#filled;
		for (let at = 0; at < end; ) {
			const from = this.#skipZeros(at, end);
			const to = this.#skipData(from, end);
			if (to > from) this.#writeOut(from, to);
			at = to;
		}
		this.#flushed += end;
		this.#filled = 0;
		// A hole at the end is none before something is behind it.
		if (this.#flushed > this.#extent) fs.ftruncateSync(this.#fd, this.#flushed);
		this.#extent = this.#flushed;
	}

	#isZero(from: number, to: number): boolean {
		return this.#gathered.compare(zeros, 0, to - from, from, to) === 0;
	}

	#skipZeros(from: number, end: number): number {
		if (this.#isZero(from, end)) return end;
		let at = from;
		while (at < end && this.#isZero(at, Math.min(at + BLOCK, end))) at += BLOCK;
		return Math.min(at, end);
	}

	#skipData(from: number, end: number): number {
		let at = from;
		while (at < end && !this.#isZero(at, Math.min(at + BLOCK, end))) at += BLOCK;
		return Math.min(at, end);
	}

	#writeOut(from: number, to: number): void {
		for (let at = from; at < to; ) {
			at += fs.writeSync(this.#fd, this.#gathered, at, to - at, this.#flushed + at);
		}
		this.#written += to - from;
		this.#extent = this.#flushed + to;
	}
}
