/**
 * One transfer: a file on its way to one client (RFC 1350 with the options of RFC 2347, 2348, 2349 and 7440). It has no
 * socket and no time of its own: datagrams go out through `send`, come in through `receive`, and a clock is handed in.
 *
 * What is sent again, and when: everything that is unacknowledged, and only when the timer says so. A duplicate ACK never
 * causes a packet (RFC 1123 section 4.2.3.1, the Sorcerer's Apprentice): firmware of Pis 3 and 4 breaks on the duplicate
 * DATA that would follow.
 */
import type { Clock, Timer } from "../../base/index.ts";
import { negotiate, type TransferSettings } from "./negotiate.ts";
import { decodeClientPacket, ErrorCode, encodeError, encodeOack, Opcode, type TftpOption } from "./packet.ts";
import type { TftpFile, TftpOutcome } from "./port.ts";
import { ReadAhead } from "./read-ahead.ts";

const HEADER_LENGTH = 4;
const FIRST_TIMEOUT = 1000;
const LONGEST_TIMEOUT = 4000;
/** A client that was silent for so long is gone: a Pi gives up on a file after 30 s. */
export const GIVE_UP_AFTER = 25_000;

export interface TransferOptions {
	readonly file: TftpFile;
	/** The options of the request, as they came. */
	readonly requested: readonly TftpOption[];
	readonly clock: Clock;
	/**
	 * Sends a datagram to the client.
	 *
	 * @returns true when the memory of `packet` may be written over at once, false when it is still to be sent from.
	 */
	readonly send: (packet: Buffer) => boolean;
	/** Called once, when the transfer has ended and its file is closed. `error`: why it failed, or could not be closed. */
	readonly ended: (outcome: TftpOutcome, bytes: number, error?: unknown) => void;
}

/** Runs from `start` until `ended` is called. Blocks are counted from 1 without rolling over; only the wire has 16 bits. */
export class Transfer {
	readonly #file: TftpFile;
	readonly #clock: Clock;
	readonly #send: (packet: Buffer) => boolean;
	readonly #ended: TransferOptions["ended"];
	readonly #settings: TransferSettings;
	readonly #readAhead: ReadAhead;
	/** The packets of the window, block n in slot n modulo windowsize, and how long each is. */
	readonly #slots: (Buffer | undefined)[];
	readonly #lengths: number[];
	readonly #lastBlock: number;
	/** The first block that is not acknowledged; 0 as long as the OACK is not. */
	#base: number;
	/** The first block that was never sent. */
	#next = 1;
	#isOver = false;
	/** True while the window has room and the data for it is still being read. */
	#isStarved = false;
	#timer: Timer | undefined;
	#ringsAt = 0;
	/** When the client is to have answered, when it last got on, and how long it now has: in monotonic milliseconds. */
	#deadline = 0;
	#progressAt = 0;
	#timeout: number;

	constructor(options: TransferOptions) {
		this.#file = options.file;
		this.#clock = options.clock;
		this.#send = options.send;
		this.#ended = options.ended;
		this.#settings = negotiate(options.requested, options.file.size);
		this.#readAhead = new ReadAhead(
			options.file,
			() => this.#feed(),
			(error) => this.#fail(error),
		);
		const { windowsize, blksize, accepted, timeout } = this.#settings;
		this.#slots = new Array<Buffer | undefined>(windowsize).fill(undefined);
		this.#lengths = new Array<number>(windowsize).fill(0);
		// A file whose size is a multiple of blksize, 0 included, ends with an empty block.
		this.#lastBlock = Math.floor(options.file.size / blksize) + 1;
		this.#base = accepted.length > 0 ? 0 : 1;
		this.#timeout = timeout ?? FIRST_TIMEOUT;
	}

	/** Sends the OACK, or the first blocks where no option was accepted. */
	start(): void {
		this.#progress();
		if (this.#base === 0) this.#sendOack();
		else this.#sendWindow();
		if (!this.#isOver) this.#arm(this.#deadline);
	}

	/** True once a block, or the OACK, was acknowledged. */
	get hasProgressed(): boolean {
		return this.#base > (this.#settings.accepted.length > 0 ? 0 : 1);
	}

	/** Milliseconds since the client last got on, or since the start. */
	get quietFor(): number {
		return this.#clock.monotonic() - this.#progressAt;
	}

	/** Takes a datagram of the client. What is no ACK and no ERROR is ignored. */
	receive(bytes: Buffer): void {
		if (this.#isOver) return;
		const packet = decodeClientPacket(bytes);
		if (packet?.opcode === Opcode.ACK) this.#acknowledge(packet.block);
		else if (packet?.opcode === Opcode.ERROR) this.#end(this.#outcomeOfError(packet.code));
	}

	/** Ends the transfer from our side, without a word to the client. */
	abort(): void {
		this.#end("aborted");
	}

	/**
	 * The client does something else, and sends nothing more here. "The host acknowledging the final DATA packet may terminate its
	 * side of the connection on sending the final ACK" (RFC 1350 section 6), and what comes next from its port may be heard before
	 * that ACK. So when nothing but this one is missing, the file has arrived. A client of which nothing was ever heard may not be
	 * there at all: that says nothing.
	 */
	clientLeft(): void {
		if (!this.hasProgressed || this.#base !== this.#lastBlock || this.#next <= this.#lastBlock) this.#end("aborted");
		else this.#acknowledge(this.#lastBlock & 0xffff);
	}

	/** A Pi asks whether a file is there, and how large, by giving up after the OACK or the first block. */
	#outcomeOfError(code: number): TftpOutcome {
		return code === ErrorCode.NOT_DEFINED && this.#base <= 1 ? "probe" : "aborted";
	}

	#acknowledge(block: number): void {
		// How far it is ahead of what was acknowledged before, on the circle of 16-bit block numbers.
		const ahead = this.#base === 0 ? block + 1 : (block - (this.#base - 1)) & 0xffff;
		const unacknowledged = this.#base === 0 ? 1 : this.#next - this.#base;
		if (ahead === 0 || ahead > unacknowledged) return;
		this.#base += ahead;
		this.#next = this.#base;
		if (this.#base > this.#lastBlock) this.#end("complete");
		else {
			this.#progress();
			this.#sendWindow();
		}
	}

	/** The client got on: it has the full time again. */
	#progress(): void {
		this.#progressAt = this.#clock.monotonic();
		this.#timeout = this.#settings.timeout ?? FIRST_TIMEOUT;
		this.#deadline = this.#progressAt + this.#timeout;
		if (this.#timer !== undefined && this.#ringsAt > this.#deadline) this.#arm(this.#deadline);
	}

	#sendOack(): void {
		this.#send(encodeOack(this.#settings.accepted));
	}

	/** Sends the blocks that the window has room for, as far as they are read. */
	#sendWindow(): void {
		const end = Math.min(this.#base + this.#settings.windowsize, this.#lastBlock + 1);
		while (!this.#isOver && this.#next < end && this.#fill(this.#next)) this.#transmit(this.#next++);
		this.#isStarved = this.#next < end;
	}

	/** Data has arrived. The time that it took was ours: the client has the full time from now on. */
	#feed(): void {
		if (this.#isOver || !this.#isStarved) return;
		this.#progress();
		this.#sendWindow();
	}

	/** Makes the packet of a block, or says that its data is still being read. */
	#fill(block: number): boolean {
		const { blksize } = this.#settings;
		const offset = (block - 1) * blksize;
		const length = Math.min(blksize, this.#file.size - offset);
		const slot = this.#slot(block);
		if (!this.#readAhead.copy(offset, length, slot, HEADER_LENGTH)) return false;
		slot.writeUInt16BE(Opcode.DATA, 0);
		slot.writeUInt16BE(block & 0xffff, 2);
		this.#lengths[block % this.#slots.length] = HEADER_LENGTH + length;
		return true;
	}

	#slot(block: number): Buffer {
		const index = block % this.#slots.length;
		const slot = this.#slots[index] ?? Buffer.allocUnsafe(HEADER_LENGTH + this.#settings.blksize);
		this.#slots[index] = slot;
		return slot;
	}

	#transmit(block: number): void {
		const index = block % this.#slots.length;
		const slot = this.#slots[index];
		if (slot === undefined) return;
		const length = this.#lengths[index] ?? 0;
		const isFree = this.#send(length === slot.length ? slot : slot.subarray(0, length));
		// The socket still holds the memory: this slot gets a new buffer for the next block.
		if (!isFree) this.#slots[index] = Buffer.from(slot);
	}

	/**
	 * There is one timer in a transfer, and it is not touched for each block: when it rings and the deadline has moved on
	 * meanwhile, it is set again.
	 *
	 * @param at monotonic milliseconds.
	 */
	#arm(at: number): void {
		this.#timer?.cancel();
		this.#ringsAt = at;
		const wait = Math.max(1, Math.ceil(at - this.#clock.monotonic()));
		this.#timer = this.#clock.after(wait, () => this.#ring());
	}

	#ring(): void {
		const now = this.#clock.monotonic();
		if (now - this.#progressAt >= GIVE_UP_AFTER) {
			this.#end("timeout");
			return;
		}
		if (now >= this.#deadline) this.#retransmit(now);
		if (!this.#isOver) this.#arm(Math.min(this.#deadline, this.#progressAt + GIVE_UP_AFTER));
	}

	#retransmit(now: number): void {
		if (this.#settings.timeout === undefined) this.#timeout = Math.min(this.#timeout * 2, LONGEST_TIMEOUT);
		this.#deadline = now + this.#timeout;
		if (this.#base === 0) this.#sendOack();
		for (let block = Math.max(this.#base, 1); block < this.#next && !this.#isOver; block++) this.#transmit(block);
	}

	/** Our side failed: the client is told, so that it need not wait for its timeout. */
	#fail(error: unknown): void {
		if (this.#isOver) return;
		this.#send(encodeError(ErrorCode.NOT_DEFINED, "the server could not read this file"));
		this.#end("failed", error);
	}

	#end(outcome: TftpOutcome, error?: unknown): void {
		if (this.#isOver) return;
		this.#isOver = true;
		this.#timer?.cancel();
		const bytes = Math.min(Math.max(this.#base - 1, 0) * this.#settings.blksize, this.#file.size);
		const failure = this.#closeFile();
		this.#ended(outcome, bytes, error ?? failure);
	}

	/** Gives what failed at it. */
	#closeFile(): unknown {
		try {
			this.#file.close();
			return undefined;
		} catch (error) {
			return error;
		}
	}
}
