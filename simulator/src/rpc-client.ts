/** RPC calls over a TCP connection, or over UDP. */
import type { Socket } from "node:net";
import { BootError, errorText } from "./errors.ts";
import {
	type Credential,
	decodeReply,
	encodeCall,
	encodeRecord,
	type Procedure,
	RecordReader,
	replyXid,
} from "./rpc.ts";
import { now, type UdpPort } from "./udp.ts";
import type { XdrReader } from "./xdr.ts";

/** Something that carries a call to a server and its results back. */
export interface Caller {
	call(to: Procedure, args: Buffer, credential?: Credential): Promise<XdrReader>;
	close(): Promise<void>;
}

interface Waiting {
	readonly resolve: (message: Buffer) => void;
	readonly reject: (error: unknown) => void;
}

function newXid(): number {
	return Math.floor(Math.random() * 0x1_0000_0000);
}

export class TcpCaller implements Caller {
	readonly #socket: Socket;
	readonly #timeout: number;
	readonly #records = new RecordReader();
	readonly #waiting = new Map<number, Waiting>();
	#xid = newXid();
	#failure: unknown;

	/** @param timeout milliseconds for a call. */
	constructor(socket: Socket, timeout: number, signal: AbortSignal | undefined) {
		this.#socket = socket;
		this.#timeout = timeout;
		socket.setNoDelay(true);
		socket.on("data", (chunk: Buffer) => this.#received(chunk));
		socket.on("error", (error) => this.#fail(error));
		socket.on("close", () => this.#fail(new BootError("the server closes the connection")));
		const abort = () => this.#fail(signal?.reason);
		signal?.addEventListener("abort", abort, { once: true });
		socket.once("close", () => signal?.removeEventListener("abort", abort));
	}

	async call(to: Procedure, args: Buffer, credential?: Credential): Promise<XdrReader> {
		if (this.#failure !== undefined) throw this.#failure;
		const xid = this.#xid;
		this.#xid = (xid + 1) >>> 0;
		const answer = this.#answer(xid, to);
		this.#socket.write(encodeRecord(encodeCall(xid, to, credential, args)));
		return decodeReply(await answer);
	}

	#answer(xid: number, to: Procedure): Promise<Buffer> {
		return new Promise((resolve, reject) => {
			const late = () =>
				this.#waiting.get(xid)?.reject(new BootError(`${to.name}: no answer within ${this.#timeout / 1000} s`));
			const timer = setTimeout(late, this.#timeout);
			const settle =
				<T>(action: (value: T) => void) =>
				(value: T) => {
					clearTimeout(timer);
					this.#waiting.delete(xid);
					action(value);
				};
			this.#waiting.set(xid, { resolve: settle(resolve), reject: settle(reject) });
		});
	}

	#received(chunk: Buffer): void {
		try {
			for (const record of this.#records.push(chunk)) {
				const waiting = this.#waiting.get(replyXid(record));
				if (waiting === undefined) throw new BootError("the server answers a call that nobody made");
				waiting.resolve(record);
			}
		} catch (error) {
			this.#fail(error);
		}
	}

	#fail(error: unknown): void {
		this.#failure ??= error;
		for (const { reject } of [...this.#waiting.values()]) reject(this.#failure);
		this.#socket.destroy();
	}

	async close(): Promise<void> {
		if (this.#socket.destroyed) return;
		await new Promise<void>((resolve) => {
			this.#socket.once("close", () => resolve());
			this.#socket.end(() => this.#socket.destroy());
		});
	}
}

export interface UdpCallerOptions {
	readonly socket: UdpPort;
	readonly server: string;
	readonly port: number;
	/** Milliseconds until a call is sent again. */
	readonly retry: number;
	/** Milliseconds for a call. */
	readonly timeout: number;
}

export class UdpCaller implements Caller {
	readonly #options: UdpCallerOptions;

	constructor(options: UdpCallerOptions) {
		this.#options = options;
	}

	async call(to: Procedure, args: Buffer, credential?: Credential): Promise<XdrReader> {
		const { socket, server, port, retry, timeout } = this.#options;
		const xid = newXid();
		const message = encodeCall(xid, to, credential, args);
		const end = now() + timeout;
		while (now() < end) {
			socket.send(message, port, server);
			const reply = await this.#reply(xid, Math.min(now() + retry, end));
			if (reply !== undefined) return decodeReply(reply);
		}
		throw new BootError(`${to.name}: no answer from ${server}:${port} over UDP within ${timeout / 1000} s`);
	}

	async #reply(xid: number, deadline: number): Promise<Buffer | undefined> {
		for (;;) {
			const datagram = await this.#options.socket.receive(deadline);
			if (datagram === undefined) return undefined;
			const { bytes, address, port } = datagram;
			const isOurs = address === this.#options.server && port === this.#options.port;
			if (isOurs && bytes.length >= 4 && replyXid(bytes) === xid) return bytes;
		}
	}

	close(): Promise<void> {
		return this.#options.socket.close();
	}
}

/** Makes the error of a call say which call it was. */
export function failed(what: string, error: unknown): BootError {
	return new BootError(`${what}: ${errorText(error)}`, { cause: error });
}
