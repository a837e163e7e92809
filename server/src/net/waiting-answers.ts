/**
 * DHCP answers that wait for their time. Anybody can ask in the name of clients that are not there, so the places are bounded: those of
 * clients that are known are not for strangers, and no client has more than a few.
 */
import type { Clock, Timer } from "../base/index.ts";

/** Questions that are waited for at a time. */
const PLACES = 2048;

/** Of one client. */
const PLACES_PER_CLIENT = 32;

/**
 * A question that comes again so soon has its answer under way: a little early, but no client asks so quickly for itself, and nobody
 * takes all its places by asking in its name.
 */
const AGAIN_MS = 100;

/** What was asked, and what is to be done for it. */
export interface WaitingAnswer {
	readonly client: string;
	/** The same for a message that comes again. */
	readonly question: string;
	readonly isKnown: boolean;
	/** Milliseconds after which to send, with what sends it. */
	readonly answers: readonly { readonly delay: number; readonly send: () => void }[];
}

interface Waiting {
	readonly client: string;
	readonly question: string;
	readonly isKnown: boolean;
	readonly since: number;
	readonly timers: Set<Timer>;
}

export class WaitingAnswers {
	readonly #clock: Clock;
	/** The oldest first. */
	readonly #known = new Set<Waiting>();
	readonly #unknown = new Set<Waiting>();
	readonly #byClient = new Map<string, Set<Waiting>>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Questions that are waited for. */
	get size(): number {
		return this.#known.size + this.#unknown.size;
	}

	/** @returns false when there is no place for them. What is under way already needs none. */
	add({ client, question, isKnown, answers }: WaitingAnswer): boolean {
		const own = this.#byClient.get(client) ?? new Set<Waiting>();
		const now = this.#clock.monotonic();
		for (const one of own) if (one.question === question && now - one.since < AGAIN_MS) return true;
		if (own.size >= PLACES_PER_CLIENT || !this.#hasRoom(isKnown)) return false;
		const waiting = { client, question, isKnown, since: now, timers: new Set<Timer>() };
		(isKnown ? this.#known : this.#unknown).add(waiting);
		this.#byClient.set(client, own.add(waiting));
		for (const { delay, send } of answers) this.#wait(waiting, delay, send);
		return true;
	}

	/** Strangers come in while there is room; for who is known the newest of them goes, whose client will ask again. */
	#hasRoom(isKnown: boolean): boolean {
		if (this.size < PLACES) return true;
		const newest = isKnown ? [...this.#unknown].at(-1) : undefined;
		if (newest === undefined) return false;
		this.#drop(newest);
		return true;
	}

	#wait(waiting: Waiting, delay: number, send: () => void): void {
		const timer = this.#clock.after(delay, () => {
			waiting.timers.delete(timer);
			if (waiting.timers.size === 0) this.#drop(waiting);
			send();
		});
		waiting.timers.add(timer);
	}

	#drop(waiting: Waiting): void {
		for (const timer of waiting.timers) timer.cancel();
		this.#known.delete(waiting);
		this.#unknown.delete(waiting);
		const own = this.#byClient.get(waiting.client);
		own?.delete(waiting);
		if (own?.size === 0) this.#byClient.delete(waiting.client);
	}

	/** Nothing is sent any more. */
	cancel(): void {
		for (const waiting of [...this.#known, ...this.#unknown]) this.#drop(waiting);
	}
}
