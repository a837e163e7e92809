/**
 * Which addresses were offered and are not taken yet. An offer is a hint and no possession: whoever forges clients makes any
 * number of them, so that they never take an address from somebody who was given it, and of two who were offered the same one
 * the first who asks for it gets it.
 */
import type { Lease } from "./lease-book.ts";
import { type DhcpSubnet, isIn } from "./settings.ts";

export interface Offer extends Lease {
	readonly state: "offered";
	/** The client takes it without a word: a Pi up to 3 never sends a REQUEST. Stored, because it is used. */
	readonly isBinding: boolean;
	/** When it was made, in milliseconds since 1970. */
	readonly since: number;
}

/** Of more clients than these the oldest are forgotten. */
const MOST_CLIENTS = 1024;

export class Offers {
	/** The client that was offered something last stands last. */
	readonly #byMac = new Map<string, readonly Offer[]>();
	readonly #byAddress = new Map<string, readonly Offer[]>();
	readonly #onStored: (address: string) => void;

	/** @param onStored what is stored of this address is another now. */
	constructor(onStored: (address: string) => void) {
		this.#onStored = onStored;
	}

	/** Instead of what the client was offered in that subnet before. */
	add(offer: Offer, subnet: DhcpSubnet): void {
		for (const other of this.ofClient(offer.mac)) if (isIn(subnet, other.address)) this.remove(other);
		this.load(offer);
	}

	/** Beside what the client was offered before. */
	load(offer: Offer): void {
		const { mac } = offer;
		const others = this.ofClient(mac);
		this.#byMac.delete(mac);
		if (this.#byMac.size >= MOST_CLIENTS) this.#forgetOldest();
		this.#byMac.set(mac, [offer, ...others]);
		this.#byAddress.set(offer.address, [...this.at(offer.address), offer]);
		if (offer.isBinding) this.#onStored(offer.address);
	}

	#forgetOldest(): void {
		for (const [mac] of this.#byMac) {
			for (const offer of this.ofClient(mac)) this.remove(offer);
			return;
		}
	}

	remove(offer: Offer): void {
		const isOther = (one: Offer) => one !== offer;
		putOrDelete(this.#byMac, offer.mac, this.ofClient(offer.mac).filter(isOther));
		putOrDelete(this.#byAddress, offer.address, this.at(offer.address).filter(isOther));
		if (offer.isBinding) this.#onStored(offer.address);
	}

	/** In all subnets, run out or not. */
	ofClient(mac: string): readonly Offer[] {
		return this.#byMac.get(mac) ?? [];
	}

	/** Of all clients, run out or not, the last one last. */
	at(address: string): readonly Offer[] {
		return this.#byAddress.get(address) ?? [];
	}

	/** The one at an address that was made last and has not run out. */
	standing(address: string, now: number): Offer | undefined {
		return this.at(address).findLast(({ expiresAt }) => expiresAt > now);
	}

	/** The one at an address that is stored. */
	stored(address: string): Offer | undefined {
		return this.at(address).findLast(({ isBinding }) => isBinding);
	}

	/** Every address that was offered to somebody. */
	addresses(): IterableIterator<string> {
		return this.#byAddress.keys();
	}

	/** The clock was set back by so many milliseconds. */
	shift(milliseconds: number): void {
		const all = [...this.#byMac.values()].flatMap((offers) => offers.toReversed());
		for (const offer of all) this.remove(offer);
		for (const { since, expiresAt, ...offer } of all) {
			this.load({ ...offer, since: since - milliseconds, expiresAt: expiresAt - milliseconds });
		}
	}
}

function putOrDelete<V>(map: Map<string, readonly V[]>, key: string, values: readonly V[]): void {
	if (values.length === 0) map.delete(key);
	else map.set(key, values);
}
