/**
 * Pi 3Bs whose ROM waits for an OFFER, one after the other, where an OFFER can only be broadcast. The ROMs all use the same xid, and
 * look at nothing else: whatever is broadcast under it, they take.
 */
import type { Clock } from "../../base/index.ts";

/** From the DISCOVER to the last OFFER, and until the Pi has begun to fetch; the others ask again after five seconds. */
const SLOT_MS = 3000;

export class RomSlots {
	readonly #clock: Clock;
	#holder: { readonly mac: string; readonly until: number } | undefined;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Whether nobody else is in his slot. */
	isFree(mac: string): boolean {
		const holder = this.#holder;
		return holder === undefined || holder.mac === mac || holder.until <= this.#clock.monotonic();
	}

	take(mac: string): void {
		this.#holder = { mac, until: this.#clock.monotonic() + SLOT_MS };
	}
}
