/**
 * A crowd is painted a few at a time, so that the page answers between them: hundreds of Pis that come, change or are looked
 * for at once would keep the browser busy for as long as a person notices.
 */
import type { ShownDevice } from "./shown-devices.ts";

/** Cards that a slow phone paints within 50 ms, the time after which people feel that a page hangs. */
export const MOST_AT_ONCE = 12;

/** What is painted of each Pi, by its id. */
export type Painted = ReadonlyMap<string, ShownDevice>;

/** What is painted next. @returns whether there is more to paint, too. */
export function paceOn(before: Painted, wanted: readonly ShownDevice[]): { painted: Painted; isBehind: boolean } {
	const painted = new Map<string, ShownDevice>();
	let left = MOST_AT_ONCE;
	for (const one of wanted) {
		const last = before.get(one.device.id);
		const isNew = last === undefined || !looksTheSame(last, one);
		const shown = isNew && left-- > 0 ? one : last;
		if (shown !== undefined) painted.set(one.device.id, shown);
	}
	return { painted, isBehind: left < 0 };
}

function looksTheSame(a: ShownDevice, b: ShownDevice): boolean {
	return a.device === b.device && a.status.word === b.status.word && a.status.sentence === b.status.sentence;
}
