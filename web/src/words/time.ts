/** Times for people, in the words and the zone of their browser. */

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** Each from where the smaller one would be rounded to as many: nobody says "60 minutes ago". */
const steps = [
	{ unit: "day", seconds: 86_400, least: 84_600 },
	{ unit: "hour", seconds: 3600, least: 3570 },
	{ unit: "minute", seconds: 60, least: 60 },
] as const;

/** `just now`, `5 minutes ago`, `yesterday`. */
export function agoText(at: number, now: number): string {
	const seconds = Math.round((now - at) / 1000);
	const step = steps.find((one) => Math.abs(seconds) >= one.least);
	return step === undefined ? "just now" : relative.format(-Math.round(seconds / step.seconds), step.unit);
}

export const dateTimeText = (at: number): string => dateTime.format(at);

export const clockText = (at: number): string => clock.format(at);

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function durationText(milliseconds: number): string {
	const tenths = Math.round(milliseconds / 100);
	if (tenths < 100) return `${(tenths / 10).toFixed(1)} s`;
	// Rounded before it is split: 119.7 s are 2 minutes, not 1 and 60 seconds.
	const seconds = Math.round(milliseconds / 1000);
	if (seconds < 60) return `${seconds} s`;
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
	return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
