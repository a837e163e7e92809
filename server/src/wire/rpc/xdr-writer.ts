/** Writing XDR (RFC 4506) into memory that was made before. */
import { allocateBuffer, type PooledBuffer } from "./buffer-pool.ts";

/**
 * Appends XDR to a buffer that grows. Positions count from the start of the message that is being written: a writer that
 * puts many replies behind one another (`ReplyWriter`) may move the message while it grows.
 */
export class XdrWriter {
	/** Where bytes go; replaced when it is full. */
	protected memory: PooledBuffer;
	/** Offset of the message's start in `memory`. */
	protected base = 0;
	/** Offset behind the last byte written. */
	protected end = 0;

	/** @param memory where to begin, or how many bytes to allocate. */
	constructor(memory: PooledBuffer | number = 256) {
		this.memory = typeof memory === "number" ? allocateBuffer(memory) : memory;
	}

	/** Makes room for `count` more bytes. */
	protected grow(count: number): void {
		const larger = allocateBuffer(Math.max(this.memory.bytes.length * 2, this.end + count));
		this.memory.bytes.copy(larger.bytes, 0, 0, this.end);
		this.memory = larger;
	}

	/** Bytes of the message so far. */
	get position(): number {
		return this.end - this.base;
	}

	/** Drops what was written behind a position. */
	truncate(position: number): void {
		this.end = this.base + position;
	}

	/** Makes sure that `count` bytes fit, so that views given by `space` stay valid while they are written. */
	reserve(count: number): void {
		if (this.end + count > this.memory.bytes.length) this.grow(count);
	}

	#room(count: number): number {
		if (this.end + count > this.memory.bytes.length) this.grow(count);
		const at = this.end;
		this.end = at + count;
		return at;
	}

	u32(value: number): this {
		const at = this.#room(4);
		this.memory.view.setUint32(at, value);
		return this;
	}

	/** @param value a whole number below 2^53. */
	u64(value: number): this {
		const at = this.#room(8);
		this.memory.view.setUint32(at, value / 0x1_0000_0000);
		this.memory.view.setUint32(at + 4, value);
		return this;
	}

	bool(value: boolean): this {
		return this.u32(value ? 1 : 0);
	}

	/** Replaces a number that was written before. */
	setU32(position: number, value: number): void {
		this.memory.view.setUint32(this.base + position, value);
	}

	/** Bytes as they are, padded. */
	fixed(bytes: Uint8Array): this {
		this.space(bytes.length).set(bytes);
		return this;
	}

	opaque(bytes: Uint8Array): this {
		return this.u32(bytes.length).fixed(bytes);
	}

	/** @param text one character per byte. */
	string(text: string): this {
		const length = text.length;
		this.u32(length);
		const at = this.#room(length + (-length & 3));
		this.memory.bytes.write(text, at, length, "latin1");
		this.memory.bytes.fill(0, at + length, this.end);
		return this;
	}

	/** Appends `length` bytes, padded, and gives the place for the caller to fill. Valid until the next call. */
	space(length: number): Buffer {
		const at = this.#room(length + (-length & 3));
		if ((length & 3) !== 0) this.memory.bytes.fill(0, at + length, this.end);
		return this.memory.bytes.subarray(at, at + length);
	}

	/** What was written from a position on, as a copy. */
	copy(position = 0): Buffer {
		return Buffer.from(this.memory.bytes.subarray(this.base + position, this.end));
	}
}
