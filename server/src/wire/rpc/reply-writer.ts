/** Puts replies behind one another in pooled buffers, each with its record mark, so that many leave in one write. */
import type { BufferPool, PooledBuffer } from "./buffer-pool.ts";
import { allocateBuffer } from "./buffer-pool.ts";
import { XdrWriter } from "./xdr-writer.ts";

/** RFC 5531 section 11: the top bit of the mark says that this fragment is the record's last. */
const lastFragment = 0x8000_0000;
const none = allocateBuffer(0);

/** Takes the bytes `0..length` of a buffer to the client and releases the buffer to the pool when they are gone. */
export type SendBuffer = (buffer: PooledBuffer, length: number) => void;

/**
 * Use: `begin`, then write the reply, then `commit` or `rollback`; `flush` when there is no more to be done at once.
 * A full buffer is sent with the replies that are complete; the one being written moves to the next buffer.
 */
export class ReplyWriter extends XdrWriter {
	readonly #pool: BufferPool;
	readonly #send: SendBuffer;
	/** Bytes of `memory` that are complete replies. */
	#complete = 0;

	constructor(pool: BufferPool, send: SendBuffer) {
		super(none);
		this.#pool = pool;
		this.#send = send;
	}

	protected override grow(count: number): void {
		const partial = this.end - this.#complete;
		const next = this.#pool.take(partial + count);
		this.memory.bytes.copy(next.bytes, 0, this.#complete, this.end);
		const full = this.memory;
		const complete = this.#complete;
		this.memory = next;
		this.base -= complete;
		this.end = partial;
		this.#complete = 0;
		this.#dispose(full, complete);
	}

	#dispose(buffer: PooledBuffer, complete: number): void {
		if (complete > 0) this.#send(buffer, complete);
		else if (buffer !== none) this.#pool.release(buffer);
	}

	/** Complete replies that were not sent yet, in bytes. */
	get waiting(): number {
		return this.#complete;
	}

	/** Starts a reply; its record mark is filled in by `commit`. */
	begin(): void {
		this.base = this.#complete;
		this.end = this.base;
		this.u32(0);
		this.base += 4;
	}

	/** Ends the reply. */
	commit(): void {
		this.memory.view.setUint32(this.base - 4, lastFragment | (this.end - this.base));
		this.#complete = this.end;
	}

	/** Forgets the reply. */
	rollback(): void {
		this.end = this.#complete;
		this.base = this.end;
	}

	/** Sends what is complete. */
	flush(): void {
		const buffer = this.memory;
		const complete = this.#complete;
		this.memory = none;
		this.base = 0;
		this.end = 0;
		this.#complete = 0;
		this.#dispose(buffer, complete);
	}
}
