/** Time as a thing that tests can replace. */

export interface Timer {
	cancel(): void;
}

export interface Clock {
	/** Milliseconds since 1970. */
	now(): number;
	/** Milliseconds that only ever grow, for durations. */
	monotonic(): number;
	/** Calls `action` once after `milliseconds`; the pending call does not keep the process alive. */
	after(milliseconds: number, action: () => void): Timer;
}

/** The real time. */
export const systemClock: Clock = {
	now: () => Date.now(),
	monotonic: () => performance.now(),
	after(milliseconds, action) {
		const timeout = setTimeout(action, milliseconds);
		timeout.unref();
		return { cancel: () => clearTimeout(timeout) };
	},
};

/** A clock that a test moves by hand. */
export class ManualClock implements Clock {
	#now: number;
	/** How far the time of day is from what a clock would say that nobody ever set. */
	#offset = 0;
	#nextId = 0;
	readonly #pending = new Map<number, { at: number; action: () => void }>();

	/** @param start milliseconds since 1970. */
	constructor(start = 1_700_000_000_000) {
		this.#now = start;
	}

	now(): number {
		return this.#now + this.#offset;
	}

	monotonic(): number {
		return this.#now;
	}

	after(milliseconds: number, action: () => void): Timer {
		const id = this.#nextId++;
		this.#pending.set(id, { at: this.#now + milliseconds, action });
		return { cancel: () => void this.#pending.delete(id) };
	}

	/** Sets the time of day, as a person or NTP does; what waits, waits as long as before. @param now milliseconds since 1970. */
	set(now: number): void {
		this.#offset = now - this.#now;
	}

	/** Moves the time on and runs what becomes due, in order. */
	advance(milliseconds: number): void {
		const end = this.#now + milliseconds;
		for (;;) {
			const due = [...this.#pending].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
			if (due === undefined) break;
			this.#pending.delete(due[0]);
			this.#now = Math.max(this.#now, due[1].at);
			due[1].action();
		}
		this.#now = end;
	}
}
