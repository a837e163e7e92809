/**
 * Which address is whose: pure memory, without sockets, clock or disk. A client is its MAC address (`chaddr`) and never its
 * client identifier: the firmware and the kernel send none, and a system sends one that it made up, so that only the MAC is
 * the same in all stages of a boot.
 */
import { ipv4FromNumber, ipv4ToNumber } from "../../wire/dhcp/index.ts";
import { type DhcpSubnet, isIn } from "./settings.ts";

/**
 * `offered`: for a moment, until the client takes it. `leased`: given. `released`: given back; kept for the same client while
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
}

/** More than any LAN has: forged clients cannot fill the memory, however large the range is. */
const MOST = 4096;

export class LeaseBook {
	readonly #byAddress = new Map<string, Lease>();
	readonly #byMac = new Map<string, readonly Lease[]>();
	readonly #dirty = new Set<string>();

	/** Takes what was stored, what ends first, first: of two addresses of one client in one subnet the later one stands. */
	load(leases: readonly Lease[]): void {
		for (const lease of leases) this.#put(lease);
		this.#dirty.clear();
	}

	/** In the order of their addresses. */
	list(): Lease[] {
		return [...this.#byAddress.values()].sort((a, b) => ipv4ToNumber(a.address) - ipv4ToNumber(b.address));
	}

	at(address: string): Lease | undefined {
		return this.#byAddress.get(address);
	}

	/**
	 * The client's address in a subnet, run out or not. One that it declined is not its own, and one that it was found to have
	 * when somebody else was to get it counts less than what it was given: the table of neighbours may remember an earlier boot.
	 */
	of(mac: string, subnet: DhcpSubnet): Lease | undefined {
		const all = (this.#byMac.get(mac) ?? []).filter(
			({ address, state }) => state !== "declined" && isIn(subnet, address),
		);
		return all.find(({ state }) => state !== "in-use") ?? all[0];
	}

	/** The leases of a client, in all subnets. */
	ofClient(mac: string): readonly Lease[] {
		return (this.#byMac.get(mac) ?? []).filter(({ state }) => state !== "declined");
	}

	/**
	 * Chooses an address for a client: its own, else the one that it asks for, else one by its MAC, which is the same each
	 * time, else the next that was never used, else the one that ran out first. Undefined when all are taken.
	 */
	choose(mac: string, subnet: DhcpSubnet, now: number, wish: Wish = {}): string | undefined {
		const foreign = (address: string) => wish.isForeign?.(address) ?? false;
		const own = this.of(mac, subnet);
		if (own !== undefined && isGivenOut(subnet, own.address) && !foreign(own.address)) return own.address;
		const { requested } = wish;
		const isFree = (address: string) => isGivenOut(subnet, address) && !this.#byAddress.has(address);
		if (requested !== undefined && isFree(requested) && !foreign(requested)) return requested;
		const { first, count } = rangeOf(subnet);
		const start = hashOf(mac) % count;
		if (this.#byAddress.size < MOST) {
			for (let step = 0; step < Math.min(count, MOST); step++) {
				const address = ipv4FromNumber(first + ((start + step) % count));
				if (isFree(address) && !foreign(address)) return address;
			}
		}
		return this.#ranOutFirst(subnet, now, foreign);
	}

	#ranOutFirst(subnet: DhcpSubnet, now: number, isForeign: (address: string) => boolean): string | undefined {
		let best: Lease | undefined;
		for (const lease of this.#byAddress.values()) {
			if (lease.expiresAt > now || !isGivenOut(subnet, lease.address) || isForeign(lease.address)) continue;
			if (best === undefined || goesBefore(lease, best)) best = lease;
		}
		return best?.address;
	}

	/** Tells whether this client may have this address: nobody else has it, and it is not kept out of use. */
	isFreeFor(mac: string, address: string, now: number): boolean {
		const lease = this.#byAddress.get(address);
		if (lease === undefined || lease.expiresAt <= now) return true;
		return lease.mac === mac && lease.state !== "declined";
	}

	/** Writes down whose an address is, instead of all that the client had in that subnet. */
	assign(lease: Lease, subnet: DhcpSubnet): void {
		for (const other of this.ofClient(lease.mac)) {
			if (other.address !== lease.address && isIn(subnet, other.address)) this.#remove(other);
		}
		this.#put(lease);
	}

	/** Keeps an address out of use until then. */
	block(address: string, state: "declined" | "in-use", mac: string, expiresAt: number): void {
		this.#put({ address, mac, state, expiresAt });
	}

	/** The client gave its address back, or took that of another server. */
	free(lease: Lease, now: number): void {
		if (lease.state === "offered") this.#put({ ...lease, expiresAt: now });
		else this.#put({ ...lease, state: "released", expiresAt: Math.min(now, lease.expiresAt) });
	}

	/** What changed since the last call. An offer is not stored: who takes it is. */
	changes(): LeaseChanges {
		const put: Lease[] = [];
		const gone: string[] = [];
		for (const address of this.#dirty) {
			const lease = this.#byAddress.get(address);
			if (lease === undefined) gone.push(address);
			else if (lease.state !== "offered") put.push(lease);
		}
		this.#dirty.clear();
		return { put, gone };
	}

	/** The changes could not be stored: they are still to be. */
	unsaved({ put, gone }: LeaseChanges): void {
		for (const address of [...gone, ...put.map((lease) => lease.address)]) this.#dirty.add(address);
	}

	#put(lease: Lease): void {
		const before = this.#byAddress.get(lease.address);
		if (before !== undefined) this.#remove(before);
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

/** Who never took what was offered goes before who had it. */
function goesBefore(one: Lease, other: Lease): boolean {
	if ((one.state === "offered") !== (other.state === "offered")) return one.state === "offered";
	return one.expiresAt < other.expiresAt;
}

function rangeOf(subnet: DhcpSubnet): { first: number; count: number } {
	const first = ipv4ToNumber(subnet.start);
	return { first, count: ipv4ToNumber(subnet.end) - first + 1 };
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
