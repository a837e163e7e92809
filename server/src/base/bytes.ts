/**
 * The byte cursors. Nobody else touches byte order: a decoder reads through a `ByteReader`, an encoder writes through a
 * `ByteWriter`. Reading past the end throws a `MalformedError` of the reader's format that names the place.
 */
import { MalformedError } from "./errors.ts";

/** Reads numbers and byte runs from a buffer, forward, never past its end. */
export class ByteReader {
	readonly #buffer: Buffer;
	readonly #format: string;
	#offset = 0;

	/** @param format what is being read, for the error message: `dhcp`, `rpc`. */
	constructor(bytes: Uint8Array, format: string) {
		this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.#format = format;
	}

	get offset(): number {
		return this.#offset;
	}

	/** Bytes that are left. */
	get remaining(): number {
		return this.#buffer.length - this.#offset;
	}

	#take(count: number, what: string): number {
		if (count > this.remaining) {
			throw new MalformedError(
				this.#format,
				`${this.#format}: ${what} needs ${count} bytes at offset ${this.#offset}, got ${this.remaining}`,
			);
		}
		const at = this.#offset;
		this.#offset += count;
		return at;
	}

	u8(what = "u8"): number {
		return this.#buffer.readUInt8(this.#take(1, what));
	}

	/** Big endian, as all integers below without `le`. */
	u16(what = "u16"): number {
		return this.#buffer.readUInt16BE(this.#take(2, what));
	}

	u32(what = "u32"): number {
		return this.#buffer.readUInt32BE(this.#take(4, what));
	}

	u16le(what = "u16le"): number {
		return this.#buffer.readUInt16LE(this.#take(2, what));
	}

	u32le(what = "u32le"): number {
		return this.#buffer.readUInt32LE(this.#take(4, what));
	}

	/** A 64-bit unsigned integer as a number; throws when it does not fit 53 bits. */
	u64(what = "u64"): number {
		const at = this.#take(8, what);
		const high = this.#buffer.readUInt32BE(at);
		if (high > 0x1fffff) {
			throw new MalformedError(this.#format, `${this.#format}: ${what} at offset ${at} is larger than 2^53`);
		}
		return high * 0x1_0000_0000 + this.#buffer.readUInt32BE(at + 4);
	}

	/** The next `length` bytes, as a view on the same memory. */
	bytes(length: number, what = "bytes"): Buffer {
		const at = this.#take(length, what);
		return this.#buffer.subarray(at, at + length);
	}

	skip(length: number, what = "skip"): void {
		this.#take(length, what);
	}

	/** All that is left, as a view. */
	rest(): Buffer {
		return this.bytes(this.remaining);
	}
}

/** Appends numbers and byte runs to a buffer that grows. */
export class ByteWriter {
	#buffer: Buffer;
	#length = 0;

	/** @param capacity bytes to allocate at first; it doubles when that is not enough. */
	constructor(capacity = 256) {
		this.#buffer = Buffer.allocUnsafe(capacity);
	}

	get length(): number {
		return this.#length;
	}

	#room(count: number): number {
		const at = this.#length;
		if (at + count > this.#buffer.length) {
			const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, at + count));
			this.#buffer.copy(grown, 0, 0, at);
			this.#buffer = grown;
		}
		this.#length = at + count;
		return at;
	}

	u8(value: number): this {
		const at = this.#room(1);
		this.#buffer.writeUInt8(value, at);
		return this;
	}

	u16(value: number): this {
		const at = this.#room(2);
		this.#buffer.writeUInt16BE(value, at);
		return this;
	}

	u32(value: number): this {
		const at = this.#room(4);
		this.#buffer.writeUInt32BE(value, at);
		return this;
	}

	u64(value: number): this {
		return this.u32(Math.floor(value / 0x1_0000_0000)).u32(value % 0x1_0000_0000);
	}

	bytes(value: Uint8Array): this {
		const at = this.#room(value.length);
		this.#buffer.set(value, at);
		return this;
	}

	zeros(count: number): this {
		const at = this.#room(count);
		this.#buffer.fill(0, at, at + count);
		return this;
	}

	/** What was written so far, as a view that the next write may invalidate. */
	view(): Buffer {
		return this.#buffer.subarray(0, this.#length);
	}

	/** What was written so far, as a copy. */
	finish(): Buffer {
		return Buffer.from(this.view());
	}
}
