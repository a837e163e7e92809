/** One connection: bytes in, bytes out. It knows no socket; `net` gives it one as a `StreamTransport`. */
import { BlockFault } from "../../base/index.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { RpcCaller } from "./message.ts";
import { RecordReader } from "./record.ts";
import { ReplyWriter, type SendBuffer } from "./reply-writer.ts";
import type { RpcFinish, RpcService } from "./service.ts";

/** Calls of one connection that wait for a disk at the same time; beyond that we stop reading. */
const maxInFlight = 64;

/** Bytes of calls that wait for a disk, and are kept to be run again; mostly the data of WRITEs. */
const maxKeptBytes = 8 << 20;

/** Bytes that a client has not taken yet; beyond that we stop answering. */
const maxOutput = 4 << 20;

/** What the stream does to its socket. */
export interface StreamTransport {
	/** Takes over a buffer; releases it to the pool when it was sent. Buffers arrive in bursts that end with `flush`. */
	readonly send: SendBuffer;
	/** Whatever was given to `send` shall leave now. */
	flush(): void;
	/** Bytes that were given to `send` and not taken by the system yet. */
	outputBytes(): number;
	/** All connections together hold so much that each shall see its replies gone before it makes more. */
	crowded(): boolean;
	pause(): void;
	resume(): void;
	/** Ends the connection: the client does not speak our protocol (a `MalformedError`), or something of ours failed. */
	abort(cause: unknown): void;
}

export class RpcStream {
	readonly #service: RpcService;
	readonly #caller: RpcCaller;
	readonly #transport: StreamTransport;
	readonly #records: RecordReader;
	readonly #out: ReplyWriter;
	#inFlight = 0;
	#keptBytes = 0;
	#paused = false;
	#closed = false;

	constructor(service: RpcService, caller: RpcCaller, transport: StreamTransport, pool: BufferPool) {
		this.#service = service;
		this.#caller = caller;
		this.#transport = transport;
		this.#records = new RecordReader(pool);
		this.#out = new ReplyWriter(pool, transport.send);
	}

	/** A call has begun to come in and is not complete, and it is not we who stopped reading. */
	get awaitingInput(): boolean {
		return this.#records.partial && !this.#paused;
	}

	/** Calls that wait for a disk. */
	get inFlight(): number {
		return this.#inFlight;
	}

	/** Takes bytes from the client. Must not be called while the transport is paused. */
	receive(chunk: Buffer): void {
		if (this.#closed) return;
		try {
			this.#records.push(chunk);
		} catch (error) {
			this.#abort(error);
			return;
		}
		this.#pump();
	}

	/** The client has taken bytes: goes on with calls that were put off. */
	drained(): void {
		if (this.#paused && !this.#closed) this.#pump();
	}

	/** The connection has ended; calls that are under way run to their end and are not answered. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#records.close();
		this.#out.rollback();
		this.#out.flush();
		this.#service.disconnected(this.#caller);
	}

	#mustWait(): boolean {
		if (this.#inFlight >= maxInFlight || this.#keptBytes > maxKeptBytes) return true;
		const output = this.#transport.outputBytes() + this.#out.waiting;
		return output > maxOutput || (output > 0 && this.#transport.crowded());
	}

	#pump(): void {
		let more = true;
		try {
			while (!this.#mustWait()) {
				more = this.#records.next();
				if (!more) break;
				this.#execute(this.#records.bytes, this.#records.start, this.#records.end);
			}
		} catch (error) {
			this.#abort(error);
			return;
		}
		this.#flush();
		this.#setPaused(more);
	}

	/** Replies that were complete still leave. The client connects anew and sends again what was not answered. */
	#abort(cause: unknown): void {
		this.#out.rollback();
		this.#flush();
		this.#transport.abort(cause);
	}

	#setPaused(paused: boolean): void {
		if (paused === this.#paused) return;
		this.#paused = paused;
		if (paused) this.#transport.pause();
		else this.#transport.resume();
	}

	#flush(): void {
		this.#out.flush();
		this.#transport.flush();
	}

	#execute(bytes: Buffer, start: number, end: number): void {
		try {
			this.#out.begin();
			const later = this.#service.dispatch(bytes, start, end, this.#caller, 0, this.#out);
			if (later === undefined) this.#out.commit();
			else this.#wait(later, 0, (finish) => this.#finish(finish));
		} catch (error) {
			if (!(error instanceof BlockFault)) throw error;
			this.#records.keep();
			this.#wait(error.ready, end - start, () => this.#again(bytes, start, end, 1));
		}
	}

	/** Puts a call off until `ready`, then lets `action` write its reply; other calls go on meanwhile. */
	#wait<T>(ready: Promise<T>, kept: number, action: (value: T) => void): void {
		this.#out.rollback();
		this.#inFlight++;
		this.#keptBytes += kept;
		const resume = (value: T): void => {
			this.#inFlight--;
			this.#keptBytes -= kept;
			if (this.#closed) return;
			action(value);
			if (this.#paused) this.#pump();
			else this.#flush();
		};
		ready.then(resume).catch((error: unknown) => {
			if (!this.#closed) this.#abort(error);
		});
	}

	#again(bytes: Buffer, start: number, end: number, attempt: number): void {
		try {
			this.#out.begin();
			const later = this.#service.dispatch(bytes, start, end, this.#caller, attempt, this.#out);
			if (later === undefined) this.#out.commit();
			else this.#wait(later, 0, (finish) => this.#finish(finish));
		} catch (error) {
			if (!(error instanceof BlockFault)) throw error;
			this.#wait(error.ready, end - start, () => this.#again(bytes, start, end, attempt + 1));
		}
	}

	#finish(finish: RpcFinish): void {
		try {
			this.#out.begin();
			finish(this.#out);
			this.#out.commit();
		} catch (error) {
			if (!(error instanceof BlockFault)) throw error;
			this.#wait(error.ready, 0, () => this.#finish(finish));
		}
	}
}
