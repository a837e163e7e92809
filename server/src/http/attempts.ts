/** Counts what was wrong (tokens, codes, passwords) per address and in all, so that nobody can try many. */
import type { Clock } from "../base/index.ts";

const windowMilliseconds = 60_000;
const mostFailures = 20;

/** Addresses that are counted at the same time; the longest known is forgotten first. */
const mostAddresses = 1024;

interface Window {
	count: number;
	readonly until: number;
}

export class Attempts {
	readonly #clock: Clock;
	readonly #mostInAll: number;
	readonly #failures = new Map<string, Window>();
	/** From where somebody was right lately. */
	readonly #friends = new Set<string>();
	#inAll: Window = { count: 0, until: 0 };

	/** @param mostInAll of all addresses together, but for those from where somebody was right before. */
	constructor(clock: Clock, mostInAll = Number.POSITIVE_INFINITY) {
		this.#clock = clock;
		this.#mostInAll = mostInAll;
	}

	/** Whether so much was wrong that attempts of this address are no longer looked at. */
	exhausted(address: string): boolean {
		if (this.#countOf(this.#failures.get(address)) >= mostFailures) return true;
		return this.#countOf(this.#inAll) >= this.#mostInAll && !this.#friends.has(address);
	}

	failed(address: string): void {
		this.#inAll = this.#counted(this.#inAll);
		const entry = this.#counted(this.#failures.get(address));
		renew(this.#failures, address);
		this.#failures.set(address, entry);
	}

	/** It was right after all: a stranger's attempts from elsewhere do not shut this address out. */
	forget(address: string): void {
		this.#failures.delete(address);
		this.#inAll = { ...this.#inAll, count: Math.max(0, this.#inAll.count - 1) };
		this.welcome(address);
	}

	/** Somebody who may ask is there. */
	welcome(address: string): void {
		renew(this.#friends, address);
		this.#friends.add(address);
	}

	#countOf(window: Window | undefined): number {
		return window !== undefined && window.until > this.#clock.now() ? window.count : 0;
	}

	#counted(window: Window | undefined): Window {
		const until = this.#clock.now() + windowMilliseconds;
		if (window === undefined || this.#countOf(window) === 0) return { count: 1, until };
		return { count: window.count + 1, until: window.until };
	}
}

/** Makes the address the newest one, and room for it. */
function renew(known: Map<string, unknown> | Set<string>, address: string): void {
	known.delete(address);
	const oldest = known.keys().next().value;
	if (known.size >= mostAddresses && oldest !== undefined) known.delete(oldest);
}
