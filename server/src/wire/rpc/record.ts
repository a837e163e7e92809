/**
 * Record marking (RFC 5531 section 11): on a stream, a message is a record of one or more fragments, each behind four
 * bytes: the top bit says "last of its record", the other 31 are the fragment's length.
 *
 *     +-+-------------------------------+
 *     |L|            length             |  followed by `length` bytes
 *     +-+-------------------------------+
 */
import { BugError, MalformedError } from "../../base/index.ts";
import type { BufferPool, PooledBuffer } from "./buffer-pool.ts";

/** The largest WRITE that we offer (1 MiB) and its headers. */
export const maxRecordBytes = (1 << 20) + (64 << 10);

/** Nobody needs more; without a bound a stream of empty fragments would be a record without end. */
const maxFragments = 256;

const empty = Buffer.alloc(0);

/**
 * Finds the records in a stream of chunks. A record that lies in one chunk as one fragment, as nearly all do, is given as
 * a part of that chunk; others are put together in a pooled buffer, which grows with what has really come.
 *
 * Use: `push` a chunk, then `next` until it says false; `bytes`, `start` and `end` hold the record.
 */
export class RecordReader {
	readonly #pool: BufferPool;
	#chunk: Buffer = empty;
	#at = 0;
	readonly #mark = Buffer.alloc(4);
	#markBytes = 0;
	/** What is left of the fragment that is being read; undefined between fragments. */
	#fragmentLeft: number | undefined;
	#lastFragment = false;
	#fragments = 0;
	#assembly: PooledBuffer | undefined;
	#assembled = 0;
	readonly #admit: (bytes: number) => boolean;
	#refused = false;
	/** The record in `bytes` lies in `#assembly`, which `next` frees unless it was kept. */
	#given = false;

	bytes: Buffer = empty;
	start = 0;
	end = 0;

	/** @param admit says whether there is memory to put a record of so many bytes together; asked before each part of it. */
	constructor(pool: BufferPool, admit: (bytes: number) => boolean = () => true) {
		this.#pool = pool;
		this.#admit = admit;
	}

	/** A record has begun that is not complete. */
	get partial(): boolean {
		return this.#markBytes > 0 || this.#fragments > 0 || this.#at < this.#chunk.length;
	}

	/** There is no memory for the record that is coming in: it goes on with `next` when there is, and with no other bytes. */
	get refused(): boolean {
		return this.#refused;
	}

	/** Between two records, with memory of neither. */
	get idle(): boolean {
		return this.#fragments === 0;
	}

	/** Takes the next bytes of the stream; only when `next` has said false. */
	push(chunk: Buffer): void {
		if (this.#at < this.#chunk.length) throw new BugError("bytes came in before the ones before were used up");
		this.#chunk = chunk;
		this.#at = 0;
	}

	/** The record that was given is still needed: its memory is left to whoever has it. */
	keep(): void {
		if (this.#given) this.#assembly = undefined;
		this.#given = false;
	}

	/**
	 * Goes to the next complete record, which is valid until the next call unless it is kept.
	 *
	 * @returns false when more bytes are needed, or memory.
	 * @throws MalformedError for a record that is too long or has too many fragments.
	 */
	next(): boolean {
		this.#forget();
		this.#refused = false;
		for (;;) {
			if (this.#fragmentLeft === undefined && !this.#readMark()) return false;
			this.#refused = this.#mustAssemble() && !this.#admit(this.#assembled + (this.#fragmentLeft ?? 0));
			if (this.#refused) return false;
			if (this.#takeFragment()) return true;
			if (this.#at === this.#chunk.length) return false;
		}
	}

	#forget(): void {
		if (!this.#given) return;
		this.#given = false;
		if (this.#assembly !== undefined) this.#pool.release(this.#assembly);
		this.#assembly = undefined;
	}

	#readMark(): boolean {
		const taken = this.#chunk.copy(this.#mark, this.#markBytes, this.#at);
		this.#at += taken;
		this.#markBytes += taken;
		if (this.#markBytes < 4) return false;
		this.#markBytes = 0;
		const mark = this.#mark.readUInt32BE(0);
		this.#lastFragment = mark >= 0x8000_0000;
		this.#fragmentLeft = mark & 0x7fff_ffff;
		this.#fragments++;
		const total = this.#assembled + this.#fragmentLeft;
		if (total > maxRecordBytes) {
			throw new MalformedError("rpc", `a record may have ${maxRecordBytes} bytes, this one has at least ${total}`);
		}
		if (this.#fragments > maxFragments) {
			throw new MalformedError("rpc", `a record may have ${maxFragments} fragments, this one has more`);
		}
		return true;
	}

	/** The record does not lie in the chunk as one fragment. */
	#mustAssemble(): boolean {
		const isHere = this.#chunk.length - this.#at >= (this.#fragmentLeft ?? 0);
		return !isHere || !this.#lastFragment || this.#assembled > 0;
	}

	/** Takes what the chunk has of the fragment; true when that completes the record. */
	#takeFragment(): boolean {
		const left = this.#fragmentLeft ?? 0;
		const available = Math.min(left, this.#chunk.length - this.#at);
		if (!this.#mustAssemble()) {
			this.#give(this.#chunk, this.#at, this.#at + left, false);
			this.#at += left;
			return true;
		}
		this.#assemble(available, left);
		if (available < left) return false;
		this.#fragmentLeft = undefined;
		if (!this.#lastFragment) return false;
		this.#give(this.#assembly?.bytes ?? empty, 0, this.#assembled, true);
		return true;
	}

	#give(bytes: Buffer, start: number, end: number, assembled: boolean): void {
		this.bytes = bytes;
		this.start = start;
		this.end = end;
		this.#given = assembled;
		this.#fragmentLeft = undefined;
		this.#fragments = 0;
		this.#assembled = 0;
	}

	#assemble(count: number, fragmentLeft: number): void {
		if (count === 0) return;
		const need = this.#assembled + count;
		const announced = this.#assembled + fragmentLeft;
		const had = this.#assembly;
		if (had === undefined || had.bytes.length < need) {
			// An announced length is not believed before a part of it has come: memory follows what was received.
			const larger = this.#pool.take(Math.max(need, Math.min(announced, need * 4)));
			if (had !== undefined) {
				had.bytes.copy(larger.bytes, 0, 0, this.#assembled);
				this.#pool.release(had);
			}
			this.#assembly = larger;
		}
		this.#assembly?.bytes.set(this.#chunk.subarray(this.#at, this.#at + count), this.#assembled);
		this.#at += count;
		this.#assembled = need;
		this.#fragmentLeft = fragmentLeft - count;
	}

	/** Gives all memory back; the stream has ended. */
	close(): void {
		if (this.#assembly !== undefined) this.#pool.release(this.#assembly);
		this.#assembly = undefined;
		this.#given = false;
		this.#chunk = empty;
		this.#at = 0;
	}
}
