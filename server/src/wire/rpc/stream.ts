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

/** A call up to here may come in at any time; a longer one needs a place in the memory that all connections share. */
const freeRecordBytes = 16 << 10;

/** What the stream does to its socket. */
export interface StreamTransport {
	/** Takes over a buffer; releases it to the pool when it was sent. Buffers arrive in bursts that end with `flush`. */
	readonly send: SendBuffer;
	/** Whatever was given to `send` shall leave now. */
	flush(): void;
	/** Memory that was given to `send` and not taken by the system yet. */
	outputBytes(): number;
	/** All connections together hold so much that each shall see its replies gone before it makes more. */
	crowded(): boolean;
	/** Whether another reply may be made at all. If not, `drained` of the stream is called when that has changed. */
	hasRoom(): boolean;
	/**
	 * Asks for memory for a long call that is coming in; 0 when it is complete. If it is not to be had, `drained` of the stream
	 * is called when it may be.
	 */
	reserve(bytes: number): boolean;
	/** Whether another call may be run now. If not, `drained` of the stream is called when the others had their turn. */
	hasTurn(): boolean;
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
	/** Calls whose disk has answered, but for whose replies there was no room. */
	readonly #ready: (() => void)[] = [];
	#paused = false;
	#closed = false;
	/** The socket may still hand over what it had read before it was told to end. */
	#aborted = false;

	constructor(service: RpcService, caller: RpcCaller, transport: StreamTransport, pool: BufferPool) {
		this.#service = service;
		this.#caller = caller;
		this.#transport = transport;
		this.#records = new RecordReader(pool, (bytes) => bytes <= freeRecordBytes || transport.reserve(bytes));
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
		if (this.#closed || this.#aborted) return;
		try {
			this.#records.push(chunk);
		} catch (error) {
			this.#abort(error);
			return;
		}
		this.#pump();
	}

	/** The client has taken bytes, or there is room again: goes on with calls that were put off. */
	drained(): void {
		if (!this.#closed && !this.#aborted && (this.#paused || this.#ready.length > 0)) this.#pump();
	}

	/** The connection has ended; calls that are under way run to their end and are not answered. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#ready.length = 0;
		this.#records.close();
		this.#out.rollback();
		this.#out.flush();
		this.#service.disconnected(this.#caller);
	}

	#outputIsFull(): boolean {
		const output = this.#transport.outputBytes() + this.#out.waiting;
		return output > maxOutput || (output > 0 && this.#transport.crowded()) || !this.#transport.hasRoom();
	}

	#mayBegin(): boolean {
		if (this.#inFlight >= maxInFlight || this.#keptBytes > maxKeptBytes || this.#outputIsFull()) return false;
		return this.#transport.hasTurn();
	}

	#pump(): void {
		try {
			this.#finishReady();
			const isIdle = this.#runTurn();
			this.#flush();
			if (this.#records.idle) this.#transport.reserve(0);
			this.#setPaused(!isIdle || this.#records.refused);
		} catch (error) {
			this.#abort(error);
		}
	}

	/** What was begun first is answered first. */
	#finishReady(): void {
		while (this.#ready.length > 0 && !this.#outputIsFull()) this.#ready.shift()?.();
	}

	/** Runs the calls that have come in. @returns whether that were all. */
	#runTurn(): boolean {
		while (this.#mayBegin()) {
			if (!this.#records.next()) return true;
			this.#execute(this.#records.bytes, this.#records.start, this.#records.end);
		}
		return false;
	}

	/** Replies that were complete still leave. The client connects anew and sends again what was not answered. */
	#abort(cause: unknown): void {
		this.#aborted = true;
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
		const run = (value: T): void => {
			this.#inFlight--;
			this.#keptBytes -= kept;
			action(value);
		};
		const resume = (value: T): void => {
			if (this.#closed || this.#aborted) return;
			this.#ready.push(() => run(value));
			this.#pump();
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
