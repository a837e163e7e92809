/** Counts wrong tokens, codes and passwords per address, so that nobody can try many. */
import type { Clock } from "../base/index.ts";

const windowMilliseconds = 60_000;
const mostFailures = 20;

/** Addresses that are counted at the same time; the longest known is forgotten first. */
const mostAddresses = 1024;

export class Attempts {
	readonly #clock: Clock;
	readonly #failures = new Map<string, { count: number; until: number }>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Whether this address has failed so often that its attempts are no longer looked at. */
	exhausted(address: string): boolean {
		const entry = this.#failures.get(address);
		if (entry === undefined) return false;
		if (entry.until <= this.#clock.now()) this.#failures.delete(address);
		return entry.until > this.#clock.now() && entry.count >= mostFailures;
	}

	failed(address: string): void {
		const entry = this.#failures.get(address);
		if (entry !== undefined && entry.until > this.#clock.now()) entry.count++;
		else this.#begin(address);
	}

	/** It was right after all. */
	forget(address: string): void {
		this.#failures.delete(address);
	}

	#begin(address: string): void {
		this.#failures.delete(address);
		const oldest = this.#failures.keys().next().value;
		if (this.#failures.size >= mostAddresses && oldest !== undefined) this.#failures.delete(oldest);
		this.#failures.set(address, { count: 1, until: this.#clock.now() + windowMilliseconds });
	}
}
