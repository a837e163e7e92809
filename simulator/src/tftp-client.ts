/** Fetching a file, or only asking whether it is there, as the firmware of a Pi does: one request, one block at a time. */
import { setTimeout as sleep } from "node:timers/promises";
import { BootError } from "./errors.ts";
import {
	decodeReply,
	ErrorCode,
	encodeAck,
	encodeError,
	encodeRrq,
	Opcode,
	type TftpOption,
	type TftpReply,
} from "./tftp.ts";
import { type Datagram, now, type UdpPort } from "./udp.ts";

/** How the client of one boot stage speaks. */
export interface TftpStyle {
	/** Bytes of a block, or undefined when the client asks for no block size. */
	readonly blksize: number | undefined;
	readonly tsize: boolean;
	/** Whether block 65535 may be followed by block 0. */
	readonly rollover: boolean;
	/** Whether a block that comes twice is acknowledged twice. */
	readonly acksAgain: boolean;
	/** Time to live in the IP header. */
	readonly ttl: number;
}

export interface TftpTiming {
	/** Milliseconds after which the last packet is sent again. */
	readonly retry: number;
	/** Milliseconds for a whole file. */
	readonly file: number;
}

export interface TftpRequest {
	readonly name: string;
	readonly server: string;
	readonly port: number;
	readonly style: TftpStyle;
	readonly timing: TftpTiming;
	/** What a probe waits for before it breaks off: the first answer, or, as a Pi 5 does once, the first block. */
	readonly stopAt?: "answer" | "block" | undefined;
	/** Throws the bytes away once they are counted: many Pis at once would fill the memory with their kernels. */
	readonly discard?: boolean;
	readonly fault?: Fault | undefined;
}

/** What hinders a transfer: nothing that comes is heard, a bad link, or a client that falls silent in the middle. */
export type Fault = "deaf" | "slow" | "silent";

/** The block from which on a transfer is hindered: small files still come. */
const HINDERED_FROM = 8;
/** Milliseconds for each block then: longer would make the server repeat it. */
const SLOWNESS = 700;

export type TftpResult =
	| {
			readonly kind: "file";
			/** Undefined when it was thrown away. */
			readonly content: Buffer | undefined;
			readonly size: number;
			readonly milliseconds: number;
	  }
	| { readonly kind: "present" }
	| { readonly kind: "absent"; readonly reason: string };

const DEFAULT_BLKSIZE = 512;
const MAX_BLOCK = 65535;

/** The socket of a transfer. */
export type TransferPort = Pick<UdpPort, "send" | "receive">;

/** @throws BootError when the server is silent, too slow, or breaks the protocol. */
export function transfer(socket: TransferPort, request: TftpRequest): Promise<TftpResult> {
	return new Transfer(socket, request).run();
}

class Transfer {
	readonly #socket: TransferPort;
	readonly #request: TftpRequest;
	readonly #started = now();
	readonly #kept: Buffer[] = [];
	/** Blocks that came, and the bytes in them. */
	#blocks = 0;
	#size = 0;
	#blksize = DEFAULT_BLKSIZE;
	#tsize: number | undefined;
	/** The port that the server answers from: its transfer identifier. */
	#serverPort: number | undefined;
	#last: Buffer;

	constructor(socket: TransferPort, request: TftpRequest) {
		this.#socket = socket;
		this.#request = request;
		this.#last = encodeRrq(request.name, optionsOf(request.style));
	}

	async run(): Promise<TftpResult> {
		this.#send(this.#last);
		for (;;) {
			const reply = await this.#next();
			if (this.#request.fault !== undefined && this.#blocks >= HINDERED_FROM) await this.#hinder(this.#request.fault);
			const result = this.#take(reply);
			if (result !== undefined) return result;
		}
	}

	async #hinder(fault: Fault): Promise<void> {
		if (fault === "slow") await sleep(SLOWNESS);
		// Until the plug is pulled: the socket says so.
		while (fault === "silent") await this.#socket.receive(now() + 60_000);
	}

	async #next(): Promise<TftpReply> {
		const { retry, file } = this.#request.timing;
		const end = this.#started + file;
		let resendAt = now() + retry;
		for (;;) {
			const datagram = await this.#socket.receive(Math.min(resendAt, end));
			if (now() >= end) throw new BootError(this.#tooLate());
			if (datagram !== undefined && this.#isOurs(datagram)) return decodeReply(datagram.bytes);
			if (datagram !== undefined) continue;
			this.#send(this.#last);
			resendAt = now() + retry;
		}
	}

	/** RFC 1350 section 4: a packet from a foreign port gets an error, and the transfer goes on. */
	#isOurs({ address, port }: Datagram): boolean {
		if (address !== this.#request.server || this.#request.fault === "deaf") return false;
		this.#serverPort ??= port;
		if (port === this.#serverPort) return true;
		this.#socket.send(encodeError(ErrorCode.UNKNOWN_TID, "Unknown transfer ID"), port, address);
		return false;
	}

	#take(reply: TftpReply): TftpResult | undefined {
		switch (reply.kind) {
			case "error":
				return this.#refused(reply.code, reply.message);
			case "oack":
				return this.#acknowledged(reply.options);
			case "data":
				return this.#data(reply.block, reply.data);
		}
	}

	#refused(code: number, message: string): TftpResult {
		if (this.#blocks > 0) throw this.#broken(`the server breaks off with error ${code} "${message}"`);
		return { kind: "absent", reason: `error ${code} ${message}`.trim() };
	}

	#acknowledged(options: ReadonlyMap<string, number>): TftpResult | undefined {
		if (this.#blocks > 0) return undefined;
		const asked = optionsOf(this.#request.style);
		for (const [name, value] of options) {
			const option = asked.find((each) => each.name === name);
			if (option === undefined) throw this.#broken(`the server grants "${name}", which was not asked for`);
			if (name === "blksize") this.#blksize = this.#checkBlksize(value, option.value);
			if (name === "tsize") this.#tsize = value;
		}
		if (this.#request.stopAt === "answer") return this.#terminate();
		this.#send(encodeAck(0));
		return undefined;
	}

	#checkBlksize(value: number, asked: number): number {
		if (value >= 8 && value <= asked) return value;
		throw this.#broken(`the server grants a blksize of ${value}, asked for ${asked}`);
	}

	#data(block: number, data: Buffer): TftpResult | undefined {
		const expected = (this.#blocks + 1) % (MAX_BLOCK + 1);
		if (block !== expected) return this.#outOfTurn(block, expected);
		if (data.length > this.#blksize) throw this.#broken(`block ${block} has ${data.length} bytes`);
		if (this.#request.stopAt !== undefined) return this.#terminate();
		this.#blocks++;
		this.#size += data.length;
		if (this.#request.discard !== true) this.#kept.push(data);
		if (this.#blocks > MAX_BLOCK && !this.#request.style.rollover) {
			throw this.#broken(
				`it has more than ${MAX_BLOCK} blocks of ${this.#blksize} bytes, and this firmware counts no further`,
			);
		}
		this.#send(encodeAck(block));
		return data.length === this.#blksize ? undefined : this.#complete();
	}

	/** A block that was acknowledged already, or that was never asked for. */
	#outOfTurn(block: number, expected: number): undefined {
		const isLast = this.#blocks > 0 && (block + 1) % (MAX_BLOCK + 1) === expected;
		if (isLast && this.#request.style.acksAgain) this.#send(this.#last);
	}

	#complete(): TftpResult {
		const size = this.#size;
		if (this.#tsize !== undefined && this.#tsize !== size) {
			throw this.#broken(`its tsize was ${this.#tsize}, but ${size} bytes came`);
		}
		const content = this.#request.discard === true ? undefined : Buffer.concat(this.#kept);
		return { kind: "file", content, size, milliseconds: now() - this.#started };
	}

	/** How the firmware ends a probe. */
	#terminate(): TftpResult {
		this.#send(encodeError(ErrorCode.NOT_DEFINED, "Early terminate"));
		return { kind: "present" };
	}

	#send(bytes: Buffer): void {
		this.#last = bytes;
		const { server, port } = this.#request;
		this.#socket.send(bytes, bytes.readUInt16BE(0) === Opcode.RRQ ? port : (this.#serverPort ?? port), server);
	}

	#tooLate(): string {
		const { name, server, port, timing } = this.#request;
		const seconds = timing.file / 1000;
		if (this.#serverPort === undefined) return `${name}: no answer from TFTP at ${server}:${port} within ${seconds} s`;
		return `${name}: only ${this.#size} bytes of ${this.#tsize ?? "an unknown size"} came within ${seconds} s`;
	}

	#broken(what: string): BootError {
		return new BootError(`${this.#request.name}: ${what}`);
	}
}

/** `tsize` comes before `blksize` in all firmware. */
function optionsOf(style: TftpStyle): TftpOption[] {
	return [
		...(style.tsize ? [{ name: "tsize", value: 0 }] : []),
		...(style.blksize === undefined ? [] : [{ name: "blksize", value: style.blksize }]),
	];
}
