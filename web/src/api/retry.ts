/** How long the page waits until it tries again. */

/** Milliseconds: the first time, and at most. */
const FIRST = 1000;
const MOST = 15_000;

/**
 * Milliseconds; each time a little different, so that the pages of a class do not come all at once.
 *
 * @param failures how often it was tried in vain before.
 * @param chance from 0 to 1.
 */
export function waitBefore(failures: number, chance = Math.random()): number {
	return Math.min(FIRST * 2 ** failures, MOST) * (0.75 + chance / 2);
}
