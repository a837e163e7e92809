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

export interface RpcConnectionContext {
	readonly pool: BufferPool;
	readonly logger: Logger;
	readonly clock: Clock;
	/** What all connections of the server hold together. */
	readonly output: { bytes: number };
	/** Says what the client does wrong, but not again and again. */
	readonly complain: (sentence: string) => void;
}

/** Bytes that all connections may hold together; beyond that each goes on with one reply at a time. */
const maxOutputOfAll = 16 << 20;

/** A call that began must be complete, and a reply taken, within this time: such a client is broken or means harm. */
const patience = 120_000;

interface Sending {
	readonly buffer: PooledBuffer;
	readonly length: number;
}

/**
 * Nothing is closed for being idle: a Pi with its root here may be silent for hours. One that is gone shows when TCP's
 * keepalive gets no answer.
 */
export class RpcConnection implements StreamTransport {
	readonly caller: RpcCaller;
	readonly #socket: Socket;
	readonly #stream: RpcStream;
	readonly #context: RpcConnectionContext;
	/** Given to us since the last flush. */
	#collected: Sending[] = [];
	/** Given to the socket; it calls back in the same order. */
	readonly #sending: Sending[] = [];
	#sendingBytes = 0;
	#lastProgress: number;
	readonly #written = (error?: Error | null): void => this.#sent(error);

	constructor(service: RpcService, caller: RpcCaller, socket: Socket, context: RpcConnectionContext) {
		this.caller = caller;
		this.#socket = socket;
		this.#context = context;
		this.#lastProgress = context.clock.monotonic();
		this.#stream = new RpcStream(service, caller, this, context.pool);
		socket.on("data", (chunk: Buffer) => {
			this.#lastProgress = context.clock.monotonic();
			this.#stream.receive(chunk);
		});
		socket.on("error", (error) => context.logger.debug(`connection of ${caller.address}: ${error.message}`));
		socket.once("close", () => this.#stream.close());
	}

	readonly send = (buffer: PooledBuffer, length: number): void => {
		this.#collected.push({ buffer, length });
		this.#holdMore(length);
	};

	#holdMore(bytes: number): void {
		this.#sendingBytes += bytes;
		this.#context.output.bytes += bytes;
	}

	flush(): void {
		const burst = this.#collected;
		if (burst.length === 0) return;
		this.#collected = [];
		if (burst.length > 1) this.#socket.cork();
		for (const sending of burst) {
			this.#sending.push(sending);
			this.#socket.write(sending.buffer.bytes.subarray(0, sending.length), this.#written);
		}
		if (burst.length > 1) this.#socket.uncork();
	}

	#sent(error: Error | null | undefined): void {
		const sending = this.#sending.shift();
		if (sending === undefined) return;
		this.#holdMore(-sending.length);
		this.#lastProgress = this.#context.clock.monotonic();
		// After a failure the system may still read from the buffer: it is left to the garbage collector.
		if (error) return;
		this.#context.pool.release(sending.buffer);
		this.#stream.drained();
	}

	outputBytes(): number {
		return this.#sendingBytes;
	}

	crowded(): boolean {
		return this.#context.output.bytes > maxOutputOfAll;
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
		if (this.#sendingBytes > 0) this.#giveUp("it does not take its replies");
		else if (this.#stream.awaitingInput) this.#giveUp("it began a call and did not end it");
	}

	destroy(): void {
		this.#socket.destroy();
	}
}
