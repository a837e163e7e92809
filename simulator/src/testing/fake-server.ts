/** A tiny DHCP and TFTP server for tests: it answers by script, and writes down what it was asked. None of the codecs is ours. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

export interface FakeOptions {
	/** Files by their whole names, as they are asked for once slashes are collapsed. */
	readonly files?: ReadonlyMap<string, Buffer>;
	/** Options of the OFFER behind 53 and 54, and its fixed fields. Several OFFERs are sent one after the other. */
	readonly offers?: readonly FakeOffer[];
	/** Told of each DHCP message that comes. */
	readonly onDhcp?: () => void;
	/** DISCOVERs that stay without an answer at first. */
	readonly deaf?: number;
	/** Whether a REQUEST gets an ACK. */
	readonly acknowledges?: boolean;
	/** REQUESTs that get a NAK at first. */
	readonly refusals?: number;
	/** Rewrites an OACK's options. */
	readonly oack?: (options: Map<string, string>) => Map<string, string>;
	/** Datagrams to the TFTP server that are lost: by their number, from 1. */
	readonly lost?: ReadonlySet<number>;
	/** Cuts what is sent of a file. */
	readonly cut?: (name: string, content: Buffer) => Buffer;
}

export interface FakeOffer {
	readonly yiaddr?: string;
	readonly siaddr?: string;
	readonly options: readonly (readonly [code: number, data: Buffer | string])[];
	/** Makes another xid of the asker's. */
	readonly xor?: number;
	/** Milliseconds before it is sent. */
	readonly delay?: number;
}

/** What dnsmasq sends for `pxe-service=0,"Raspberry Pi Boot"`. */
export const BOOT_MENU = Buffer.from("0601030a0400505845091400001152617370626572727920506920426f6f74ff", "hex");

export const PROXY_OFFER: FakeOffer = {
	options: [
		[60, "PXEClient"],
		[43, BOOT_MENU],
	],
};

export class FakeServer {
	/** The bytes of each DHCP message that came. */
	readonly dhcp: Buffer[] = [];
	/** `name P` for a probe, `name G` for a fetch, `name x` for a file that is not there, in the order in which they ended. */
	readonly requests: string[] = [];
	/** The bytes of each RRQ, and the port that it came from. */
	readonly rrqs: { bytes: Buffer; port: number }[] = [];
	readonly #options: FakeOptions;
	readonly #sockets: Socket[] = [];
	readonly #timers: NodeJS.Timeout[] = [];
	#dhcpPort = 0;
	#tftpPort = 0;
	#heard = 0;
	/** REQUESTs that came. */
	#requests = 0;
	#onEnded: (() => void) | undefined;

	private constructor(options: FakeOptions) {
		this.#options = options;
	}

	static async start(options: FakeOptions = {}): Promise<FakeServer> {
		const server = new FakeServer(options);
		const dhcp = await server.#bind((bytes, from, socket) => server.#onDhcp(bytes, from, socket));
		const tftp = await server.#bind((bytes, from) => server.#onRrq(bytes, from));
		server.#dhcpPort = dhcp.address().port;
		server.#tftpPort = tftp.address().port;
		return server;
	}

	get ports(): { dhcp: number; tftp: number; portmap: number; nfs: number } {
		return { dhcp: this.#dhcpPort, tftp: this.#tftpPort, portmap: 9, nfs: 9 };
	}

	async #bind(onMessage: (bytes: Buffer, from: RemoteInfo, socket: Socket) => void): Promise<Socket> {
		const socket = createSocket("udp4");
		await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
		socket.on("message", (bytes, from) => onMessage(bytes, from, socket));
		this.#sockets.push(socket);
		return socket;
	}

	#onDhcp(bytes: Buffer, from: RemoteInfo, socket: Socket): void {
		this.dhcp.push(bytes);
		this.#options.onDhcp?.();
		const { offers = [PROXY_OFFER], deaf = 0, acknowledges = true } = this.#options;
		if (bytes[242] === 3) {
			const type = ++this.#requests <= (this.#options.refusals ?? 0) ? 6 : 5;
			if (acknowledges) socket.send(this.#reply(bytes, type, offers[0] ?? PROXY_OFFER), from.port, from.address);
			return;
		}
		if (this.dhcp.length <= deaf) return;
		for (const offer of offers) {
			const send = () => socket.send(this.#reply(bytes, 2, offer), from.port, from.address);
			if (offer.delay === undefined) send();
			else this.#timers.push(setTimeout(send, offer.delay));
		}
	}

	#reply(asked: Buffer, type: number, { yiaddr = "0.0.0.0", siaddr = "0.0.0.0", options, xor = 0 }: FakeOffer): Buffer {
		const header = Buffer.from(asked.subarray(0, 240));
		header[0] = 2;
		header.writeUInt32BE((header.readUInt32BE(4) ^ xor) >>> 0, 4);
		header.set(yiaddr.split(".").map(Number), 16);
		header.set(siaddr.split(".").map(Number), 20);
		const all = [[53, Buffer.from([type])], [54, Buffer.from([127, 0, 0, 1])], ...options] as const;
		const encoded = all.map(([code, data]) => Buffer.concat([Buffer.from([code, data.length]), Buffer.from(data)]));
		return Buffer.concat([header, ...encoded, Buffer.from([255])]);
	}

	#onRrq(bytes: Buffer, from: RemoteInfo): void {
		this.#heard++;
		if (this.#options.lost?.has(this.#heard)) return;
		const [name = "", , ...words] = bytes.toString("latin1", 2).split("\0").slice(0, -1);
		this.rrqs.push({ bytes, port: from.port });
		this.#serve(name, words, from);
	}

	#serve(name: string, words: readonly string[], to: RemoteInfo): void {
		const socket = createSocket("udp4");
		this.#sockets.push(socket);
		socket.bind(0, "127.0.0.1");
		const send = (opcode: number, rest: Buffer) =>
			socket.send(Buffer.concat([Buffer.from([0, opcode]), rest]), to.port, to.address);
		const whole = this.#options.files?.get(name.replace(/\/+/g, "/"));
		if (whole === undefined) {
			this.#ended(`${name} x`);
			send(5, Buffer.from("\0\x01not here\0"));
			return;
		}
		const content = this.#options.cut?.(name, whole) ?? whole;
		const asked = new Map<string, string>();
		for (let index = 0; index + 1 < words.length; index += 2) asked.set(words[index] ?? "", words[index + 1] ?? "");
		const blksize = Number(asked.get("blksize") ?? 512);
		if (asked.has("tsize")) asked.set("tsize", String(whole.length));
		let block = 0;
		const sendBlock = () => {
			const number = Buffer.from([(block >> 8) & 255, block & 255]);
			send(3, Buffer.concat([number, content.subarray((block - 1) * blksize, block * blksize)]));
		};
		socket.on("message", (bytes) => {
			if (bytes[1] === 5) this.#ended(`${name} P`);
			if (bytes[1] !== 4 || bytes.readUInt16BE(2) !== (block & 65535)) return;
			if (block > 0 && content.length < block * blksize) {
				this.#ended(`${name} G`);
				return;
			}
			block++;
			sendBlock();
		});
		if (asked.size === 0) {
			block = 1;
			sendBlock();
			return;
		}
		const granted = [...(this.#options.oack?.(asked) ?? asked)].flat();
		send(6, Buffer.from(granted.map((word) => `${word}\0`).join("")));
	}

	#ended(request: string): void {
		this.requests.push(request);
		this.#onEnded?.();
	}

	/** Resolves once every request that came has ended: the last packet of a client is on its way when the client is done. */
	async idle(): Promise<void> {
		while (this.requests.length < this.rrqs.length) {
			await new Promise<void>((resolve) => {
				this.#onEnded = resolve;
			});
		}
	}

	close(): void {
		for (const timer of this.#timers) clearTimeout(timer);
		for (const socket of this.#sockets) socket.close();
	}
}
