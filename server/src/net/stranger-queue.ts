/**
 * Where clients wait that nobody knows yet. What they may ask for costs little, but a thousand that ask without end would take the
 * processor from the Pis that run. So all of them together get a small part of its time.
 */
import type { Clock, Timer } from "../base/index.ts";

const INTERVAL_MS = 10;
const TURNS = 4;

export class StrangerQueue {
	readonly #clock: Clock;
	/** In the order in which they came. */
	#waiting: (() => void)[] = [];
	#timer: Timer | undefined;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Calls `turn` when it is its turn. */
	wait(turn: () => void): void {
		this.#waiting.push(turn);
		this.#arm();
	}

	#arm(): void {
		this.#timer ??= this.#clock.after(INTERVAL_MS, () => {
			this.#timer = undefined;
			for (const turn of this.#waiting.splice(0, TURNS)) turn();
			if (this.#waiting.length > 0) this.#arm();
		});
	}

	/** Nobody gets a turn any more. */
	stop(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		this.#waiting = [];
	}
}
