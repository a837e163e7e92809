/** When the folder is looked at: every few seconds, soon after a change was told, and when somebody asks. Looks never overlap. */
import { type Clock, errorText, type Logger, type Timer } from "../base/index.ts";

export interface LooksOptions {
	readonly look: () => Promise<void>;
	readonly clock: Clock;
	readonly log: Logger;
	/** Milliseconds between two looks. */
	readonly pollMs: number;
}

export class Looks {
	readonly #options: LooksOptions;
	#timer: { readonly at: number; readonly timer: Timer } | undefined;
	#looking: Promise<void> | undefined;
	#lookAgain: Promise<void> | undefined;
	#isRunning = false;

	constructor(options: LooksOptions) {
		this.#options = options;
	}

	/** Resolves when the first look has ended. */
	async start(): Promise<void> {
		this.#isRunning = true;
		await this.now();
	}

	/** Resolves when none goes on. */
	async stop(): Promise<void> {
		this.#isRunning = false;
		this.#timer?.timer.cancel();
		this.#timer = undefined;
		await Promise.allSettled([this.#lookAgain, this.#looking]);
	}

	/** Resolves when a look that began after this call has ended. */
	now(): Promise<void> {
		this.#lookAgain ??= this.#lookNext();
		return this.#lookAgain;
	}

	/** Makes sure that there is a look in so many milliseconds. */
	soon(milliseconds: number): void {
		const { clock, log } = this.#options;
		const at = clock.monotonic() + milliseconds;
		if (!this.#isRunning || (this.#timer !== undefined && this.#timer.at <= at)) return;
		this.#timer?.timer.cancel();
		const timer = clock.after(milliseconds, () => {
			this.#timer = undefined;
			this.now().catch((error) => log.error(`the images were not looked at: ${errorText(error)}`));
		});
		this.#timer = { at, timer };
	}

	async #lookNext(): Promise<void> {
		// Who asked for that look hears of its failure.
		await Promise.allSettled([this.#looking]);
		this.#lookAgain = undefined;
		this.#looking = this.#look().finally(() => {
			this.#looking = undefined;
		});
		await this.#looking;
	}

	async #look(): Promise<void> {
		if (!this.#isRunning) return;
		try {
			await this.#options.look();
		} finally {
			this.soon(this.#options.pollMs);
		}
	}
}
