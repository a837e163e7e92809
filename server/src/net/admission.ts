/**
 * Who is let in when not everybody can be. Anybody on the LAN can begin transfers without ever acknowledging a block, and open
 * connections without saying a word, from as many addresses as it likes. So a newcomer is not simply turned away when all
 * places are taken: it gets the place of the one that nobody would miss.
 */
import { isLoopback } from "../wire/rpc/index.ts";

/** A transfer or a connection. */
export interface Guest {
	readonly address: string;
	/** There is somebody who really wants it: a block was acknowledged, a root was entered, a token was shown. */
	readonly isWanted: boolean;
	/** Ends it; its place is free at once. */
	evict(): void;
}

export interface AdmissionLimits {
	readonly places: number;
	/** Places of one address. Loopback is exempt: all virtual Pis may share it. */
	readonly perAddress: number;
	/** Other addresses that many share, and that are exempt likewise. */
	readonly isShared?: (address: string) => boolean;
	/** Who has more than this is the first to lose one of those that are wanted. */
	readonly fairShare: number;
}

export class Admission<T extends Guest> {
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
	 * Gives a place, if need be that of another, which is evicted then: of the address that has most places, the oldest that nobody
	 * wants, or the oldest of all where the address has more than its share.
	 *
	 * @returns false when everybody who has a place deserves it as much.
	 */
	admit(guest: T): boolean {
		const own = this.#byAddress.get(guest.address) ?? new Set<T>();
		if (own.size >= this.#limits.perAddress && !this.#isShared(guest.address)) {
			// A Pi that was switched off and on left its old transfers behind.
			if (!this.#evict(oldestUnwanted(own))) return false;
		} else if (this.#size >= this.#limits.places && !this.#evict(this.#leastMissed(own))) return false;
		own.add(guest);
		this.#byAddress.set(guest.address, own);
		this.#size++;
		return true;
	}

	#isShared(address: string): boolean {
		return isLoopback(address) || this.#limits.isShared?.(address) === true;
	}

	/** The place is free again. */
	leave(guest: T): void {
		const own = this.#byAddress.get(guest.address);
		if (own?.delete(guest) !== true) return;
		this.#size--;
		if (own.size === 0) this.#byAddress.delete(guest.address);
	}

	#evict(guest: T | undefined): boolean {
		if (guest === undefined) return false;
		this.leave(guest);
		guest.evict();
		return true;
	}

	/** @param own what the newcomer's address has: it takes nothing from an address that has no more. */
	#leastMissed(own: ReadonlySet<T>): T | undefined {
		let leastMissed = oldestUnwanted(own);
		let most = own.size;
		for (const places of this.#byAddress.values()) {
			if (places.size <= most) continue;
			const candidate = oldestUnwanted(places) ?? this.#oldestOfGreedy(places);
			if (candidate === undefined) continue;
			most = places.size;
			leastMissed = candidate;
		}
		return leastMissed;
	}

	#oldestOfGreedy(places: ReadonlySet<T>): T | undefined {
		return places.size > this.#limits.fairShare ? places.values().next().value : undefined;
	}
}

function oldestUnwanted<T extends Guest>(places: ReadonlySet<T>): T | undefined {
	for (const guest of places) if (!guest.isWanted) return guest;
	return undefined;
}
