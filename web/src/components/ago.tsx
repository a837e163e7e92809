/** A time as people say it, which grows older by itself. */
import { useSyncExternalStore } from "react";
import { agoText, dateTimeText } from "../words/time.ts";

/** Milliseconds; one clock for the whole page. */
const TICK = 10_000;

const listeners = new Set<() => void>();
let ticking: number | undefined;
let now = Date.now();

function subscribe(listener: () => void): () => void {
	listeners.add(listener);
	if (ticking === undefined) {
		now = Date.now();
		ticking = window.setInterval(tick, TICK);
	}
	return () => {
		listeners.delete(listener);
		if (listeners.size > 0) return;
		window.clearInterval(ticking);
		ticking = undefined;
	};
}

function tick(): void {
	now = Date.now();
	for (const listener of listeners) listener();
}

/** The time, as old as a tick at most. */
export function useNow(): number {
	return useSyncExternalStore(subscribe, () => now);
}

export function Ago({ at }: { readonly at: number }) {
	// The text, not the time: most texts stay the same from one tick to the next, and are not painted again.
	const text = useSyncExternalStore(subscribe, () => agoText(at, Math.max(now, at)));
	return (
		<time dateTime={new Date(at).toISOString()} title={dateTimeText(at)}>
			{text}
		</time>
	);
}
