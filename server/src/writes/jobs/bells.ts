/** Agents that wait for work: each until something happens that may concern it, or its time is over. */
import type { Clock } from "../../base/index.ts";

/** Why the waiting ended; `gone`: nobody waits for the answer any more. */
export type Awoken = "rung" | "late" | "gone";

export class Bells {
	readonly #clock: Clock;
	/** One per device: an agent that asks again has given up its earlier question. */
	readonly #waiting = new Map<number, (why: Awoken) => void>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Resolves when the bell of the device rings, after so many milliseconds, or when nobody waits for the answer any more. */
	wait(deviceKey: number, milliseconds: number, signal: AbortSignal): Promise<Awoken> {
		this.#waiting.get(deviceKey)?.("gone");
		if (signal.aborted) return Promise.resolve("gone");
		return new Promise((resolve) => {
			const wake = (why: Awoken) => {
				timer.cancel();
				signal.removeEventListener("abort", leave);
				if (this.#waiting.get(deviceKey) === wake) this.#waiting.delete(deviceKey);
				resolve(why);
			};
			const leave = () => wake("gone");
			const timer = this.#clock.after(milliseconds, () => wake("late"));
			signal.addEventListener("abort", leave, { once: true });
			this.#waiting.set(deviceKey, wake);
		});
	}

	ring(deviceKey: number): void {
		this.#waiting.get(deviceKey)?.("rung");
	}

	ringAll(): void {
		for (const wake of [...this.#waiting.values()]) wake("rung");
	}

	/** Nobody is to wait any more. */
	close(): void {
		for (const wake of [...this.#waiting.values()]) wake("gone");
	}
}
