/**
 * The boots whose firmware fetches its files at this moment, how quickly they get on, and how many more we can serve.
 *
 * A firmware gives up on a file that is not there within 30 seconds (TFTP_FILE_TIMEOUT of the bootloader). Shared among too many,
 * the network or the processor makes everybody late together. So the rate at which those get on who are there tells how long
 * the largest file is going to take, and as many may begin as leave it well within the limit.
 */
import type { Clock } from "../base/index.ts";
import { PIECE_SIZE } from "../wire/tftp/index.ts";
import { LetIn } from "./let-in.ts";

/** So many may always be under way: one Pi that is slow by itself keeps nobody waiting. */
const LEAST = 4;

/** So many as long as nobody has fetched enough to tell. */
const UNMEASURED = 8;

/**
 * What the largest file may take, of the 30 seconds. Together they are through as soon with little as with much of it, once we
 * are busy; the rest is for what a second cannot foretell.
 */
const FILE_MS = 6000;

/** Who has moved nothing for so long is between two files. */
const FRESH_MS = 2000;

/** What was seen to be possible counts for one to two of these: in between the Pis do something else than fetch. */
const SEEN_MS = 5000;

/** The kernel of Raspberry Pi OS, until boots have shown what the largest file is here. */
const LARGEST = 10_000_000;

/** What remains of the largest file with each boot that had none so large. */
const SHRINKS = 0.9;

/** Between two files of a boot, and in the middle of one. A Pi that is silent for longer has its kernel, or is gone. */
const PAUSE_MS = 1500;
const STALL_MS = 5000;

/** A Pi that has booted before is waited for as long as it may take; of strangers anybody can make up any number. */
const KNOWN = { keptMs: 5000, remembered: 64 };
const STRANGERS = { keptMs: 2000, remembered: 16 };

/** A boot that has asked for a file. */
interface FetchingBoot {
	at: number;
	open: number;
	largest: number;
	/** Milliseconds per byte, and when it was last seen; undefined until enough has moved. */
	pace: number | undefined;
	pacedAt: number;
	/** After its command line a Pi fetches its kernel, and then no more. */
	hasCmdline: boolean;
}

/** A file on its way. */
export interface FollowedFile {
	/** It is read from here on now, in the order of the file. */
	read(offset: number): void;
	close(): void;
}

export class FirmwareLoad {
	readonly #clock: Clock;
	/** By device. */
	readonly #fetching = new Map<number, FetchingBoot>();
	readonly #known = new LetIn(KNOWN);
	readonly #strangers = new LetIn(STRANGERS);
	#largest = LARGEST;
	/** The most that was seen in this time and in the one before it, in bytes per millisecond. */
	#seen = 0;
	#seenBefore = 0;
	#seenSince = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** A Pi was told where its files are. `isKnown`: it has booted before. */
	admitted(device: number, isKnown: boolean): void {
		const letIn = isKnown ? this.#known : this.#strangers;
		letIn.add(device, this.#clock.monotonic());
	}

	/** Whether a Pi may go on because it was let in before. */
	isAdmitted(device: number): boolean {
		this.#sweep();
		return this.#known.has(device) || this.#strangers.has(device) || this.#fetching.has(device);
	}

	/** A Pi that is proved to be behind its address fetches a file of `size` bytes. */
	opened(device: number, size: number): FollowedFile {
		this.#known.came(device);
		this.#strangers.came(device);
		const boot = this.#fetching.get(device) ?? newBoot();
		this.#fetching.set(device, boot);
		boot.at = this.#clock.monotonic();
		boot.open++;
		boot.largest = Math.max(boot.largest, size);
		this.#largest = Math.max(this.#largest, size);
		return this.#follow(boot);
	}

	/** A Pi has its command line. */
	gotCmdline(device: number): void {
		const boot = this.#fetching.get(device);
		if (boot !== undefined) boot.hasCmdline = true;
	}

	#follow(boot: FetchingBoot): FollowedFile {
		let last: { readonly offset: number; readonly at: number } | undefined;
		return {
			read: (offset) => {
				const now = this.#clock.monotonic();
				boot.at = now;
				// The first two pieces are read before anything is sent: from the third on one is read for one that has arrived.
				if (last !== undefined && last.offset > 0 && offset > last.offset && now > last.at) {
					const pace = (now - last.at) / (offset - last.offset);
					boot.pace = boot.pace === undefined ? pace : (boot.pace + pace) / 2;
					boot.pacedAt = now;
				}
				last = { offset, at: now };
			},
			close: () => {
				boot.at = this.#clock.monotonic();
				boot.open--;
			},
		};
	}

	/**
	 * How many more may begin now; 0 or less for nobody.
	 *
	 * Who was let in and has not come yet counts too. But when most stay away, only those count who really fetch, and nobody
	 * stands in line behind the others. And strangers who were let in never keep a Pi waiting that has booted before.
	 */
	room(isKnown: boolean): number {
		this.#sweep();
		const room = this.#limit() - this.#fetching.size;
		const forKnown = roomBeside(this.#known, room);
		return isKnown ? forKnown : roomBeside(this.#strangers, Math.min(room, forKnown));
	}

	#limit(): number {
		const now = this.#clock.monotonic();
		if (now - this.#seenSince >= SEEN_MS) {
			this.#seenBefore = now - this.#seenSince < 2 * SEEN_MS ? this.#seen : 0;
			this.#seen = 0;
			this.#seenSince = now;
		}
		this.#seen = Math.max(this.#seen, this.#together(now));
		const seen = Math.max(this.#seen, this.#seenBefore);
		return seen === 0 ? UNMEASURED : Math.max(LEAST, Math.floor((seen * FILE_MS) / this.#largest));
	}

	/** Bytes per millisecond that all would get together who fetch at this moment, if each were as slow as the slow ones. */
	#together(now: number): number {
		const paces: number[] = [];
		for (const { pace, pacedAt } of this.#fetching.values()) {
			if (pace !== undefined && now - pacedAt < FRESH_MS) paces.push(Math.max(pace, (now - pacedAt) / PIECE_SIZE));
		}
		paces.sort((a, b) => b - a);
		// Nine of ten shall be in time: who is slower may have a bad cable.
		const slow = paces[Math.ceil((paces.length - 1) / 10)];
		return slow === undefined ? 0 : paces.length / slow;
	}

	#sweep(): void {
		const now = this.#clock.monotonic();
		this.#known.sweep(now);
		this.#strangers.sweep(now);
		for (const [device, boot] of this.#fetching) {
			if (now - boot.at < (boot.open > 0 ? STALL_MS : PAUSE_MS)) continue;
			this.#fetching.delete(device);
			if (boot.hasCmdline) this.#largest = Math.max(boot.largest, this.#largest * SHRINKS);
		}
	}
}

function roomBeside({ mostStayAway, places }: LetIn, room: number): number {
	if (mostStayAway) return room > 0 ? Number.POSITIVE_INFINITY : room;
	return room - places;
}

function newBoot(): FetchingBoot {
	return { at: 0, open: 0, largest: 0, pace: undefined, pacedAt: 0, hasCmdline: false };
}
