/** Opening sockets where the first port that was wanted may be taken. */
import { connect, type Socket } from "node:net";
import { BootError, systemCode } from "./errors.ts";
import { UdpPort } from "./udp.ts";

const MAX_TRIES = 64;

/** Opens a UDP socket on the first free port from `port` on, as a client does that counts its ports up. */
export async function openUdpFrom(
	port: number,
	options: { address: string; ttl: number; signal: AbortSignal | undefined },
): Promise<UdpPort> {
	for (let candidate = port; candidate < port + MAX_TRIES && candidate < 65536; candidate++) {
		try {
			return await UdpPort.open({ ...options, port: candidate });
		} catch (error) {
			if (systemCode(error) !== "EADDRINUSE") throw error;
		}
	}
	return UdpPort.open({ ...options, port: 0 });
}

export interface TcpOptions {
	readonly server: string;
	readonly port: number;
	/** Our own address. */
	readonly address: string;
	/** Ports to try, in this order; 0 for any. */
	readonly localPorts: Iterable<number>;
	/** Milliseconds to wait for the connection. */
	readonly timeout: number;
	readonly signal: AbortSignal | undefined;
}

/** Connects from the first of our ports that is free. */
export async function connectTcp(options: TcpOptions): Promise<Socket> {
	for (const localPort of options.localPorts) {
		try {
			return await connectFrom(localPort, options);
		} catch (error) {
			const code = systemCode(error);
			if (code !== "EADDRINUSE" && code !== "EADDRNOTAVAIL") throw error;
		}
	}
	throw new BootError(`no free port to connect to ${options.server}:${options.port} from`);
}

function connectFrom(localPort: number, options: TcpOptions): Promise<Socket> {
	const { server, port, address, timeout, signal } = options;
	signal?.throwIfAborted();
	return new Promise((resolve, reject) => {
		const socket = connect({ host: server, port, localAddress: address, ...(localPort === 0 ? {} : { localPort }) });
		const settle = (action: () => void) => {
			clearTimeout(timer);
			signal?.removeEventListener("abort", abort);
			socket.off("error", fail);
			action();
		};
		const fail = (error: unknown) => {
			settle(() => reject(error));
			socket.destroy();
		};
		const abort = () => fail(signal?.reason);
		const late = () => fail(new BootError(`${server}:${port} does not accept a connection within ${timeout / 1000} s`));
		const timer = setTimeout(late, timeout);
		signal?.addEventListener("abort", abort, { once: true });
		socket.once("error", fail);
		socket.once("connect", () => settle(() => resolve(socket)));
	});
}
