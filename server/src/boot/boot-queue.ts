/**
 * Who may begin to boot when a crowd is switched on at once. As many boot at a time as we can serve in time (`FirmwareLoad`); the
 * others wait where waiting costs nothing: their DISCOVER is answered later. A Pi 4 and a Pi 5 ask every four seconds, for 45
 * seconds, and start over; bootcode.bin asks for ever. But the ROM of a Pi 3 asks five times and is dead then, so it never waits:
 * it fetches bootcode.bin, which is small, and that waits in its place.
 *
 * There are two lines. Those who have booted before go first, and whatever stands in the line of strangers, or was let in from it
 * and never came, does not keep them: anybody can make up any number of DISCOVERs.
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

/** Who comes when so many wait in its line does not wait: strangers could make up any number of them. */
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

interface Line {
	readonly isKnown: boolean;
	/** By device; who came first is first. */
	readonly waiting: Map<number, Waiting>;
	/** When one was let in that had waited too long. */
	overdueAt: number;
}

function newLine(isKnown: boolean): Line {
	return { isKnown, waiting: new Map(), overdueAt: Number.NEGATIVE_INFINITY };
}

export class BootQueue {
	readonly #clock: Clock;
	readonly #load: FirmwareLoad;
	readonly #known = newLine(true);
	readonly #strangers = newLine(false);
	/** In the order of their turn. */
	readonly #lines = [this.#known, this.#strangers];
	/** Pi 3s that have fetched bootcode.bin and nothing behind it: when they were last heard. */
	readonly #pastRom = new Map<number, number>();
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

	/**
	 * A Pi asks that can wait.
	 *
	 * @param isKnown whether it has booted before.
	 * @returns undefined when it may begin at once.
	 */
	ask(device: number, isKnown: boolean): Turn | undefined {
		const now = this.#clock.monotonic();
		const line = isKnown ? this.#known : this.#strangers;
		this.#leave(isKnown ? this.#strangers : this.#known, device);
		const waited = line.waiting.get(device);
		waited?.resolve(false);
		if (waited !== undefined) waited.askedAt = now;
		this.#look();
		if (waited !== undefined && !line.waiting.has(device)) return undefined;
		if (waited === undefined && this.#mayPass(line, device)) {
			if (!this.#load.isAdmitted(device)) this.#load.admitted(device, isKnown);
			return undefined;
		}
		const { promise: comes, resolve } = Promise.withResolvers<boolean>();
		if (waited === undefined) line.waiting.set(device, { since: now, askedAt: now, resolve });
		else waited.resolve = resolve;
		this.#arm();
		return { before: this.#before(line, device), comes };
	}

	/** Nobody's turn comes any more. */
	stop(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		for (const line of this.#lines) for (const device of line.waiting.keys()) this.#leave(line, device);
	}

	#leave({ waiting }: Line, device: number): void {
		waiting.get(device)?.resolve(false);
		waiting.delete(device);
	}

	#mayPass(line: Line, device: number): boolean {
		if (this.#load.isAdmitted(device) || line.waiting.size >= MOST_WAITING) return true;
		return this.#load.room(line.isKnown) > 0 && this.#before(line, device) === 0;
	}

	/** How many are here whose turn comes first. */
	#before(line: Line, device: number): number {
		let before = 0;
		for (const { isKnown, waiting } of this.#lines) {
			for (const [other, { askedAt }] of waiting) {
				if (other === device) break;
				if (this.#isHere(askedAt)) before++;
			}
			if (isKnown === line.isKnown) break;
		}
		return before;
	}

	#isHere(askedAt: number): boolean {
		return this.#clock.monotonic() - askedAt < ASKS_MS;
	}

	#look(): void {
		for (const line of this.#lines) this.#lookAt(line);
	}

	#lookAt(line: Line): void {
		const now = this.#clock.monotonic();
		let room = this.#load.room(line.isKnown);
		for (const [device, { since, askedAt, resolve }] of line.waiting) {
			const isHere = this.#isHere(askedAt);
			if (!isHere) resolve(false);
			if (now - askedAt > KEEPS_PLACE_MS) line.waiting.delete(device);
			if (!isHere || (room <= 0 && !this.#isOverdue(line, since))) continue;
			line.waiting.delete(device);
			resolve(true);
			this.#load.admitted(device, line.isKnown);
			room--;
		}
	}

	#isOverdue(line: Line, since: number): boolean {
		const now = this.#clock.monotonic();
		if (now - since < LONGEST_MS || now - line.overdueAt < OVERDUE_EACH_MS) return false;
		line.overdueAt = now;
		return true;
	}

	#arm(): void {
		if (this.#timer !== undefined || this.#lines.every(({ waiting }) => waiting.size === 0)) return;
		this.#timer = this.#clock.after(LOOK_MS, () => {
			this.#timer = undefined;
			this.#look();
			this.#arm();
		});
	}
}
