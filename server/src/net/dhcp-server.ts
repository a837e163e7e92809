/**
 * The sockets of the DHCP server.
 *
 * One on 0.0.0.0 hears the broadcasts of every interface, but cannot tell from which one they came: Node has neither
 * SO_BINDTODEVICE nor IP_PKTINFO. One per served address, bound to it, takes what is sent to this address, and sends to
 * 255.255.255.255 out of the interface that has it, whatever the routes say. So an answer to a broadcast goes out of every
 * served interface, each time with that interface's own address in it; only the one that asked knows the `xid`.
 *
 * Addresses come and go while the server runs: `setAddresses`.
 */
import type { RemoteInfo, Socket } from "node:dgram";
import {
	type Clock,
	errorText,
	type Logger,
	MalformedError,
	type Startable,
	settleSeries,
	systemCode,
} from "../base/index.ts";
import {
	type DhcpPacket,
	decodePacket,
	encodePacket,
	IPV4_ANY,
	IPV4_BROADCAST,
	isLoopback,
	macFromBytes,
	messageType,
	summarisePacket,
} from "../wire/dhcp/index.ts";
import { AddressSockets } from "./address-sockets.ts";
import { isBelievable } from "./dhcp-relay.ts";
import { bindUdp, closeUdp } from "./udp.ts";
import { WaitingAnswers } from "./waiting-answers.ts";

/** From whom a message came. */
export interface DhcpSender {
	readonly address: string;
	readonly port: number;
	/** The served address that it was sent to, or undefined for a broadcast. */
	readonly servedAddress: string | undefined;
}

export interface DhcpReply {
	/** Milliseconds after which to send. */
	readonly delay: number;
	/** The message, as it is to be when it is sent from this address of ours; undefined when it is not to be sent from there. */
	readonly packet: (serverAddress: string) => DhcpPacket | undefined;
	/** Where to send it, when that is not where RFC 2131 section 4.1 says. A relay's answer goes to the relay all the same. */
	readonly to?: string;
}

/** Decides about messages; called once per message. */
export interface DhcpHandler {
	handle(packet: DhcpPacket, sender: DhcpSender): readonly DhcpReply[] | Promise<readonly DhcpReply[]>;
}

export interface DhcpServerOptions {
	/** Our addresses, one for each interface to serve; loopback addresses are allowed. */
	readonly addresses: readonly string[];
	/** Whether an address is in a subnet that we serve. */
	readonly isNear?: (address: string) => boolean;
	/** 67; 0 for any free one when there is but one address. */
	readonly port: number;
	/** Where clients without an address listen: 68. */
	readonly clientPort?: number;
	readonly handler: DhcpHandler;
	/** Whether a client (`dc:a6:32:ec:fc:3c`) is no stranger: where many wait for their answers, it comes before strangers. */
	readonly isKnown?: (mac: string) => boolean;
	readonly clock: Clock;
	readonly log: Logger;
}

export class DhcpServer implements Startable {
	readonly #options: DhcpServerOptions;
	#listener: Socket | undefined;
	#addresses: readonly string[];
	/** The sockets that are bound to our own addresses. */
	readonly #bound = new AddressSockets((address) => this.#listen(address, this.port, address));
	readonly #waiting: WaitingAnswers;
	#isShared = false;

	constructor(options: DhcpServerOptions) {
		this.#options = options;
		this.#addresses = options.addresses;
		this.#waiting = new WaitingAnswers(options.clock);
	}

	get port(): number {
		return this.#listener?.address().port ?? this.#options.port;
	}

	/** True when another program listens on the same port too: both hear the broadcasts. */
	get isShared(): boolean {
		return this.#isShared;
	}

	/** @throws ExternalError with the system's code when the port cannot be bound; then nothing is. */
	async start(): Promise<void> {
		try {
			this.#isShared = await isTaken(this.#options.port);
			this.#listener = await this.#listen(IPV4_ANY, this.#options.port, undefined);
			for (const { error } of await this.#bound.start(this.#addresses)) this.#refused(error);
		} catch (error) {
			await this.stop();
			throw error;
		}
	}

	/**
	 * Serves these addresses from now on. One that cannot be bound is logged: it may be gone again already, and then the
	 * next change says so.
	 */
	async setAddresses(addresses: readonly string[]): Promise<void> {
		this.#addresses = addresses;
		for (const { error } of await this.#bound.set(addresses)) this.#options.log.warn(`dhcp: ${errorText(error)}`);
	}

	async #listen(address: string, port: number, servedAddress: string | undefined): Promise<Socket> {
		const socket = await bindUdp({ address, port, isShared: true, mayBroadcast: true });
		socket.on("error", (error) => this.#options.log.warn(`dhcp: ${errorText(error)}`));
		socket.on("message", (bytes, from) => this.#message(bytes, from, servedAddress));
		return socket;
	}

	/** macOS lets an ordinary user bind low ports on 0.0.0.0 only: then broadcasts leave by the default route. */
	#refused(error: unknown): void {
		if (systemCode(error) !== "EACCES") throw error;
		this.#options.log.warn(`dhcp: ${errorText(error)}: answers go out by the default route only`);
	}

	async stop(): Promise<void> {
		this.#waiting.cancel();
		const listener = this.#listener;
		this.#listener = undefined;
		await settleSeries([() => this.#bound.close(), ...(listener === undefined ? [] : [() => closeUdp(listener)])]);
	}

	#message(bytes: Buffer, from: RemoteInfo, servedAddress: string | undefined): void {
		// Nobody can be answered at port 0.
		if (from.port === 0) return;
		const sender = { address: from.address, port: from.port, servedAddress };
		try {
			const packet = decodePacket(bytes);
			this.#options.log.debug(`dhcp: from ${from.address}:${from.port}: ${summarisePacket(packet)}`);
			if (!isBelievable(packet.giaddr, from.address, this.#options.isNear ?? (() => false))) {
				this.#options.log.debug(`dhcp: ${from.address} is no relay at ${packet.giaddr}: ignored`);
				return;
			}
			const replies = this.#options.handler.handle(packet, sender);
			const schedule = (all: readonly DhcpReply[]) => this.#schedule(all, packet, sender);
			if (replies instanceof Promise) replies.then(schedule).catch((error: unknown) => this.#failed(error, from));
			else schedule(replies);
		} catch (error) {
			this.#failed(error, from);
		}
	}

	/** A malformed message is everyday life on a LAN; anything else is a fault, and no reason to leave the others alone. */
	#failed(error: unknown, from: RemoteInfo): void {
		const sentence = `dhcp: from ${from.address}:${from.port}: ${errorText(error)}`;
		if (error instanceof MalformedError) this.#options.log.debug(sentence);
		else this.#options.log.error({ err: error }, sentence);
	}

	#schedule(replies: readonly DhcpReply[], request: DhcpPacket, sender: DhcpSender): void {
		const send = (reply: DhcpReply) => this.#send(reply, request, sender);
		for (const reply of replies) if (reply.delay <= 0) send(reply);
		const later = replies.filter(({ delay }) => delay > 0);
		if (later.length === 0) return;
		const client = request.chaddr.toString("hex");
		const isTaken = this.#waiting.add({
			client,
			question: [client, request.xid, request.giaddr, sender.address, messageType(request)].join(),
			isKnown: request.chaddr.length === 6 && (this.#options.isKnown?.(macFromBytes(request.chaddr)) ?? false),
			answers: later.map((reply) => ({ delay: reply.delay, send: () => send(reply) })),
		});
		if (!isTaken) this.#options.log.debug("dhcp: too many wait for delayed answers, one is dropped");
	}

	#send(reply: DhcpReply, request: DhcpPacket, sender: DhcpSender): void {
		const { address, port } = this.#destination(reply, request, sender);
		for (const own of this.#senders(address, sender)) {
			try {
				const packet = reply.packet(own);
				if (packet === undefined) continue;
				this.#sendFrom(own, packet, port, address);
				// One of ours is enough where one machine is meant.
				if (address !== IPV4_BROADCAST) return;
			} catch (error) {
				this.#options.log.error({ err: error }, `dhcp: answer from ${own} to ${address}: ${errorText(error)}`);
			}
		}
	}

	#sendFrom(own: string, packet: DhcpPacket, port: number, address: string): void {
		const socket = this.#bound.get(own) ?? this.#listener;
		this.#options.log.debug(`dhcp: ${own} to ${address}:${port}: ${summarisePacket(packet)}`);
		socket?.send(encodePacket(packet), port, address, (error) => {
			if (error) this.#options.log.warn(`dhcp: answer from ${own} to ${address}: ${errorText(error)}`);
		});
	}

	/** Where an answer goes: RFC 2131 section 4.1, with broadcast where it would have us forge an ARP entry. */
	#destination(
		{ to }: DhcpReply,
		request: DhcpPacket,
		sender: DhcpSender,
	): { readonly address: string; readonly port: number } {
		if (isLoopback(sender.address)) return { address: sender.address, port: sender.port };
		if (isUnicast(request.giaddr)) return { address: request.giaddr, port: 67 };
		const clientPort = this.#options.clientPort ?? 68;
		if (to !== undefined) return { address: to, port: clientPort };
		// Believed only where the sender shows that it has it: nobody can point our answers at a third party.
		if (request.ciaddr === sender.address && isUnicast(request.ciaddr))
			return { address: request.ciaddr, port: clientPort };
		return { address: IPV4_BROADCAST, port: clientPort };
	}

	/** The addresses of ours that an answer is sent from. */
	#senders(destination: string, sender: DhcpSender): readonly string[] {
		if (sender.servedAddress !== undefined) return [sender.servedAddress];
		const isOnLoopback = isLoopback(destination);
		const fitting = this.#addresses.filter((address) => isLoopback(address) === isOnLoopback);
		// A virtual Pi on loopback reaches every address of its own machine.
		const candidates = fitting.length > 0 || !isOnLoopback ? fitting : this.#addresses;
		return candidates;
	}
}

function isUnicast(address: string): boolean {
	const first = Number(address.split(".")[0]);
	return first > 0 && first < 224 && first !== 127;
}

/** Tells whether somebody has this port, by trying to have it alone. */
async function isTaken(port: number): Promise<boolean> {
	try {
		await closeUdp(await bindUdp({ address: IPV4_ANY, port }));
		return false;
	} catch (error) {
		if (systemCode(error) !== "EADDRINUSE") throw error;
		return true;
	}
}
