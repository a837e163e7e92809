/**
 * A virtual Pi on the server's own machine, without root. There is neither broadcast nor port 68: the DISCOVER goes to
 * the server, which answers to where it came from. Each Pi asks from an address of its own in 127/8.
 */
import type { Socket } from "node:net";
import { systemCode } from "./errors.ts";
import { type DhcpPort, NETCONSOLE_PORTS, type Network, type ServerPorts } from "./network.ts";
import type { Segment } from "./segment.ts";
import { connectTcp, openUdpFrom } from "./sockets.ts";
import { UdpPort } from "./udp.ts";

const CONNECT_TIMEOUT = 10_000;

export interface LoopbackOptions {
	/** Address of the server: one of this machine's own. */
	readonly server: string;
	readonly ports: ServerPorts;
	/** The Pi's own, of 127/8. */
	readonly address: string;
	/** Who else hears what a DHCP server answers. Nobody when left out. */
	readonly segment?: Segment | undefined;
	readonly signal?: AbortSignal | undefined;
}

export class LoopbackNetwork implements Network {
	readonly needsLease = false;
	readonly ports: ServerPorts;
	readonly address: string;
	readonly #server: string;
	/** Whether the address is shared with other Pis, whose ports would be in the way. */
	readonly #shared: boolean;
	readonly #segment: Segment | undefined;
	readonly #signal: AbortSignal | undefined;

	private constructor(options: LoopbackOptions, address: string, shared: boolean) {
		this.ports = options.ports;
		this.#server = options.server;
		this.address = address;
		this.#shared = shared;
		this.#segment = options.segment;
		this.#signal = options.signal;
	}

	/** Linux has all of 127/8; a system that has only 127.0.0.1 makes the Pis share it. */
	static async open(options: LoopbackOptions): Promise<LoopbackNetwork> {
		try {
			await (await UdpPort.open({ address: options.address, port: 0 })).close();
			return new LoopbackNetwork(options, options.address, false);
		} catch (error) {
			if (systemCode(error) !== "EADDRNOTAVAIL") throw error;
			return new LoopbackNetwork(options, "127.0.0.1", true);
		}
	}

	async openDhcp(ttl: number): Promise<DhcpPort> {
		const socket = await UdpPort.open({ address: this.address, port: 0, ttl, signal: this.#signal });
		const unplug = this.#segment?.plug(socket);
		const close = () => {
			unplug?.();
			return socket.close();
		};
		return { socket, address: this.#server, port: this.ports.dhcp, close };
	}

	/** The address stays what it is. */
	async configure(): Promise<void> {}

	/** Nobody asks on loopback. */
	async answerArp(): Promise<void> {}

	async openNetconsole(): Promise<DhcpPort> {
		const socket = await UdpPort.open({ address: this.address, port: 0, signal: this.#signal });
		return { socket, address: this.#server, port: NETCONSOLE_PORTS.to, close: () => socket.close() };
	}

	udp(port: number, ttl: number): Promise<UdpPort> {
		const options = { address: this.address, ttl, signal: this.#signal };
		return this.#shared ? UdpPort.open({ ...options, port: 0 }) : openUdpFrom(port, options);
	}

	tcp(server: string, port: number): Promise<Socket> {
		const { address } = this;
		return connectTcp({
			server,
			port,
			address,
			localPorts: [0],
			timeout: CONNECT_TIMEOUT,
			signal: this.#signal,
		});
	}

	async close(): Promise<void> {}
}
