/** Reading XDR (RFC 4506): everything is big endian and fills multiples of four bytes. */
import { MalformedError } from "../../base/index.ts";

/** Bytes from a client that are not the XDR which the procedure expects; the caller is told GARBAGE_ARGS. */
export class XdrError extends MalformedError {
	constructor(message: string) {
		super("xdr", message);
	}
}

const nothing = Buffer.alloc(0);

/**
 * Reads XDR forward from a part of a buffer, never past its end. One reader is used again for many messages (`reset`),
 * so that reading a call makes no garbage. Every method throws an `XdrError` that names the place.
 */
export class XdrReader {
	#bytes: Buffer = nothing;
	#start = 0;
	#offset = 0;
	#end = 0;

	/** @param bytes what to read; none to `reset` later. */
	constructor(bytes: Buffer = nothing) {
		this.reset(bytes, 0, bytes.length);
	}

	/** Begins to read the bytes from `start` to before `end`. */
	reset(bytes: Buffer, start: number, end: number): this {
		this.#bytes = bytes;
		this.#start = start;
		this.#offset = start;
		this.#end = end;
		return this;
	}

	get remaining(): number {
		return this.#end - this.#offset;
	}

	#take(count: number, what: string): number {
		const at = this.#offset;
		if (count > this.#end - at) {
			throw new XdrError(`${what} needs ${count} bytes at offset ${at - this.#start}, got ${this.#end - at}`);
		}
		this.#offset = at + count;
		return at;
	}

	u32(what = "unsigned int"): number {
		return this.#bytes.readUInt32BE(this.#take(4, what));
	}

	/** An unsigned hyper. Exact up to 2^53; what is larger comes out rounded but stays larger than any exact one. */
	u64(what = "unsigned hyper"): number {
		const at = this.#take(8, what);
		return this.#bytes.readUInt32BE(at) * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4);
	}

	bool(what = "bool"): boolean {
		const value = this.u32(what);
		if (value > 1)
			throw new XdrError(`${what} must be 0 or 1, got ${value} at offset ${this.#offset - 4 - this.#start}`);
		return value === 1;
	}

	/** Fixed-length opaque data, as a view on the same memory. */
	fixed(length: number, what = "opaque"): Buffer {
		const at = this.#take(length + (-length & 3), what);
		return this.#bytes.subarray(at, at + length);
	}

	#length(limit: number, what: string): number {
		const length = this.u32(what);
		if (length > limit) throw new XdrError(`${what} may have ${limit} bytes, got ${length}`);
		return length;
	}

	/** Variable-length opaque data of at most `limit` bytes, as a view on the same memory. */
	opaque(limit: number, what = "opaque"): Buffer {
		return this.fixed(this.#length(limit, what), what);
	}

	/** A string of at most `limit` bytes, one character per byte. */
	string(limit: number, what = "string"): string {
		const length = this.#length(limit, what);
		const at = this.#take(length + (-length & 3), what);
		return this.#bytes.toString("latin1", at, at + length);
	}

	/** Passes over variable-length opaque data. */
	skipOpaque(limit: number, what = "opaque"): void {
		const length = this.#length(limit, what);
		this.#take(length + (-length & 3), what);
	}

	/** All that is left, as a view; does not move on. */
	rest(): Buffer {
		return this.#bytes.subarray(this.#offset, this.#end);
	}
}
