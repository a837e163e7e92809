/**
 * Who may begin to boot when a crowd is switched on at once. As many boot at a time as we can serve in time (`FirmwareLoad`); the
 * others wait where waiting costs nothing: their DISCOVER is answered later. A Pi 4 and a Pi 5 ask every four seconds, for 45
 * seconds, and start over; bootcode.bin asks for ever. But the ROM of a Pi 3 asks five times and is dead then, so it never waits:
 * it fetches bootcode.bin, which is small, and that waits in its place.
 */
import type { Clock, Timer } from "../base/index.ts";
import type { FirmwareLoad } from "./firmware-load.ts";

/** How often it is looked whether there is room. */
const LOOK_MS = 200;

/** From one question of a Pi to the next; an answer to an older one is not taken. */
const ASKS_MS = 5000;

/** A Pi that asks no more loses its place then: a Pi 4 that starts over has been silent for a while. */
const KEEPS_PLACE_MS = 60_000;

/** After so long the first in the line begins whatever the others do, and from then on one each time: nobody can keep it waiting. */
const LONGEST_MS = 5 * 60_000;
const OVERDUE_EACH_MS = 5000;

/** Who comes when so many wait does not wait: strangers could make up any number of them. */
const MOST_WAITING = 1000;

/** A Pi that was silent for so long behind its bootcode.bin was switched off and on, and it is its ROM that asks. */
const POWER_CYCLE_MS = 8000;

export interface Turn {
	/** How many are before it. */
	readonly before: number;
	/** Resolves with true when it is its turn, and with false when it has asked again meanwhile, or asks no more. */
	readonly comes: Promise<boolean>;
}

interface Waiting {
	readonly since: number;
	askedAt: number;
	resolve: (isTurn: boolean) => void;
}

export class BootQueue {
	readonly #clock: Clock;
	readonly #load: FirmwareLoad;
	/** By device; who came first is first. */
	readonly #waiting = new Map<number, Waiting>();
	/** Pi 3s that have fetched bootcode.bin and nothing behind it: when they were last heard. */
	readonly #pastRom = new Map<number, number>();
	/** When one was let in that had waited too long. */
	#overdueAt = Number.NEGATIVE_INFINITY;
	#timer: Timer | undefined;

	constructor(clock: Clock, load: FirmwareLoad) {
		this.#clock = clock;
		this.#load = load;
	}

	/** A Pi's ROM has got what comes after it. */
	gotBootcode(device: number): void {
		if (this.#pastRom.size >= MOST_WAITING) this.#pastRom.clear();
		this.#pastRom.set(device, this.#clock.monotonic());
	}

	/** A Pi has asked for something that comes after bootcode.bin. */
	gotOn(device: number): void {
		this.#pastRom.delete(device);
	}

	/** Whether it is not the ROM of a Pi 3 that asks, as far as can be known: both look alike. */
	isPastRom(device: number): boolean {
		const heard = this.#pastRom.get(device);
		const now = this.#clock.monotonic();
		this.#pastRom.delete(device);
		if (heard === undefined || now - heard > POWER_CYCLE_MS) return false;
		this.#pastRom.set(device, now);
		return true;
	}

	/** A Pi asks that can wait. @returns undefined when it may begin at once. */
	ask(device: number): Turn | undefined {
		const now = this.#clock.monotonic();
		const known = this.#waiting.get(device);
		known?.resolve(false);
		if (known !== undefined) known.askedAt = now;
		this.#look();
		if (known !== undefined && !this.#waiting.has(device)) return undefined;
		if (known === undefined && this.#mayPass(device)) {
			if (!this.#load.isAdmitted(device)) this.#load.admitted(device);
			return undefined;
		}
		const { promise: comes, resolve } = Promise.withResolvers<boolean>();
		if (known === undefined) this.#waiting.set(device, { since: now, askedAt: now, resolve });
		else known.resolve = resolve;
		this.#arm();
		return { before: this.#before(device), comes };
	}

	/** Nobody's turn comes any more. */
	stop(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		for (const { resolve } of this.#waiting.values()) resolve(false);
		this.#waiting.clear();
	}

	#mayPass(device: number): boolean {
		if (this.#load.isAdmitted(device) || this.#waiting.size >= MOST_WAITING) return true;
		return this.#load.room() > 0 && this.#before(device) === 0;
	}

	#before(device: number): number {
		let before = 0;
		for (const [other, { askedAt }] of this.#waiting) {
			if (other === device) break;
			if (this.#isHere(askedAt)) before++;
		}
		return before;
	}

	#isHere(askedAt: number): boolean {
		return this.#clock.monotonic() - askedAt < ASKS_MS;
	}

	#look(): void {
		const now = this.#clock.monotonic();
		let room = this.#load.room();
		for (const [device, { since, askedAt, resolve }] of this.#waiting) {
			const isHere = this.#isHere(askedAt);
			if (!isHere) resolve(false);
			if (now - askedAt > KEEPS_PLACE_MS) this.#waiting.delete(device);
			if (!isHere || (room <= 0 && !this.#isOverdue(since))) continue;
			this.#waiting.delete(device);
			resolve(true);
			this.#load.admitted(device);
			room--;
		}
	}

	#isOverdue(since: number): boolean {
		const now = this.#clock.monotonic();
		if (now - since < LONGEST_MS || now - this.#overdueAt < OVERDUE_EACH_MS) return false;
		this.#overdueAt = now;
		return true;
	}

	#arm(): void {
		if (this.#timer !== undefined || this.#waiting.size === 0) return;
		this.#timer = this.#clock.after(LOOK_MS, () => {
			this.#timer = undefined;
			this.#look();
			this.#arm();
		});
	}
}
