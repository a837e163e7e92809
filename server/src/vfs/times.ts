/** The times that a tree gives to its changes. */
import type { Clock, FileTime } from "../base/index.ts";

/** Says which of two times is later: below 0, 0 or above 0 as for `Array.sort`. */
export function compareTimes(a: FileTime, b: FileTime): number {
	return a.sec - b.sec || a.nsec - b.nsec;
}

/**
 * A clock for mtime and ctime: each time is later than the one before, by a nanosecond if need be. NFS clients take
 * equal times for "nothing changed" (RFC 1813 section 2.6), and the host's clock ticks in milliseconds and may be set back.
 */
export class StrictTime {
	readonly #clock: Clock;
	#last: FileTime;

	/** @param last the latest time that was ever given, when the tree existed before. */
	constructor(clock: Clock, last: FileTime = { sec: 0, nsec: 0 }) {
		this.#clock = clock;
		this.#last = last;
	}

	next(): FileTime {
		const now = this.now();
		const { sec, nsec } = this.#last;
		const least = nsec === 999_999_999 ? { sec: sec + 1, nsec: 0 } : { sec, nsec: nsec + 1 };
		this.#last = compareTimes(now, least) > 0 ? now : least;
		return this.#last;
	}

	/** The clock's time, which may repeat. */
	now(): FileTime {
		const milliseconds = Math.floor(this.#clock.now());
		const sec = Math.floor(milliseconds / 1000);
		return { sec, nsec: (milliseconds - sec * 1000) * 1_000_000 };
	}
}
