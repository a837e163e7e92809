/** XDR (RFC 4506): big-endian words of four bytes. */
import { ProtocolError } from "./errors.ts";

export class XdrWriter {
	readonly #parts: Buffer[] = [];

	uint32(value: number): this {
		const bytes = Buffer.alloc(4);
		bytes.writeUInt32BE(value);
		this.#parts.push(bytes);
		return this;
	}

	uint64(value: bigint): this {
		const bytes = Buffer.alloc(8);
		bytes.writeBigUInt64BE(value);
		this.#parts.push(bytes);
		return this;
	}

	/** Bytes whose length both sides know. */
	fixed(bytes: Buffer): this {
		this.#parts.push(bytes, Buffer.alloc(padding(bytes.length)));
		return this;
	}

	/** `opaque<>` */
	opaque(bytes: Buffer): this {
		return this.uint32(bytes.length).fixed(bytes);
	}

	string(text: string): this {
		return this.opaque(Buffer.from(text));
	}

	bytes(): Buffer {
		return Buffer.concat(this.#parts);
	}
}

export class XdrReader {
	readonly #bytes: Buffer;
	#at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	get remaining(): number {
		return this.#bytes.length - this.#at;
	}

	uint32(): number {
		return this.#take(4).readUInt32BE();
	}

	uint64(): bigint {
		return this.#take(8).readBigUInt64BE();
	}

	/** A uint64 that must be a safe integer: sizes and offsets of files. */
	size(): number {
		const value = this.uint64();
		if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtocolError(`XDR: ${value} is too big for a size`);
		return Number(value);
	}

	bool(): boolean {
		const value = this.uint32();
		if (value > 1) throw new ProtocolError(`XDR: ${value} is not a bool`);
		return value === 1;
	}

	fixed(length: number): Buffer {
		const bytes = this.#take(length);
		const pad = this.#take(padding(length));
		if (pad.some((byte) => byte !== 0)) throw new ProtocolError("XDR: the padding is not zero");
		return bytes;
	}

	/** `opaque<max>` */
	opaque(max: number): Buffer {
		const length = this.uint32();
		if (length > max) throw new ProtocolError(`XDR: ${length} bytes, at most ${max} are allowed`);
		return this.fixed(length);
	}

	string(max: number): string {
		return this.opaque(max).toString();
	}

	/** Nothing may be left over. */
	end(): void {
		if (this.remaining !== 0) throw new ProtocolError(`XDR: ${this.remaining} bytes too many`);
	}

	#take(length: number): Buffer {
		if (length > this.remaining) {
			throw new ProtocolError(`XDR: cut off at byte ${this.#at}, ${length} wanted, ${this.remaining} left`);
		}
		const bytes = this.#bytes.subarray(this.#at, this.#at + length);
		this.#at += length;
		return bytes;
	}
}

function padding(length: number): number {
	return (4 - (length % 4)) % 4;
}
