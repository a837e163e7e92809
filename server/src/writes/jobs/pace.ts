/** How fast a write is, and how long it will take, out of what was reported lately. */
import type { WriteJob } from "./job.ts";

interface Sample {
	readonly at: number;
	readonly bytes: number;
	readonly percent: number;
}

/** Long enough that the pauses of a card do not show, short enough that a change does. */
const WINDOW_MS = 15_000;
/** Below that, nobody can tell. */
const LEAST_MS = 1500;
/** Nobody believes an estimate of weeks. */
const MOST_SECONDS = 7 * 86_400;

export class Pace {
	#samples: Sample[] = [];

	/** @param now monotonic, milliseconds. */
	note({ counts, percent }: WriteJob, now: number): void {
		const bytes = counts.bytesDone + counts.verifiedBytes;
		this.#samples = this.#samples.filter(({ at }) => now - at <= WINDOW_MS);
		const last = this.#samples.at(-1);
		// Reports come with each sync too; a few per second say no more.
		if (last === undefined || now - last.at >= 250) this.#samples.push({ at: now, bytes, percent });
	}

	/** Bytes per second that were written or read back. */
	get bytesPerSecond(): number {
		const span = this.#span();
		return span === undefined ? 0 : Math.max(0, Math.round((span.bytes / span.milliseconds) * 1000));
	}

	/** Null while there is nothing to estimate it from. */
	secondsLeft(percent: number): number | null {
		const span = this.#span();
		if (span === undefined || span.percent <= 0) return null;
		const seconds = Math.round(((100 - percent) / span.percent) * (span.milliseconds / 1000));
		return seconds < MOST_SECONDS ? seconds : null;
	}

	#span(): { readonly milliseconds: number; readonly bytes: number; readonly percent: number } | undefined {
		const [first] = this.#samples;
		const last = this.#samples.at(-1);
		if (first === undefined || last === undefined || last.at - first.at < LEAST_MS) return undefined;
		return {
			milliseconds: last.at - first.at,
			bytes: last.bytes - first.bytes,
			percent: last.percent - first.percent,
		};
	}
}
