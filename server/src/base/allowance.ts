/** So much at once, and then so much per second. */
import type { Clock } from "./clock.ts";

export interface AllowanceLimits {
	readonly burst: number;
	readonly perSecond: number;
}

export class Allowance {
	readonly #clock: Clock;
	readonly #limits: AllowanceLimits;
	#credit: number;
	#at: number;

	constructor(clock: Clock, limits: AllowanceLimits) {
		this.#clock = clock;
		this.#limits = limits;
		this.#credit = limits.burst;
		this.#at = clock.monotonic();
	}

	/** Whether there is one left, which is taken then. */
	take(): boolean {
		const now = this.#clock.monotonic();
		this.#credit = Math.min(this.#limits.burst, this.#credit + ((now - this.#at) / 1000) * this.#limits.perSecond);
		this.#at = now;
		if (this.#credit < 1) return false;
		this.#credit--;
		return true;
	}
}
