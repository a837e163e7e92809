/**
 * Who may begin a transfer when not everybody can. Anybody on the LAN can send requests and never acknowledge a block, from
 * as many addresses as it likes, so a newcomer is not simply turned away when all places are taken: it gets the place of
 * the one that nobody would miss.
 */
import { isLoopback } from "../wire/rpc/index.ts";

/** A transfer, or a request that is about to become one. */
export interface Place {
	readonly address: string;
	/** The client has acknowledged something: there is somebody who wants the file. */
	readonly hasProgressed: boolean;
	/** Ends it; its place is free at once. */
	cancel(): void;
}

export interface AdmissionLimits {
	readonly places: number;
	/** Places of one address. Loopback is exempt: all virtual Pis may share it. */
	readonly placesPerAddress: number;
}

/** A firmware fetches one file after the other. An address with more than this is the first to lose one. */
const FAIR_SHARE = 4;

export class TftpAdmission<T extends Place> {
	readonly #limits: AdmissionLimits;
	/** The oldest first. */
	readonly #byAddress = new Map<string, Set<T>>();
	#size = 0;

	constructor(limits: AdmissionLimits) {
		this.#limits = limits;
	}

	get size(): number {
		return this.#size;
	}

	/**
	 * Gives a place, if need be that of another, which is cancelled then: of those that never acknowledged anything the
	 * oldest of the address that has most of them; else the oldest of an address that has more than its share.
	 *
	 * @returns false when everybody who has a place deserves it as much.
	 */
	admit(place: T): boolean {
		const own = this.#byAddress.get(place.address) ?? new Set<T>();
		if (own.size >= this.#limits.placesPerAddress && !isLoopback(place.address)) {
			// A Pi that was switched off and on left its old transfers behind.
			if (!this.#evict(oldestHalfOpen(own))) return false;
		} else if (this.#size >= this.#limits.places && !this.#evict(this.#leastMissed(own.size))) return false;
		own.add(place);
		this.#byAddress.set(place.address, own);
		this.#size++;
		return true;
	}

	/** The place is free again. */
	leave(place: T): void {
		const own = this.#byAddress.get(place.address);
		if (own?.delete(place) !== true) return;
		this.#size--;
		if (own.size === 0) this.#byAddress.delete(place.address);
	}

	#evict(place: T | undefined): boolean {
		if (place === undefined) return false;
		this.leave(place);
		place.cancel();
		return true;
	}

	#leastMissed(newcomers: number): T | undefined {
		const halfOpen = this.#greediest((places) => count(places, ({ hasProgressed }) => !hasProgressed));
		if (halfOpen.most > 0) return oldestHalfOpen(halfOpen.places);
		const { most, places } = this.#greediest(({ size }) => size);
		return most > Math.max(FAIR_SHARE, newcomers) ? places.values().next().value : undefined;
	}

	#greediest(measure: (places: ReadonlySet<T>) => number): { most: number; places: ReadonlySet<T> } {
		let found: { most: number; places: ReadonlySet<T> } = { most: 0, places: new Set() };
		for (const places of this.#byAddress.values()) {
			const most = measure(places);
			if (most > found.most) found = { most, places };
		}
		return found;
	}
}

function count<T>(places: ReadonlySet<T>, matches: (place: T) => boolean): number {
	let matching = 0;
	for (const place of places) if (matches(place)) matching++;
	return matching;
}

function oldestHalfOpen<T extends Place>(places: ReadonlySet<T>): T | undefined {
	for (const place of places) if (!place.hasProgressed) return place;
	return undefined;
}
