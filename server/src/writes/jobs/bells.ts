/** Agents that wait for work: each until something happens that may concern it, or its time is over. */
import type { Clock } from "../../base/index.ts";

export class Bells {
	readonly #clock: Clock;
	/** One per device: an agent that asks again has given up its earlier question. */
	readonly #waiting = new Map<number, () => void>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Whether the agent of a device waits. */
	has(deviceKey: number): boolean {
		return this.#waiting.has(deviceKey);
	}

	/** Resolves when the bell of the device rings, after so many milliseconds, or when nobody waits for the answer any more. */
	wait(deviceKey: number, milliseconds: number, signal: AbortSignal): Promise<void> {
		this.ring(deviceKey);
		if (signal.aborted) return Promise.resolve();
		return new Promise((resolve) => {
			const wake = () => {
				timer.cancel();
				signal.removeEventListener("abort", wake);
				if (this.#waiting.get(deviceKey) === wake) this.#waiting.delete(deviceKey);
				resolve();
			};
			const timer = this.#clock.after(milliseconds, wake);
			signal.addEventListener("abort", wake, { once: true });
			this.#waiting.set(deviceKey, wake);
		});
	}

	ring(deviceKey: number): void {
		this.#waiting.get(deviceKey)?.();
	}

	ringAll(): void {
		for (const wake of [...this.#waiting.values()]) wake();
	}
}
