/** The sockets of an RPC service: a TCP port with record marking, and the UDP port of the same number. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import {
	type Clock,
	ExternalError,
	errorText,
	type Logger,
	systemClock,
	systemCode,
	type Timer,
} from "../base/index.ts";
import { BufferPool, maxRecordBytes, type RpcCaller, type RpcService } from "../wire/rpc/index.ts";
import { Admission } from "./admission.ts";
import { RpcConnection } from "./rpc-connection.ts";
import { answerDatagram } from "./rpc-datagram.ts";
import { SharedMemory } from "./shared-memory.ts";
import { StrangerQueue } from "./stranger-queue.ts";

export interface RpcServerOptions {
	/** What is answered over TCP; none to have no TCP port. */
	readonly tcp?: RpcService;
	/** What is answered over UDP; none to have no UDP port. */
	readonly udp?: RpcService;
	readonly logger: Logger;
	readonly clock?: Clock;
	/** Connections in all, and of one address that is not loopback; who has to go for the next one: `admission.ts`. */
	readonly maxConnections?: number;
	readonly maxPerAddress?: number;
}

/** A Linux client uses one connection for a root, or up to 16 (`nconnect`). */
const maxConnections = 512;
const maxPerAddress = 32;
const fairShare = 16;

/** Bytes of replies that clients have not taken yet, and of long calls that come in. */
const maxOutput = 40 << 20;
const maxInput = 24 << 20;

/** What an address may hold of each when they run short: a reply, or a call, of the largest READ or WRITE. */
const part = maxRecordBytes;

/** How often connections are looked at that stand still in the middle of something, and memory that nobody needs. */
const sweepInterval = 15_000;

/** Datagrams that wait for a disk at the same time; more are dropped, as datagrams may be. */
const maxDatagrams = 64;

/** Addresses of which the log tells between two sweeps. */
const maxComplained = 64;

export class RpcServer {
	readonly #options: RpcServerOptions;
	readonly #clock: Clock;
	readonly #pool = new BufferPool();
	readonly #output: SharedMemory;
	readonly #input: SharedMemory;
	readonly #strangers: StrangerQueue;
	readonly #connections = new Set<RpcConnection>();
	readonly #admission: Admission<RpcConnection>;
	/** Addresses that gave reason to complain since the last sweep: nobody shall fill the log. */
	readonly #complained = new Set<string>();
	#tcp: Server | undefined;
	#udp: UdpSocket | undefined;
	#sweep: Timer | undefined;
	#datagrams = 0;

	constructor(options: RpcServerOptions) {
		this.#options = options;
		this.#clock = options.clock ?? systemClock;
		this.#output = new SharedMemory({ limit: maxOutput, part, clock: this.#clock });
		this.#input = new SharedMemory({ limit: maxInput, part, clock: this.#clock });
		this.#strangers = new StrangerQueue(this.#clock);
		this.#admission = new Admission({
			places: options.maxConnections ?? maxConnections,
			perAddress: options.maxPerAddress ?? maxPerAddress,
			fairShare,
		});
	}

	/** Connections that are open. */
	get connections(): number {
		return this.#connections.size;
	}

	/**
	 * Opens the sockets.
	 *
	 * @param port 0 takes a free one, the same for TCP and UDP.
	 * @returns the port that is listened on.
	 * @throws ExternalError with the system's code (EADDRINUSE, EACCES, ...); nothing is left open then.
	 */
	async listen(port: number, address: string): Promise<number> {
		for (let attempt = 1; ; attempt++) {
			try {
				return await this.#open(port, address);
			} catch (error) {
				await this.close();
				const code = systemCode(error) ?? "listen";
				// A port that is free for TCP may be taken for UDP: then the system is to choose another.
				if (port === 0 && code === "EADDRINUSE" && attempt < 10) continue;
				throw new ExternalError(code, `cannot listen on ${address}:${port}: ${errorText(error)}`, { cause: error });
			}
		}
	}

	async #open(port: number, address: string): Promise<number> {
		const { tcp, udp } = this.#options;
		let bound = port;
		if (tcp !== undefined) bound = await this.#listenTcp(tcp, bound, address);
		if (udp !== undefined) bound = await this.#listenUdp(udp, bound, address);
		this.#scheduleSweep();
		return bound;
	}

	#listenTcp(service: RpcService, port: number, address: string): Promise<number> {
		const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) =>
			this.#accept(service, socket),
		);
		this.#tcp = server;
		return new Promise((resolve, reject) => {
			server.once("error", reject);
			server.listen(port, address, () => {
				server.off("error", reject);
				server.on("error", (error) => this.#options.logger.error({ err: error }, `RPC over TCP: ${error.message}`));
				const bound = server.address();
				resolve(typeof bound === "object" && bound !== null ? bound.port : port);
			});
		});
	}

	#accept(service: RpcService, socket: Socket): void {
		const caller = callerOf(socket);
		if (caller === undefined) {
			socket.destroy();
			return;
		}
		const connection = new RpcConnection(service, caller, socket, {
			pool: this.#pool,
			logger: this.#options.logger,
			clock: this.#clock,
			output: this.#output,
			input: this.#input,
			strangers: this.#strangers,
			complain: (sentence) => this.#complain(caller.address, sentence),
		});
		socket.once("close", () => this.#forget(connection));
		if (this.#admission.size === (this.#options.maxConnections ?? maxConnections)) {
			this.#complain(
				"everybody",
				`${this.#admission.size} connections are open, the last one from ${caller.address}: no more fit`,
			);
		}
		if (this.#admission.admit(connection)) this.#connections.add(connection);
		else this.#refuse(connection);
	}

	#refuse(connection: RpcConnection): void {
		const { address } = connection;
		this.#complain(address, `refused a connection of ${address}: there are too many already`);
		connection.destroy();
	}

	#forget(connection: RpcConnection): void {
		this.#connections.delete(connection);
		this.#admission.leave(connection);
	}

	#complain(address: string, sentence: string): void {
		const level = this.#complained.has(address) || this.#complained.size >= maxComplained ? "debug" : "warn";
		if (level === "warn") this.#complained.add(address);
		this.#options.logger[level](sentence);
	}

	#listenUdp(service: RpcService, port: number, address: string): Promise<number> {
		const socket = createSocket("udp4");
		this.#udp = socket;
		return new Promise((resolve, reject) => {
			socket.once("error", reject);
			socket.bind(port, address, () => {
				socket.off("error", reject);
				socket.on("error", (error) => this.#options.logger.error({ err: error }, `RPC over UDP: ${error.message}`));
				socket.on("message", (bytes, remote) => {
					this.#datagram(service, socket, bytes, remote).catch((error: unknown) => {
						this.#options.logger.error({ err: error }, `a datagram was not answered: ${errorText(error)}`);
					});
				});
				resolve(socket.address().port);
			});
		});
	}

	async #datagram(service: RpcService, socket: UdpSocket, bytes: Buffer, remote: RemoteInfo): Promise<void> {
		if (this.#datagrams >= maxDatagrams) return;
		this.#datagrams++;
		const caller: RpcCaller = { address: remote.address, port: remote.port, transport: "udp", connection: {} };
		const reply = await answerDatagram(service, bytes, caller).finally(() => this.#datagrams--);
		if (reply === undefined || this.#udp !== socket) return;
		socket.send(reply, remote.port, remote.address, (error) => {
			if (error !== null) this.#options.logger.debug(`no reply to ${remote.address}: ${error.message}`);
		});
	}

	#scheduleSweep(): void {
		this.#sweep = this.#clock.after(sweepInterval, () => {
			for (const connection of this.#connections) connection.checkProgress();
			this.#complained.clear();
			this.#pool.trim();
			this.#scheduleSweep();
		});
	}

	/** Ends all connections and closes the ports; resolves when that is done. */
	async close(): Promise<void> {
		this.#sweep?.cancel();
		this.#output.stop();
		this.#input.stop();
		this.#strangers.stop();
		const [tcp, udp] = [this.#tcp, this.#udp];
		this.#tcp = undefined;
		this.#udp = undefined;
		for (const connection of this.#connections) connection.destroy();
		await Promise.all([closed(tcp), closed(udp)]);
	}
}

/** Closes a socket, which may never have been bound. */
function closed(socket: Server | UdpSocket | undefined): Promise<void> {
	if (socket === undefined) return Promise.resolve();
	return new Promise((resolve) => {
		if ("listening" in socket && !socket.listening) resolve();
		else socket.close(() => resolve());
	});
}

/** The other end, or undefined when it is gone already. */
function callerOf(socket: Socket): RpcCaller | undefined {
	const { remoteAddress, remotePort } = socket;
	if (remoteAddress === undefined || remotePort === undefined) return undefined;
	// A socket on :: gives IPv4 addresses in the mapped form ::ffff:192.0.2.1.
	const address = remoteAddress.startsWith("::ffff:") ? remoteAddress.slice(7) : remoteAddress;
	return { address, port: remotePort, transport: "tcp", connection: socket };
}
