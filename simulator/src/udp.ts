/** A UDP socket from which datagrams are taken one by one, with a deadline. */
import { createSocket, type Socket, type SocketOptions } from "node:dgram";

export interface Datagram {
	readonly bytes: Buffer;
	readonly address: string;
	readonly port: number;
}

export interface UdpOptions {
	readonly address: string;
	/** 0 for any. */
	readonly port: number;
	readonly broadcast?: boolean;
	/** Time to live of what is sent. */
	readonly ttl?: number;
	readonly signal?: AbortSignal | undefined;
}

/** The clock of all deadlines, in milliseconds. */
export const now = (): number => performance.now();

/** All our destinations are addresses already. Looking them up would make each send wait for a turn of the event loop. */
const addressesOnly: NonNullable<SocketOptions["lookup"]> = (hostname, _options, callback) =>
	callback(null, hostname, 4);

export class UdpPort {
	readonly #socket: Socket;
	readonly #arrived: Datagram[] = [];
	readonly #signal: AbortSignal | undefined;
	/** Told of what the system brings. */
	onDatagram: ((datagram: Datagram) => void) | undefined;
	#failure: unknown;
	/** Datagrams that the system has not taken yet. */
	#unsent = 0;
	#onSent: (() => void) | undefined;
	#wake: (() => void) | undefined;

	private constructor(socket: Socket, signal: AbortSignal | undefined) {
		this.#socket = socket;
		this.#signal = signal;
		socket.on("message", (bytes, { address, port }) => {
			const datagram = { bytes, address, port };
			this.hear(datagram);
			this.onDatagram?.(datagram);
		});
		socket.on("error", (error) => this.#fail(error));
		signal?.addEventListener("abort", this.#abort, { once: true });
	}

	/** Binds the socket. Rejects with the system's error: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
	static async open(options: UdpOptions): Promise<UdpPort> {
		options.signal?.throwIfAborted();
		const socket = createSocket({ type: "udp4", lookup: addressesOnly });
		await new Promise<void>((resolve, reject) => {
			socket.once("error", reject);
			socket.bind({ address: options.address, port: options.port, exclusive: true }, () => {
				socket.off("error", reject);
				resolve();
			});
		});
		if (options.broadcast) socket.setBroadcast(true);
		if (options.ttl !== undefined) socket.setTTL(options.ttl);
		return new UdpPort(socket, options.signal);
	}

	get port(): number {
		return this.#socket.address().port;
	}

	/** Sends without waiting: what the system refuses comes out of the next `receive`. */
	send(bytes: Buffer, port: number, address: string): void {
		this.#unsent++;
		this.#socket.send(bytes, port, address, (error) => {
			if (error) this.#fail(error);
			if (--this.#unsent === 0) this.#onSent?.();
		});
	}

	/**
	 * The next datagram, or undefined when none has come by the deadline.
	 * @param deadline in the time of `now()`.
	 */
	async receive(deadline: number): Promise<Datagram | undefined> {
		for (;;) {
			if (this.#failure !== undefined) throw this.#failure;
			const next = this.#arrived.shift();
			if (next !== undefined) return next;
			const left = deadline - now();
			if (left <= 0) return undefined;
			await this.#wait(left);
		}
	}

	/** Takes a datagram that came another way, or lets it come a second time. */
	hear(datagram: Datagram): void {
		this.#arrived.push(datagram);
		this.#wake?.();
	}

	#wait(milliseconds: number): Promise<void> {
		return new Promise((resolve) => {
			const done = () => {
				clearTimeout(timer);
				this.#wake = undefined;
				resolve();
			};
			const timer = setTimeout(done, milliseconds);
			this.#wake = done;
		});
	}

	readonly #abort = (): void => this.#fail(this.#signal?.reason);

	#fail(error: unknown): void {
		this.#failure ??= error;
		this.#wake?.();
	}

	/** Closes the socket once all is on its way: the last packet of a transfer matters as much as the first. */
	async close(): Promise<void> {
		this.#signal?.removeEventListener("abort", this.#abort);
		if (this.#unsent > 0) await new Promise<void>((resolve) => (this.#onSent = resolve));
		this.#socket.close();
	}
}
