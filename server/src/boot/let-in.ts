/**
 * Who was let in and has not come for its files yet.
 *
 * A Pi takes a place from its OFFER on. But a stranger who makes up DISCOVERs never comes, so a place is kept for a short time,
 * and when most stay away it counts no more.
 */

/** From the OFFER to the first file: the router's ACK comes between. Who has not come until then stays away. */
const COMES_MS = 5000;

/** Places that are kept. */
const MOST = 1024;

export interface LetInOptions {
	/** For how long a place is kept, in milliseconds, up to 5000. */
	readonly keptMs: number;
	/** Of how many it is remembered whether they came. */
	readonly remembered: number;
}

export class LetIn {
	readonly #options: LetInOptions;
	/** When each was let in, the oldest first: who may still come, and those of them for whom a place is kept. */
	readonly #expected = new Map<number, number>();
	readonly #kept = new Map<number, number>();
	#came = 0;
	#stayedAway = 0;

	constructor(options: LetInOptions) {
		this.#options = options;
	}

	/** Places that are kept. */
	get places(): number {
		return this.#kept.size;
	}

	get mostStayAway(): boolean {
		return this.#stayedAway > this.#came;
	}

	has(device: number): boolean {
		return this.#expected.has(device);
	}

	add(device: number, now: number): void {
		const [oldest] = this.#expected.keys();
		if (oldest !== undefined && this.#expected.size >= MOST) this.#leaves(oldest, false);
		for (const since of [this.#expected, this.#kept]) {
			since.delete(device);
			since.set(device, now);
		}
	}

	came(device: number): void {
		if (this.#expected.has(device)) this.#leaves(device, true);
	}

	/** Forgets those whose time is over. */
	sweep(now: number): void {
		for (const [device, at] of this.#kept) {
			if (now - at < this.#options.keptMs) break;
			this.#kept.delete(device);
		}
		for (const [device, at] of this.#expected) {
			if (now - at < COMES_MS) break;
			this.#leaves(device, false);
		}
	}

	#leaves(device: number, hasCome: boolean): void {
		this.#expected.delete(device);
		this.#kept.delete(device);
		if (hasCome) this.#came++;
		else this.#stayedAway++;
		if (this.#came + this.#stayedAway < this.#options.remembered) return;
		this.#came /= 2;
		this.#stayedAway /= 2;
	}
}
