/**
 * An open image file as a `BlockSource` that never blocks the event loop for long.
 *
 * A synchronous read is the fastest way to bytes that are in the page cache, and the worst to bytes that are on a sleeping
 * disk. So the file is seen in chunks: one that was not touched lately is first read by the thread pool, only to warm the
 * page cache, while the caller gets a `BlockFault`; when it comes back the synchronous read is a copy from memory.
 */
import fs from "node:fs";
import {
	BlockFault,
	type Clock,
	ClosedError,
	ExternalError,
	MalformedError,
	systemClock,
	systemCode,
} from "../../base/index.ts";
import type { BlockSource } from "../../disk/index.ts";
import { WarmChunks } from "./warm-chunks.ts";

/** Bytes that are warmed up in one go. */
export const CHUNK_BYTES = 1 << 20;

/** The calls to the operating system, so that a test can make them fail. */
export interface ImageIo {
	read(
		fd: number,
		target: Uint8Array,
		length: number,
		position: number,
		done: (error: Error | null, bytes: number) => void,
	): void;
	readSync(fd: number, target: Uint8Array, offset: number, length: number, position: number): number;
	fstatSync(fd: number): { readonly size: number; readonly mtimeMs: number; readonly ctimeMs: number };
}

export const systemIo: ImageIo = {
	read: (fd, target, length, position, done) => fs.read(fd, target, 0, length, position, done),
	readSync: (fd, target, offset, length, position) => fs.readSync(fd, target, offset, length, position),
	fstatSync: (fd) => fs.fstatSync(fd),
};

/** Asked around every read, so that no byte of a file that changed gets out. Both throw to refuse. */
export interface ReadGuard {
	enter(): void;
	leave(): void;
}

export interface ImageFileOptions {
	readonly guard?: ReadGuard;
	readonly clock?: Clock;
	readonly io?: ImageIo;
	/** Chunks that may count as warm at the same time. */
	readonly warmChunks?: number;
	/** How long an untouched chunk counts as warm, in milliseconds. */
	readonly warmMilliseconds?: number;
	/** What many files share that are opened and closed all the time, and where the chunks of this one begin in it. */
	readonly shared?: { readonly warm: WarmChunks; readonly first: number };
}

/** A call that reads more chunks than this at once is a tool's, which can wait; warming so many would push out others. */
const MOST_CHUNKS_PER_READ = 16;

/** Every warm-up reads into the same memory: nobody looks at what arrives there. */
const scratch = Buffer.allocUnsafeSlow(CHUNK_BYTES);

const NO_GUARD: ReadGuard = { enter() {}, leave() {} };

/** See the head of this file. */
export class ImageFile implements BlockSource {
	readonly size: number;
	readonly #fd: number;
	readonly #guard: ReadGuard;
	readonly #clock: Clock;
	readonly #io: ImageIo;
	readonly #warm: WarmChunks;
	/** The number of the first chunk in `#warm`. */
	readonly #first: number;
	readonly #warming = new Map<number, Promise<void>>();
	readonly #failed = new Map<number, Error>();
	#lastChunk = -1;
	#closed = false;

	/**
	 * @param fd open for reading; closed by `close`.
	 * @param size in bytes, as fstat says.
	 */
	constructor(fd: number, size: number, options: ImageFileOptions = {}) {
		this.#fd = fd;
		this.size = size;
		this.#guard = options.guard ?? NO_GUARD;
		this.#clock = options.clock ?? systemClock;
		this.#io = options.io ?? systemIo;
		const { shared, warmChunks = 4096, warmMilliseconds = 180_000 } = options;
		this.#warm = shared?.warm ?? new WarmChunks(Math.max(warmChunks, 2 * MOST_CHUNKS_PER_READ), warmMilliseconds);
		this.#first = shared?.first ?? 0;
	}

	/**
	 * Fills `target` from `offset` on.
	 *
	 * @throws BlockFault when the bytes must come from the disk first.
	 * @throws MalformedError when the range is outside of the file.
	 * @throws ExternalError when the disk fails.
	 */
	read(offset: number, target: Uint8Array): void {
		if (this.#closed) throw new ClosedError("the image file is closed");
		this.#guard.enter();
		if (!Number.isSafeInteger(offset) || offset < 0 || offset + target.length > this.size) {
			throw new MalformedError(
				"image",
				`image: ${target.length} bytes at offset ${offset} are outside of the file, which has ${this.size} bytes`,
			);
		}
		if (target.length === 0) return;
		this.#demand(Math.floor(offset / CHUNK_BYTES), Math.floor((offset + target.length - 1) / CHUNK_BYTES));
		this.#readNow(offset, target);
		this.#guard.leave();
	}

	/** Closes the file once the reads that are under way have ended: their number must not mean another file meanwhile. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		await Promise.all(this.#warming.values());
		fs.closeSync(this.#fd);
	}

	#demand(first: number, last: number): void {
		if (last - first >= MOST_CHUNKS_PER_READ) return;
		const now = this.#clock.monotonic();
		let cold: Promise<void>[] | undefined;
		for (let chunk = first; chunk <= last; chunk++) {
			if (this.#warm.touch(this.#first + chunk, now)) continue;
			this.#throwFailure(chunk);
			cold ??= [];
			cold.push(this.#warmUp(chunk, true));
		}
		if (last !== this.#lastChunk) this.#readAhead(first, last, now);
		if (cold !== undefined) throw new BlockFault(Promise.all(cold).then(() => undefined));
	}

	/** Reading goes on where it was a moment ago: fetch what comes next before it is asked for. */
	#readAhead(first: number, last: number, now: number): void {
		const sequential = first === this.#lastChunk || first === this.#lastChunk + 1 || this.#isWarm(first - 1, now);
		this.#lastChunk = last;
		const next = last + 1;
		if (!sequential || next * CHUNK_BYTES >= this.size || this.#isWarm(next, now)) return;
		void this.#warmUp(next, false);
	}

	#isWarm(chunk: number, now: number): boolean {
		return chunk >= 0 && this.#warm.has(this.#first + chunk, now);
	}

	/** The failure of a warm-up is told once, to whoever asks next; the call after that tries the disk again. */
	#throwFailure(chunk: number): void {
		const failure = this.#failed.get(chunk);
		if (failure === undefined) return;
		this.#failed.delete(chunk);
		throw readFailure(chunk * CHUNK_BYTES, failure);
	}

	/** @param wanted whether somebody waits for it and is to be told of a failure; a read ahead of demand just stays cold. */
	#warmUp(chunk: number, wanted: boolean): Promise<void> {
		const running = this.#warming.get(chunk);
		if (running !== undefined) return running;
		const position = chunk * CHUNK_BYTES;
		const length = Math.min(CHUNK_BYTES, this.size - position);
		const done = new Promise<void>((resolve) => {
			this.#io.read(this.#fd, scratch, length, position, (error) => {
				this.#warming.delete(chunk);
				if (error === null) this.#warm.add(this.#first + chunk, this.#clock.monotonic());
				else if (wanted) this.#failed.set(chunk, error);
				resolve();
			});
		});
		this.#warming.set(chunk, done);
		return done;
	}

	#readNow(offset: number, target: Uint8Array): void {
		let done = 0;
		while (done < target.length) {
			const bytes = this.#readPiece(offset + done, target, done);
			if (bytes === 0) {
				this.#guard.leave();
				throw new ExternalError("EIO", `the image file ended at byte ${offset + done}, expected ${this.size} bytes`);
			}
			done += bytes;
		}
	}

	#readPiece(position: number, target: Uint8Array, done: number): number {
		try {
			return this.#io.readSync(this.#fd, target, done, target.length - done, position);
		} catch (error) {
			throw readFailure(position, error);
		}
	}
}

function readFailure(position: number, cause: unknown): ExternalError {
	const code = systemCode(cause) ?? "EIO";
	return new ExternalError(code, `the image file cannot be read at byte ${position}: ${code}`, { cause });
}
