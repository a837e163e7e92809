/**
 * The ROMs of Pi 3Bs that wait for an OFFER. They all use the same xid, which is also that of the 3B+ and of bootcode.bin, and look
 * at nothing else: whatever is broadcast under it, they take.
 */
import type { Clock } from "../../base/index.ts";

/** From one DISCOVER of a ROM to the next. */
const WAIT_MS = 5500;

/** From the DISCOVER to the last OFFER, and until the Pi has begun to fetch; the others ask again after five seconds. */
const SLOT_MS = 3000;

/** More than anybody switches on at once; of more than these, some are forgotten. */
const MOST = 256;

export class RomSlots {
	readonly #clock: Clock;
	/** Until when each may wait for its OFFER. */
	readonly #waiting = new Map<string, number>();
	#holder: { readonly mac: string; readonly until: number } | undefined;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** A ROM asked. */
	asked(mac: string): void {
		if (this.#waiting.size >= MOST) this.#waiting.clear();
		this.#waiting.set(mac, this.#clock.monotonic() + WAIT_MS);
	}

	/** The Pi is past its ROM. */
	left(mac: string): void {
		this.#waiting.delete(mac);
	}

	/** Whether the ROM of another Pi would hear a broadcast. */
	hasListeners(mac: string): boolean {
		const now = this.#clock.monotonic();
		for (const [other, until] of this.#waiting) {
			if (until <= now) this.#waiting.delete(other);
			else if (other !== mac) return true;
		}
		return false;
	}

	/** Whether nobody else is in his slot: for where an OFFER can only be broadcast. */
	isFree(mac: string): boolean {
		const holder = this.#holder;
		return holder === undefined || holder.mac === mac || holder.until <= this.#clock.monotonic();
	}

	take(mac: string): void {
		this.#holder = { mac, until: this.#clock.monotonic() + SLOT_MS };
	}
}
