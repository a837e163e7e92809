/**
 * Which address is whose: pure memory, without sockets, clock or disk. A client is its MAC address (`chaddr`) and never its
 * client identifier: the firmware and the kernel send none, and a system sends one that it made up, so that only the MAC is
 * the same in all stages of a boot.
 */
import { ipv4FromNumber, ipv4ToNumber } from "../../wire/dhcp/index.ts";
import { type Offer, Offers } from "./offers.ts";
import { type DhcpSubnet, isIn } from "./settings.ts";

/**
 * `offered`: for a moment, until the client takes it; a Pi up to 3 does so without a word, and its system says it. `leased`: given. `released`: given back; kept for the same client while
 * nobody else needs it. `declined`: its client found somebody else with it. `in-use`: we found somebody with it.
 */
export type LeaseState = (typeof LEASE_STATES)[number];

const LEASE_STATES = ["offered", "leased", "released", "declined", "in-use"] as const;

export function isLeaseState(word: string): word is LeaseState {
	return LEASE_STATES.some((state) => state === word);
}

export interface Lease {
	readonly address: string;
	/** `dc:a6:32:ec:fc:3c`; of an address `in-use` the one who was found there, empty when nobody knows. */
	readonly mac: string;
	readonly state: LeaseState;
	/** Milliseconds since 1970. A lease that ran out stays its client's until somebody else needs the address. */
	readonly expiresAt: number;
}

/** What is to be stored of the changes since the last time. */
export interface LeaseChanges {
	readonly put: readonly Lease[];
	readonly gone: readonly string[];
}

export interface Wish {
	/** What the client asked for (option 50). */
	readonly requested?: string | undefined;
	/** Whether an address is somebody else's for reasons that are not in this book. */
	readonly isForeign?: (address: string) => boolean;
	/** Whether a client has booted before: strangers do not get what it had while anything else is left. */
	readonly hasBooted?: (mac: string) => boolean;
}

/** More than any LAN has: forged clients cannot fill the memory, however large the range is. */
const MOST = 4096;

/** Who wants what he was offered says so within a few seconds. */
const TAKING_MS = 10_000;

export class LeaseBook {
	readonly #byAddress = new Map<string, Lease>();
	readonly #byMac = new Map<string, readonly Lease[]>();
	readonly #dirty = new Set<string>();
	readonly #offers = new Offers((address) => void this.#dirty.add(address));

	/** Takes what was stored, what ends first, first: of two addresses of one client in one subnet the later one stands. */
	load(leases: readonly Lease[]): void {
		for (const lease of leases) {
			// What is stored of offers is what Pis use without a word.
			if (lease.state === "offered") this.#offers.load(asOffer(lease));
			else this.#put(lease);
		}
		this.#dirty.clear();
	}

	/** Whose each address is, or who was offered it last, in the order of the addresses. */
	list(): Lease[] {
		const offered = [...this.#offers.addresses()].flatMap((address) => this.#offers.at(address).at(-1) ?? []);
		const shown = new Map(
			offered.map(({ address, mac, state, expiresAt }) => [address, { address, mac, state, expiresAt }]),
		);
		for (const lease of this.#byAddress.values()) {
			if (lease.expiresAt > (shown.get(lease.address)?.expiresAt ?? 0)) shown.delete(lease.address);
		}
		const leased = [...this.#byAddress.values()].filter(({ address }) => !shown.has(address));
		return [...leased, ...shown.values()].sort((a, b) => ipv4ToNumber(a.address) - ipv4ToNumber(b.address));
	}

	/** Whose an address is: who was given it, else who was offered it. */
	at(address: string): Lease | undefined {
		return this.#byAddress.get(address) ?? this.#offers.at(address).at(-1);
	}

	/** What a client has of an address, given or offered. One that it declined is not its own. */
	own(mac: string, address: string): Lease | Offer | undefined {
		const lease = this.#byAddress.get(address);
		if (lease?.mac === mac) return lease.state === "declined" ? undefined : lease;
		return this.#offers.ofClient(mac).find((offer) => offer.address === address);
	}

	/** What we know that a client has in a subnet, run out or not; what was but offered is nothing that it has. */
	record(mac: string, subnet: DhcpSubnet, now: number): Lease | undefined {
		const isUsed = (offer: Offer) => offer.isBinding && offer.expiresAt > now;
		const used = this.#offers.ofClient(mac).filter((offer) => isUsed(offer) && isIn(subnet, offer.address));
		return this.#given(mac, subnet)[0] ?? used[0] ?? this.#found(mac, subnet)[0];
	}

	/** The lease or the offer that a client uses now. */
	inUse(mac: string, address: string, now: number): Lease | Offer | undefined {
		const lease = this.#byAddress.get(address);
		if (lease?.mac === mac && lease.state === "leased" && lease.expiresAt > now) return lease;
		const offer = this.#offers.ofClient(mac).find((one) => one.address === address);
		return offer?.isBinding === true && offer.expiresAt > now ? offer : undefined;
	}

	/**
	 * The client's address in a subnet, run out or not. One that it declined is not its own, and one that it was found to have
	 * when somebody else was to get it counts less than what it was given: the table of neighbours may remember an earlier boot.
	 */
	of(mac: string, subnet: DhcpSubnet): Lease | Offer | undefined {
		return this.#allOf(mac, subnet)[0];
	}

	/** The best first. */
	#allOf(mac: string, subnet: DhcpSubnet): readonly (Lease | Offer)[] {
		const offered = this.#offers.ofClient(mac).filter(({ address }) => isIn(subnet, address));
		return [...this.#given(mac, subnet), ...offered, ...this.#found(mac, subnet)];
	}

	#given(mac: string, subnet: DhcpSubnet): readonly Lease[] {
		const isGiven = ({ address, state }: Lease) =>
			(state === "leased" || state === "released") && isIn(subnet, address);
		return (this.#byMac.get(mac) ?? []).filter(isGiven);
	}

	#found(mac: string, subnet: DhcpSubnet): readonly Lease[] {
		return (this.#byMac.get(mac) ?? []).filter(({ address, state }) => state === "in-use" && isIn(subnet, address));
	}

	/** What a client was offered and did not take, in all subnets. */
	offersOf(mac: string): readonly Offer[] {
		return this.#offers.ofClient(mac);
	}

	/** What a client declined, what ends first, first. */
	declinedBy(mac: string): readonly Lease[] {
		const declined = (this.#byMac.get(mac) ?? []).filter(({ state }) => state === "declined");
		return declined.sort((a, b) => a.expiresAt - b.expiresAt);
	}

	/**
	 * Chooses an address for a client: its own, else the one that it asks for, else one by its MAC, which is the same each
	 * time, else the next that was never used, else the one that is missed least. Undefined when all are given.
	 */
	choose(mac: string, subnet: DhcpSubnet, now: number, wish: Wish = {}): string | undefined {
		const foreign = (address: string) => wish.isForeign?.(address) ?? false;
		const mayHave = (address: string) => isGivenOut(subnet, address) && !foreign(address);
		for (const { address } of this.#allOf(mac, subnet)) {
			if (mayHave(address) && this.isFreeFor(mac, address, now)) return address;
		}
		const isFree = (address: string) => mayHave(address) && this.#isUnused(address, now);
		const unused = this.#byAddress.size < MOST ? firstOf(mac, subnet, wish.requested, isFree) : undefined;
		return unused ?? this.#leastMissed(mac, now, mayHave, wish.hasBooted ?? (() => false));
	}

	/** Whether there is a place for what is to be written down of an address. */
	#hasPlaceFor(address: string): boolean {
		return this.#byAddress.size < MOST || this.#byAddress.has(address);
	}

	#isUnused(address: string, now: number): boolean {
		return !this.#byAddress.has(address) && this.#offers.standing(address, now) === undefined;
	}

	#leastMissed(
		mac: string,
		now: number,
		mayHave: (address: string) => boolean,
		hasBooted: (mac: string) => boolean,
	): string | undefined {
		let best: { readonly address: string; readonly missed: Missed } | undefined;
		for (const address of new Set([...this.#byAddress.keys(), ...this.#offers.addresses()])) {
			const missed = this.#missed(mac, address, now, hasBooted);
			if (missed === undefined || !mayHave(address) || !this.#hasPlaceFor(address)) continue;
			if (best === undefined || isLess(missed, best.missed)) best = { address, missed };
		}
		return best?.address;
	}

	/** How much an address would be missed; undefined when it is not to be had. Whoever was given it has a right to it. */
	#missed(mac: string, address: string, now: number, hasBooted: (mac: string) => boolean): Missed | undefined {
		const lease = this.#byAddress.get(address);
		if (lease !== undefined && isHeld(lease, now)) {
			// Whether somebody has it is looked for once more before it is offered.
			return isBlocked(lease) && lease.mac !== mac ? [Loss.BLOCKED, lease.expiresAt] : undefined;
		}
		const offer = this.#offers.standing(address, now);
		if (offer !== undefined) return [offer.since + TAKING_MS <= now ? Loss.NOT_TAKEN : Loss.OFFERED, offer.since];
		if (lease === undefined) return [Loss.NONE, 0];
		return [hasBooted(lease.mac) ? Loss.OF_A_DEVICE : Loss.OVER, lease.expiresAt];
	}

	/** Tells whether this client may have this address: nobody else has it, it is not kept out of use, and the book is not full. */
	isFreeFor(mac: string, address: string, now: number): boolean {
		if (!this.#hasPlaceFor(address)) return false;
		const lease = this.#byAddress.get(address);
		const hasOffer = this.#offers.ofClient(mac).some((offer) => offer.address === address);
		if (lease !== undefined && isHeld(lease, now)) {
			if (lease.mac === mac) return lease.state !== "declined";
			// Nobody was there any more when it was offered.
			return isBlocked(lease) && hasOffer;
		}
		return lease?.mac === mac || hasOffer || this.#offers.standing(address, now) === undefined;
	}

	/**
	 * Tells whether a client that speaks from this address may keep it. So it did not decline it, whatever somebody said in its
	 * name, and what was offered to others does not count.
	 */
	mayKeep(mac: string, address: string, now: number): boolean {
		if (!this.#hasPlaceFor(address)) return false;
		const lease = this.#byAddress.get(address);
		return lease === undefined || lease.mac === mac || !isHeld(lease, now);
	}

	/** Writes down to whom an address is given, instead of all that the client had in that subnet. */
	assign(lease: Lease, subnet: DhcpSubnet): void {
		const { mac, address } = lease;
		for (const other of this.#byMac.get(mac) ?? []) {
			if (other.state !== "declined" && other.address !== address && isIn(subnet, other.address)) this.#remove(other);
		}
		for (const offer of this.#offers.ofClient(mac)) if (isIn(subnet, offer.address)) this.#offers.remove(offer);
		this.#put(lease);
	}

	/** Writes down to whom an address is offered; what the client was given stays given. */
	offer(offer: Offer, subnet: DhcpSubnet): void {
		this.#offers.add(offer, subnet);
	}

	/** Keeps an address out of use until then. */
	block(address: string, state: "declined" | "in-use", mac: string, expiresAt: number): void {
		this.#put({ address, mac, state, expiresAt });
	}

	/** The client gave its address back; kept for it while nobody else needs it. */
	free(lease: Lease, now: number): void {
		this.#put({ ...lease, state: "released", expiresAt: Math.min(now, lease.expiresAt) });
	}

	/** The client took the address of another server, or gave back what it had never taken. */
	withdraw(offer: Offer): void {
		this.#offers.remove(offer);
	}

	/** An address is as if it had never been used. */
	forget(lease: Lease): void {
		this.#remove(lease);
	}

	/** The clock was set back by so many milliseconds: all ends when it would have. */
	shift(milliseconds: number): void {
		for (const lease of [...this.#byAddress.values()].reverse()) {
			this.#remove(lease);
			this.#set({ ...lease, expiresAt: lease.expiresAt - milliseconds });
		}
		this.#offers.shift(milliseconds);
	}

	/** What changed since the last call. An offer is not stored, unless it is used without a word. */
	changes(): LeaseChanges {
		const put: Lease[] = [];
		const gone: string[] = [];
		for (const address of this.#dirty) {
			const stored = this.#stored(address);
			if (stored === undefined) gone.push(address);
			else put.push(stored);
		}
		this.#dirty.clear();
		return { put, gone };
	}

	#stored(address: string): Lease | undefined {
		const lease = this.#byAddress.get(address);
		const offer = this.#offers.stored(address);
		if (offer === undefined || (lease !== undefined && lease.expiresAt >= offer.expiresAt)) return lease;
		const { mac, state, expiresAt } = offer;
		return { address, mac, state, expiresAt };
	}

	/** The changes could not be stored: they are still to be. */
	unsaved({ put, gone }: LeaseChanges): void {
		for (const address of [...gone, ...put.map((lease) => lease.address)]) this.#dirty.add(address);
	}

	#put(lease: Lease): void {
		const before = this.#byAddress.get(lease.address);
		if (before !== undefined) this.#remove(before);
		for (const offer of this.#offers.at(lease.address)) this.#offers.remove(offer);
		this.#set(lease);
	}

	#set(lease: Lease): void {
		this.#byAddress.set(lease.address, lease);
		this.#byMac.set(lease.mac, [lease, ...(this.#byMac.get(lease.mac) ?? [])]);
		this.#dirty.add(lease.address);
	}

	#remove(lease: Lease): void {
		this.#byAddress.delete(lease.address);
		const left = (this.#byMac.get(lease.mac) ?? []).filter((other) => other !== lease);
		if (left.length === 0) this.#byMac.delete(lease.mac);
		else this.#byMac.set(lease.mac, left);
		this.#dirty.add(lease.address);
	}
}

/** What is lost when an address gets another client, the least first. */
const Loss = {
	NONE: 0,
	/** A lease that ran out. */
	OVER: 1,
	/** An offer that nobody took in time. */
	NOT_TAKEN: 2,
	/** The same address again for a device that has booted. */
	OF_A_DEVICE: 3,
	/** An offer that may be taken at any moment. */
	OFFERED: 4,
	/** The rest for an address that somebody was found with. */
	BLOCKED: 5,
} as const;

/** The kind of loss, and the time that decides between two of one kind: the earlier one is less. */
type Missed = readonly [loss: number, time: number];

function isLess(one: Missed, other: Missed): boolean {
	return one[0] === other[0] ? one[1] < other[1] : one[0] < other[0];
}

/** Given to somebody, or kept out of use, at this time. */
function isHeld({ state, expiresAt }: Lease, now: number): boolean {
	return state !== "released" && expiresAt > now;
}

function isBlocked({ state }: Lease): boolean {
	return state === "declined" || state === "in-use";
}

function asOffer({ address, mac, expiresAt }: Lease): Offer {
	return { address, mac, expiresAt, state: "offered", isBinding: true, since: 0 };
}

function rangeOf(subnet: DhcpSubnet): { first: number; count: number } {
	const first = ipv4ToNumber(subnet.start);
	return { first, count: ipv4ToNumber(subnet.end) - first + 1 };
}

/** What the client asks for, else what comes first in the range from where its MAC points to. */
function firstOf(
	mac: string,
	subnet: DhcpSubnet,
	requested: string | undefined,
	isFree: (address: string) => boolean,
): string | undefined {
	if (requested !== undefined && isFree(requested)) return requested;
	const { first, count } = rangeOf(subnet);
	const start = hashOf(mac) % count;
	for (let step = 0; step < Math.min(count, MOST); step++) {
		const address = ipv4FromNumber(first + ((start + step) % count));
		if (isFree(address)) return address;
	}
	return undefined;
}

/** In the range, and no address that has a meaning: ours, the router's, the network's own, the broadcast address. */
export function isGivenOut(subnet: DhcpSubnet, address: string): boolean {
	const number = ipv4ToNumber(address);
	if (number < ipv4ToNumber(subnet.start) || number > ipv4ToNumber(subnet.end)) return false;
	if (address === subnet.serverAddress || address === subnet.router) return false;
	const hostBits = ~ipv4ToNumber(subnet.netmask) >>> 0;
	const host = (number & hostBits) >>> 0;
	return host !== 0 && host !== hostBits;
}

/** FNV-1a over the text of the MAC, 32 bits. */
function hashOf(mac: string): number {
	let hash = 0x811c9dc5;
	for (let at = 0; at < mac.length; at++) hash = Math.imul(hash ^ mac.charCodeAt(at), 0x01000193);
	return hash >>> 0;
}
