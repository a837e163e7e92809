/**
 * DHCP of the boot ROM and of the EEPROM bootloader: DISCOVER until some OFFER brought an address and some OFFER brought the
 * TFTP server, then, where the firmware does so, REQUEST and ACK with whoever gave the address.
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
import { BootError, errorText } from "./errors.ts";
import { leaseOf } from "./lease.ts";
import type { DhcpPort, Lease } from "./network.ts";
import { type Offer, tftpServerOf } from "./tftp-server-of.ts";
import { type Datagram, now } from "./udp.ts";

/** How the DHCP client of a firmware speaks. */
export interface FirmwareDhcpStyle {
	/** Of the DISCOVER, in this order. */
	readonly optionOrder: readonly number[];
	/** Option 55. */
	readonly parameters: readonly number[];
	/** The same in each packet of each Pi, or undefined for a new one in each DISCOVER. */
	readonly xid: number | undefined;
	readonly sendsRequest: boolean;
	/** Whether its REQUEST says PXEClient, as its DISCOVER does. */
	readonly requestHasClass: boolean;
	/** Which option tells the TFTP server when both do. */
	readonly tftpServer: "last" | "option66";
	/** What it looks for in option 43. */
	readonly bootTag: string;
	/** Whether it gets lost in a boot menu (option 43) of more than one entry. */
	readonly oneMenuEntry: boolean;
	/** Whether the last number of option 66 must have three digits. */
	readonly threeDigits: boolean;
	/** Whether it takes what came through a relay. */
	readonly takesRelayed: boolean;
	/** Whether it reaches other subnets. */
	readonly knowsRouters: boolean;
	/** Whether it looks at the hardware address of an OFFER, and not at the xid alone. */
	readonly checksAddress: boolean;
	/** Milliseconds after a DISCOVER in which what comes is only acted on when something else comes behind them. */
	readonly hesitates: number;
	/** Whether it never asks again once it has given up. */
	readonly dies: boolean;
	readonly ttl: number;
}

export interface FirmwareDhcpTiming {
	/** Milliseconds between two DISCOVERs. */
	readonly retry: number;
	/** Milliseconds until it gives up; Infinity for never. */
	readonly total: number;
}

export interface FirmwareDhcpOptions {
	readonly port: DhcpPort;
	readonly mac: string;
	/** The 17 bytes of option 97. */
	readonly guid: Buffer;
	readonly style: FirmwareDhcpStyle;
	readonly timing: FirmwareDhcpTiming;
	/** False where the Pi has an address already, and there is nobody who gives one. */
	readonly needsLease: boolean;
	/** Set in the EEPROM: counts more than what an OFFER says. */
	readonly tftpServer?: string | undefined;
	/** Whether no answer reaches it. */
	readonly isDeaf?: boolean | undefined;
	/** The address that it asks for, whatever it was offered. */
	readonly claims?: string | undefined;
	readonly onStep: (detail: string) => void;
}

export interface FirmwareDhcpResult {
	readonly lease: Lease | undefined;
	readonly tftpServer: string;
}

const CLASS = "PXEClient:Arch:00000:UNDI:002001";
export async function firmwareDhcp(options: FirmwareDhcpOptions): Promise<FirmwareDhcpResult> {
	return new FirmwareDhcp(options).run();
}

class FirmwareDhcp {
	readonly #options: FirmwareDhcpOptions;
	readonly #heard: string[] = [];
	readonly #end: number;
	#xid = 0;
	/** When the last DISCOVER left. */
	#discovered = 0;
	/** What came since then and was not acted on yet. */
	#held: Offer[] = [];
	/** The first OFFER with an address. */
	#address: Offer | undefined;
	#tftpServer: string | undefined;

	constructor(options: FirmwareDhcpOptions) {
		this.#options = options;
		this.#end = now() + options.timing.total;
		this.#tftpServer = options.tftpServer;
	}

	async run(): Promise<FirmwareDhcpResult> {
		const { retry } = this.#options.timing;
		while (now() < this.#end) {
			this.#discover();
			const pause = Math.min(now() + retry, this.#end);
			while (!this.#isComplete()) {
				const datagram = await this.#options.port.socket.receive(pause);
				if (datagram === undefined) break;
				this.#arrived(datagram);
			}
			if (!this.#isComplete()) continue;
			const result = await this.#finish();
			if (result !== undefined) return result;
			await this.#pass(pause);
		}
		throw new BootError(this.#tooLate());
	}

	/** Lets the time go by, and what comes in it. */
	async #pass(deadline: number): Promise<void> {
		while ((await this.#next(deadline)) !== undefined);
	}

	#isComplete(): boolean {
		return this.#tftpServer !== undefined && (this.#address !== undefined || !this.#options.needsLease);
	}

	#discover(): void {
		const { mac, style, onStep } = this.#options;
		this.#held = [];
		this.#discovered = now();
		this.#xid = style.xid ?? Math.floor(Math.random() * 0x1_0000_0000);
		const options = style.optionOrder.map((code) => ({ code, data: this.#discoverOption(code) }));
		onStep("DISCOVER");
		this.#send(request({ xid: this.#xid, chaddr: macToBytes(mac), options }));
	}

	#discoverOption(code: number): Buffer {
		const { style, guid } = this.#options;
		switch (code) {
			case Code.MESSAGE_TYPE:
				return Buffer.from([MessageType.DISCOVER]);
			case Code.PARAMETER_REQUEST_LIST:
				return Buffer.from(style.parameters);
			case Code.VENDOR_CLASS:
				return Buffer.from(CLASS);
			case Code.CLIENT_ARCHITECTURE:
				return Buffer.from([0, 0]);
			case Code.CLIENT_NDI:
				return Buffer.from([1, 2, 1]);
			case Code.CLIENT_UUID:
				return guid;
			default:
				throw new TypeError(`a DISCOVER has no option ${code}`);
		}
	}

	#send(message: DhcpMessage): void {
		const { port } = this.#options;
		port.socket.send(encodeDhcp(message), port.port, port.address);
	}

	/** The next message for us, or undefined at the deadline. */
	async #next(deadline: number): Promise<Offer | undefined> {
		for (;;) {
			const datagram = await this.#options.port.socket.receive(deadline);
			if (datagram === undefined) return undefined;
			const offer = this.#read(datagram);
			if (offer !== undefined) return offer;
		}
	}

	/** What is broken is remembered and passed over. */
	#read({ bytes, address }: Datagram): Offer | undefined {
		// A crowd hears the OFFERs to all others too: most of them are for nobody who has to take them apart.
		if (bytes.length >= 8 && bytes.readUInt32BE(4) !== this.#xid) return undefined;
		if (this.#options.isDeaf === true) return undefined;
		try {
			const message = decodeDhcp(bytes);
			return this.#isForUs(message) ? { message, source: address } : undefined;
		} catch (error) {
			this.#heard.push(`from ${address} a broken message (${errorText(error)})`);
			return undefined;
		}
	}

	/** The xid alone does not do: all Pi 3 have the same one. */
	#isForUs({ op, xid, chaddr, giaddr }: DhcpMessage): boolean {
		const { mac, style } = this.#options;
		if (op !== BOOTREPLY || xid !== this.#xid) return false;
		if (giaddr !== ANY && !style.takesRelayed) return false;
		return !style.checksAddress || chaddr.equals(macToBytes(mac));
	}

	/** Who hesitates looks at what came when something else comes behind it, for whomever that is. */
	#arrived(datagram: Datagram): void {
		const offer = this.#read(datagram);
		if (offer !== undefined) this.#held.push(offer);
		if (now() - this.#discovered < this.#options.style.hesitates) return;
		for (const held of this.#held.splice(0)) this.#offered(held);
	}

	#offered(offer: Offer): void {
		const { message, source } = offer;
		if (messageType(message) !== MessageType.OFFER) return;
		const tftpServer = tftpServerOf(offer, this.#options.style);
		const given = [
			...(message.yiaddr === ANY ? [] : [`address ${message.yiaddr}`]),
			...(tftpServer === undefined ? [] : [`TFTP server ${tftpServer}`]),
		];
		const what = given.length === 0 ? "nothing that a Pi can use" : given.join(" and ");
		this.#heard.push(`from ${source} an OFFER with ${what}`);
		this.#options.onStep(`OFFER from ${source}: ${what}`);
		if (message.yiaddr !== ANY) this.#address ??= offer;
		this.#tftpServer ??= tftpServer;
	}

	/** @returns undefined when the address was taken back. */
	async #finish(): Promise<FirmwareDhcpResult | undefined> {
		const offer = this.#address;
		const tftpServer = this.#tftpServer ?? "";
		if (offer === undefined) return { lease: undefined, tftpServer };
		const lease = leaseOf(offer.message);
		const isOurs = !this.#options.style.sendsRequest || (await this.#request(offer));
		if (isOurs) return { lease, tftpServer };
		// RFC 2131, 3.1: "If the client receives a DHCPNAK message, the client restarts the configuration process."
		this.#address = undefined;
		this.#tftpServer = this.#options.tftpServer;
		return undefined;
	}

	/** With the class and the GUID, but without option 55. The siaddr of the OFFER comes back in the REQUEST. @returns false after a NAK. */
	async #request({ message, source }: Offer): Promise<boolean> {
		const { mac, guid, timing, onStep, style, claims = message.yiaddr } = this.#options;
		const server = addressOf(message, Code.SERVER_IDENTIFIER) ?? source;
		const options: DhcpOption[] = [
			{ code: Code.MESSAGE_TYPE, data: Buffer.from([MessageType.REQUEST]) },
			{ code: Code.REQUESTED_ADDRESS, data: ipv4ToBytes(claims) },
			{ code: Code.SERVER_IDENTIFIER, data: ipv4ToBytes(server) },
			...(style.requestHasClass ? [{ code: Code.VENDOR_CLASS, data: Buffer.from(CLASS) }] : []),
			{ code: Code.CLIENT_UUID, data: guid },
		];
		while (now() < this.#end) {
			onStep(`REQUEST ${claims} from ${server}`);
			this.#send(request({ xid: message.xid, chaddr: macToBytes(mac), siaddr: message.siaddr, options }));
			const answer = await this.#acknowledged(Math.min(now() + timing.retry, this.#end), server, message.xid);
			if (answer !== undefined) return answer === MessageType.ACK;
		}
		throw new BootError(`DHCP: ${server} offered ${message.yiaddr}, but never sent an ACK for it`);
	}

	/** ACK, NAK, or undefined when neither came. */
	async #acknowledged(deadline: number, server: string, xid: number): Promise<number | undefined> {
		this.#xid = xid;
		for (;;) {
			const reply = await this.#next(deadline);
			if (reply === undefined) return undefined;
			const type = messageType(reply.message);
			if (type !== MessageType.ACK && type !== MessageType.NAK) continue;
			const what =
				type === MessageType.ACK ? `ACK from ${reply.source}: ${reply.message.yiaddr}` : `NAK from ${reply.source}`;
			this.#options.onStep(what);
			if (type === MessageType.NAK) this.#heard.push(`from ${reply.source} a NAK`);
			if ((addressOf(reply.message, Code.SERVER_IDENTIFIER) ?? reply.source) === server) return type;
		}
	}

	#tooLate(): string {
		const missing = [
			...(this.#options.needsLease && this.#address === undefined ? ["an address"] : []),
			...(this.#tftpServer === undefined ? ["a TFTP server"] : []),
		];
		const came = this.#heard.length === 0 ? "nothing" : [...new Set(this.#heard)].join(", ");
		const dead = this.#options.style.dies ? "; it asks no more until it is switched off and on" : "";
		return `DHCP: waited ${this.#options.timing.total / 1000} s for ${missing.join(" and ")}; what came: ${came}${dead}`;
	}
}
