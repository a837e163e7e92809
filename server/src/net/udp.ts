/** UDP sockets as promises, with our errors. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { ExternalError, errorText, systemCode } from "../base/index.ts";

export interface UdpBinding {
	readonly address: string;
	/** 0 for any free one. */
	readonly port: number;
	/** Lets other sockets bind the same address and port, ours and those of other programs that allow it too. */
	readonly isShared?: boolean;
	/** Allows sending to 255.255.255.255. */
	readonly mayBroadcast?: boolean;
}

/** The error of a port that we cannot have; its code is the operating system's: `EACCES`, `EADDRINUSE`, `EADDRNOTAVAIL`. */
export function bindError(protocol: "udp" | "tcp", address: string, port: number, error: unknown): ExternalError {
	const code = systemCode(error) ?? "EUNKNOWN";
	return new ExternalError(code, `cannot bind ${protocol} ${address}:${port}: ${errorText(error)}`, { cause: error });
}

/** Opens a socket. @throws ExternalError with the system's code when it cannot be bound. */
export async function bindUdp(binding: UdpBinding): Promise<Socket> {
	const socket = createSocket({ type: "udp4", reuseAddr: binding.isShared ?? false });
	try {
		socket.bind({ address: binding.address, port: binding.port, exclusive: true });
		await once(socket, "listening");
	} catch (error) {
		socket.close();
		throw bindError("udp", binding.address, binding.port, error);
	}
	if (binding.mayBroadcast) socket.setBroadcast(true);
	return socket;
}

/** Fixes the other end of a socket: only its datagrams arrive, and they need no address on the way out. */
export async function connectUdp(socket: Socket, address: string, port: number): Promise<void> {
	socket.connect(port, address);
	await once(socket, "connect");
}

/** Closes a socket; resolves when it is closed. */
export async function closeUdp(socket: Socket): Promise<void> {
	const closed = once(socket, "close");
	socket.close();
	await closed;
}

/** Sends a datagram; resolves when the operating system has it. @throws ExternalError with the system's code. */
export async function sendUdp(socket: Socket, packet: Buffer, port: number, address: string): Promise<void> {
	await new Promise<void>((resolve, reject) => {
		socket.send(packet, port, address, (error) => {
			if (!error) resolve();
			else {
				const code = systemCode(error) ?? "EUNKNOWN";
				reject(new ExternalError(code, `cannot send udp to ${address}:${port}: ${errorText(error)}`, { cause: error }));
			}
		});
	});
}
