/** One TCP connection of an RPC client: ties an `RpcStream` to its socket. */
import type { Socket } from "node:net";
import { type Clock, errorText, type Logger, MalformedError } from "../base/index.ts";
import {
	type BufferPool,
	type PooledBuffer,
	type RpcCaller,
	type RpcService,
	RpcStream,
	type StreamTransport,
} from "../wire/rpc/index.ts";
import type { Guest } from "./admission.ts";
import type { MemoryHolder, SharedMemory } from "./shared-memory.ts";
import type { StrangerQueue } from "./stranger-queue.ts";

export interface RpcConnectionContext {
	readonly pool: BufferPool;
	readonly logger: Logger;
	readonly clock: Clock;
	/** What all connections of the server hold together: replies that were not taken yet, and long calls that come in. */
	readonly output: SharedMemory;
	readonly input: SharedMemory;
	/** Where those wait for their next turn that use no root. */
	readonly strangers: StrangerQueue;
	/** Says what the client does wrong, but not again and again. */
	readonly complain: (sentence: string) => void;
}

/** Bytes of replies that all connections may hold together; beyond that each goes on with one reply at a time. */
const maxOutputOfAll = 16 << 20;

/** Calls that a connection may make before the others have their turn. */
const callsInTurn = 64;

/** A client that mounts makes two or three calls before it uses a root. */
const callsOfStranger = 16;

/** A call that began must be complete, and a reply taken, within this time: such a client is broken or means harm. */
const patience = 120_000;

const UNTAKEN = "it does not take its replies";
const UNFINISHED = "it began a call and did not end it";

/** What one side of a connection holds of the memory of all. */
class Share implements MemoryHolder {
	readonly #memory: SharedMemory;
	readonly address: string;
	readonly roomAgain: () => void;
	readonly giveUp: () => void;

	constructor(memory: SharedMemory, address: string, roomAgain: () => void, giveUp: () => void) {
		this.#memory = memory;
		this.address = address;
		this.roomAgain = roomAgain;
		this.giveUp = giveUp;
	}

	set(bytes: number): void {
		this.#memory.set(this, bytes);
	}

	hasRoom(): boolean {
		return this.#memory.hasRoom(this);
	}

	reserve(bytes: number): boolean {
		return this.#memory.reserve(this, bytes);
	}

	forget(): void {
		this.#memory.forget(this);
	}
}

/**
 * Nothing is closed for being idle: a Pi with its root here may be silent for hours. One that is gone shows when TCP's
 * keepalive gets no answer.
 */
export class RpcConnection implements StreamTransport, Guest {
	readonly caller: RpcCaller;
	readonly #socket: Socket;
	readonly #stream: RpcStream;
	readonly #context: RpcConnectionContext;
	readonly #service: RpcService;
	/** Given to us since the last flush. */
	#collected: { readonly buffer: PooledBuffer; readonly length: number }[] = [];
	/** Given to the socket; it calls back in the same order. */
	readonly #sending: PooledBuffer[] = [];
	#sendingBytes = 0;
	/** Calls that it may make before the others have their turn. */
	#calls = callsOfStranger;
	#waitsForTurn = false;
	#isClosed = false;
	readonly #output: Share;
	readonly #input: Share;
	#lastProgress: number;
	readonly #written = (error?: Error | null): void => this.#sent(error);

	constructor(service: RpcService, caller: RpcCaller, socket: Socket, context: RpcConnectionContext) {
		this.caller = caller;
		this.#socket = socket;
		this.#context = context;
		this.#lastProgress = context.clock.monotonic();
		// For a client that is gone no reply is made, also before the socket has said so.
		const again = () => {
			if (!socket.destroyed) this.#stream.drained();
		};
		this.#output = new Share(context.output, caller.address, again, () => this.#giveUp(UNTAKEN));
		this.#input = new Share(context.input, caller.address, again, () => this.#giveUp(UNFINISHED));
		this.#service = service;
		this.#stream = new RpcStream(service, caller, this, context.pool);
		socket.on("data", (chunk: Buffer) => {
			// A socket that was destroyed cannot be paused, and goes on to give what it had.
			if (socket.destroyed) return;
			this.#lastProgress = context.clock.monotonic();
			this.#stream.receive(chunk);
		});
		socket.on("error", (error) => context.logger.debug(`connection of ${caller.address}: ${error.message}`));
		socket.once("close", () => this.#closed());
	}

	#closed(): void {
		this.#isClosed = true;
		this.#stream.close();
		this.#output.forget();
		this.#input.forget();
	}

	get address(): string {
		return this.caller.address;
	}

	/** One that uses a root goes after all those that only came to see who is here. */
	get isWanted(): boolean {
		return this.#service.isAtHome(this.caller);
	}

	evict(): void {
		this.#context.logger.debug(`closed a connection of ${this.address}: others need its place`);
		this.#socket.destroy();
	}

	readonly send = (buffer: PooledBuffer, length: number): void => {
		this.#collected.push({ buffer, length });
		this.#holdMore(buffer.bytes.length);
	};

	/** It is the memory that counts, not what is in it: a buffer may hold a reply of 28 bytes. */
	#holdMore(bytes: number): void {
		this.#sendingBytes += bytes;
		if (!this.#isClosed) this.#output.set(this.#sendingBytes);
	}

	flush(): void {
		const burst = this.#collected;
		if (burst.length === 0) return;
		this.#collected = [];
		if (burst.length > 1) this.#socket.cork();
		for (const { buffer, length } of burst) {
			this.#sending.push(buffer);
			this.#socket.write(buffer.bytes.subarray(0, length), this.#written);
		}
		if (burst.length > 1) this.#socket.uncork();
	}

	#sent(error: Error | null | undefined): void {
		const buffer = this.#sending.shift();
		if (buffer === undefined) return;
		this.#holdMore(-buffer.bytes.length);
		this.#lastProgress = this.#context.clock.monotonic();
		// After a failure the system may still read from the buffer: it is left to the garbage collector.
		if (error) return;
		this.#context.pool.release(buffer);
		this.#stream.drained();
	}

	outputBytes(): number {
		return this.#sendingBytes;
	}

	crowded(): boolean {
		return this.#context.output.total > maxOutputOfAll;
	}

	hasRoom(): boolean {
		return this.#output.hasRoom();
	}

	reserve(bytes: number): boolean {
		return this.#input.reserve(bytes);
	}

	hasTurn(): boolean {
		if (this.#calls > 0) {
			this.#calls--;
			return true;
		}
		if (!this.#waitsForTurn) {
			this.#waitsForTurn = true;
			if (this.isWanted) setImmediate(() => this.#nextTurn(callsInTurn));
			else this.#context.strangers.wait(() => this.#nextTurn(callsOfStranger));
		}
		return false;
	}

	#nextTurn(calls: number): void {
		this.#waitsForTurn = false;
		this.#calls = calls;
		this.#stream.drained();
	}

	pause(): void {
		this.#socket.pause();
	}

	resume(): void {
		this.#socket.resume();
	}

	abort(cause: unknown): void {
		if (cause instanceof MalformedError) this.#giveUp(cause.message);
		else this.#failed(cause);
	}

	#giveUp(reason: string): void {
		this.#context.complain(`closed the connection of ${this.caller.address}:${this.caller.port}: ${reason}`);
		this.#socket.destroy();
	}

	/** A fault of ours; with the connection goes what it left half done. */
	#failed(error: unknown): void {
		const { address, port } = this.caller;
		this.#context.logger.error({ err: error }, `closed the connection of ${address}:${port}: ${errorText(error)}`);
		this.#socket.destroy();
	}

	/** Ends a connection that stands still in the middle of a call or of a reply. */
	checkProgress(): void {
		if (this.#context.clock.monotonic() - this.#lastProgress < patience) return;
		if (this.#sendingBytes > 0) this.#giveUp(UNTAKEN);
		else if (this.#stream.awaitingInput) this.#giveUp(UNFINISHED);
	}

	destroy(): void {
		this.#socket.destroy();
	}
}
