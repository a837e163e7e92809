/**
 * DHCP of the Linux kernel (`ip=dhcp`, net/ipv4/ipconfig.c), of klibc's `ipconfig` in an initramfs, and of the programs that a
 * system runs for it.
 */
import { ANY, ipv4ToBytes, macToBytes } from "./addresses.ts";
import {
	addressOf,
	BOOTREPLY,
	Code,
	type DhcpMessage,
	type DhcpOption,
	decodeDhcp,
	encodeDhcp,
	MessageType,
	messageType,
	request,
} from "./dhcp.ts";
import { BootError, ProtocolError } from "./errors.ts";
import { leaseOf } from "./lease.ts";
import type { DhcpPort, Lease } from "./network.ts";
import { now } from "./udp.ts";

export interface LinuxDhcpStyle {
	readonly name: string;
	readonly parameters: readonly number[];
	readonly vendorClass: string | undefined;
	/** Bytes that a message is padded to. */
	readonly length: number;
	/** What else it says of itself, behind the message type. */
	readonly identity?: (mac: string) => DhcpOption[];
}

export const KERNEL: LinuxDhcpStyle = {
	name: "kernel",
	parameters: [1, 3, 6, 12, 15, 17, 26, 40, 42],
	vendorClass: undefined,
	length: 548,
};

export const KLIBC: LinuxDhcpStyle = {
	name: "initramfs",
	parameters: [1, 3, 6, 12, 15, 17, 26, 28, 40, 119, 121],
	vendorClass: "Linux ipconfig",
	length: 0,
};

/** RFC 4361: 255, an id of the interface, and a DUID. systemd's is of the type DUID-EN with systemd's enterprise number 43793. */
function duidClientId(mac: string): Buffer {
	const end = macToBytes(mac);
	return Buffer.concat([Buffer.from([255]), end.subarray(2), Buffer.from("00020000ab11", "hex"), end, end.subarray(4)]);
}

function said(clientId: (mac: string) => Buffer): (mac: string) => DhcpOption[] {
	return (mac) => [
		{ code: Code.CLIENT_IDENTIFIER, data: clientId(mac) },
		{ code: Code.MAXIMUM_SIZE, data: Buffer.from([0x05, 0xc0]) },
		{ code: Code.HOST_NAME, data: Buffer.from("raspberrypi") },
	];
}

const macClientId = (mac: string): Buffer => Buffer.concat([Buffer.from([1]), macToBytes(mac)]);

/** The programs of a running system, as they are set up in a stock image. */
export const SYSTEMS: readonly LinuxDhcpStyle[] = [
	{
		name: "networkmanager",
		parameters: [1, 2, 6, 12, 15, 26, 28, 121, 3, 33, 40, 41, 42, 119, 249, 252, 17],
		vendorClass: undefined,
		length: 300,
		identity: said(macClientId),
	},
	{
		name: "networkd",
		parameters: [1, 3, 6, 12, 15, 26, 33, 42, 120, 121],
		vendorClass: undefined,
		length: 300,
		identity: said(duidClientId),
	},
	{
		name: "dhcpcd",
		parameters: [1, 3, 6, 12, 15, 26, 28, 33, 42, 51, 54, 58, 59, 119, 121],
		vendorClass: "dhcpcd-9.4.1:Linux-6.12.25+rpt-rpi-v8:aarch64:BCM2835",
		length: 300,
		identity: said(duidClientId),
	},
];

export interface LinuxDhcpTiming {
	/** Milliseconds until it asks again. */
	readonly retry: number;
	readonly tries: number;
}

export interface LinuxDhcpOptions {
	readonly port: DhcpPort;
	readonly mac: string;
	readonly style: LinuxDhcpStyle;
	readonly timing: LinuxDhcpTiming;
	readonly onStep: (detail: string) => void;
}

interface Reply {
	readonly message: DhcpMessage;
	readonly source: string;
}

/** Asks for an address and takes the first that is offered, whoever offers it. */
export async function linuxDhcp(options: LinuxDhcpOptions): Promise<Lease> {
	const { timing, style } = options;
	const client = new LinuxDhcp(options);
	for (let attempt = 0; attempt < timing.tries; attempt++) {
		const lease = await client.attempt();
		if (lease !== undefined) return lease;
	}
	throw new BootError(`DHCP of the ${style.name}: nobody gave an address in ${timing.tries} tries`);
}

/** A DISCOVER that waits for nobody: on loopback there is no router, but the server shall see how far the boot is. */
export function announceLinux(options: LinuxDhcpOptions): void {
	new LinuxDhcp(options).discover();
}

class LinuxDhcp {
	readonly #options: LinuxDhcpOptions;
	readonly #xid = Math.floor(Math.random() * 0x1_0000_0000);
	readonly #started = now();

	constructor(options: LinuxDhcpOptions) {
		this.#options = options;
	}

	async attempt(): Promise<Lease | undefined> {
		this.discover();
		const offer = await this.#reply([MessageType.OFFER]);
		if (offer === undefined) return undefined;
		const { message, source } = offer;
		this.#options.onStep(`OFFER from ${source}: address ${message.yiaddr}`);
		if (message.yiaddr === ANY) {
			throw new BootError(
				`DHCP of the ${this.#options.style.name}: takes the OFFER of ${source}, which has no address`,
			);
		}
		const server = addressOf(message, Code.SERVER_IDENTIFIER) ?? source;
		this.#request(message.yiaddr, server);
		const answer = await this.#reply([MessageType.ACK, MessageType.NAK]);
		if (answer === undefined || messageType(answer.message) === MessageType.NAK) return undefined;
		this.#options.onStep(`ACK from ${answer.source}: ${answer.message.yiaddr}`);
		return leaseOf(answer.message);
	}

	discover(): void {
		this.#options.onStep("DISCOVER");
		this.#send(MessageType.DISCOVER, []);
	}

	#request(address: string, server: string): void {
		this.#options.onStep(`REQUEST ${address} from ${server}`);
		this.#send(MessageType.REQUEST, [
			{ code: Code.SERVER_IDENTIFIER, data: ipv4ToBytes(server) },
			{ code: Code.REQUESTED_ADDRESS, data: ipv4ToBytes(address) },
		]);
	}

	#send(type: number, middle: readonly DhcpOption[]): void {
		const { style, mac, port } = this.#options;
		const { vendorClass } = style;
		const options = [
			{ code: Code.MESSAGE_TYPE, data: Buffer.from([type]) },
			...(style.identity?.(mac) ?? []),
			...middle,
			{ code: Code.PARAMETER_REQUEST_LIST, data: Buffer.from(style.parameters) },
			...(vendorClass === undefined ? [] : [{ code: Code.VENDOR_CLASS, data: Buffer.from(vendorClass) }]),
		];
		const secs = Math.floor((now() - this.#started) / 1000);
		const message = request({ xid: this.#xid, chaddr: macToBytes(mac), secs, options });
		port.socket.send(encodeDhcp(message, style.length), port.port, port.address);
	}

	/** The first reply with our xid of one of these types. ic_bootp_recv checks the hardware address of an ACK only. */
	async #reply(types: readonly number[]): Promise<Reply | undefined> {
		const { port, timing, mac } = this.#options;
		const deadline = now() + timing.retry;
		for (;;) {
			const datagram = await port.socket.receive(deadline);
			if (datagram === undefined) return undefined;
			const message = decodeOrSkip(datagram.bytes);
			if (message?.op !== BOOTREPLY || message.xid !== this.#xid) continue;
			const type = messageType(message) ?? 0;
			if (type === MessageType.ACK && !message.chaddr.equals(macToBytes(mac))) continue;
			if (types.includes(type)) return { message, source: datagram.address };
		}
	}
}

/** Broken messages are not for us. */
function decodeOrSkip(bytes: Buffer): DhcpMessage | undefined {
	try {
		return decodeDhcp(bytes);
	} catch (error) {
		if (error instanceof ProtocolError) return undefined;
		throw error;
	}
}
