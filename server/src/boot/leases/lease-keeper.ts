/** Gives out addresses and remembers them: the lease book, with the time, the disk, and a look at the wire before each new one. */
import type { Clock, Logger } from "../../base/index.ts";
import type { AddressHolder } from "../../net/index.ts";
import type { LeaseRepository } from "../../store/index.ts";
import { Said } from "../said.ts";
import { isGivenOut, isLeaseState, type Lease, LeaseBook, type Wish } from "./lease-book.ts";
import { type DhcpSubnet, isIn } from "./settings.ts";

export interface LeaseKeeperParts {
	readonly rows: Pick<LeaseRepository, "list" | "save">;
	readonly clock: Clock;
	readonly log: Logger;
	/** Looks on the wire for somebody else than `mac` who has the address. */
	findHolder(address: string, mac: string): Promise<AddressHolder>;
	/** Whether a device that is not this one is known to have the address. */
	isForeign(address: string, mac: string): boolean;
	/** Whether this client is a device that has booted. */
	hasBooted(mac: string): boolean;
	/** All addresses of the subnet are given out, or other machines have them, and this client got none. */
	exhausted(mac: string, subnet: DhcpSubnet): void;
}

/** How an address is offered. */
export interface OfferWish {
	/** What the client asks for (option 50). */
	readonly requested?: string | undefined;
	/** The client takes it without a word, so the offer is the lease: a Pi up to 3 never sends a REQUEST. */
	readonly isBinding: boolean;
}

/** How an address is given. */
export interface GrantWish {
	readonly seconds: number;
	/** The client speaks from this address. */
	readonly isThere: boolean;
}

/** A REQUEST follows within seconds. */
const OFFER_MS = 60_000;

/** From power-on to the kernel, which asks in its own name; short, because anybody can claim to be such a firmware. */
const FIRMWARE_MS = 10 * 60_000;

/** An address that somebody was found to have is tried again after that: the table of neighbours can be behind the times. */
const IN_USE_MS = 60_000;
const DECLINED_MS = 10 * 60_000;

/** Who declines more of them at a time than this is broken, or wants to empty the range: then the first one is free again. */
const MOST_DECLINED = 3;

/** A week, as the settings allow. */
const LONGEST_MS = 7 * 86_400_000;

/** Smaller corrections of the clock are none. */
const CLOCK_STEP_MS = 5000;

/** How many addresses are tried for one DISCOVER: a bootloader waits for four seconds. */
const TRIES = 4;

/** Clients for whom an address is looked for at the same time; who comes in between asks again. */
const MOST_SEARCHES = 256;

export class LeaseKeeper {
	readonly #parts: LeaseKeeperParts;
	readonly #book = new LeaseBook();
	readonly #said = new Said();
	/** By client and subnet: those for whom an address is being looked for. */
	readonly #searches = new Map<string, Promise<Lease | null | undefined>>();
	/** The last write; the next one waits for it. */
	#write: Promise<void> = Promise.resolve();
	/** What the clock said last. */
	#latest = 0;

	constructor(parts: LeaseKeeperParts) {
		this.#parts = parts;
	}

	/** Reads what was given out before. */
	async load(): Promise<void> {
		const rows = await this.#parts.rows.list();
		// No lease is longer: the clock was ahead when it was given.
		const latest = this.#now() + LONGEST_MS;
		this.#book.load(
			rows.flatMap(({ state, expiresAt, ...row }) =>
				isLeaseState(state) ? [{ ...row, state, expiresAt: Math.min(expiresAt, latest) }] : [],
			),
		);
	}

	/**
	 * The time of day. Leases are stored with it, because the machine may start anew meanwhile. When it is set back while we run,
	 * they go with it: they would last for years. When it is set forward, they have run out, and stay their clients' as such.
	 */
	#now(): number {
		const now = this.#parts.clock.now();
		if (now < this.#latest - CLOCK_STEP_MS) this.#book.shift(this.#latest - now);
		this.#latest = now;
		return now;
	}

	/** Resolves when all is stored. */
	async settle(): Promise<void> {
		await Promise.allSettled(this.#searches.values());
		await this.#write;
	}

	list(): readonly Lease[] {
		return this.#book.list();
	}

	/** The address that the client has in a subnet as far as we know, run out or not. */
	of(mac: string, subnet: DhcpSubnet): Lease | undefined {
		return this.#book.record(mac, subnet, this.#now());
	}

	/**
	 * An address to offer; null when none is left, which is logged, undefined when it takes too long to find one, and the client is
	 * to ask again. A binding one is stored when it resolves.
	 */
	offer(mac: string, subnet: DhcpSubnet, wish: OfferWish): Promise<Lease | null | undefined> {
		const key = `${mac} ${subnet.start}`;
		const searched = this.#searches.get(key);
		if (searched !== undefined) return searched;
		const search = this.#offer(mac, subnet, wish).finally(() => this.#searches.delete(key));
		this.#searches.set(key, search);
		return search;
	}

	async #offer(
		mac: string,
		subnet: DhcpSubnet,
		{ requested, isBinding }: OfferWish,
	): Promise<Lease | null | undefined> {
		const held = await this.#find(mac, subnet, requested);
		return held === null || held === undefined || !isBinding ? held : this.#bind(mac, held, subnet);
	}

	/** The address is the client's for as long as its firmware takes; its system asks in its own name. */
	async #bind(mac: string, held: Lease, subnet: DhcpSubnet): Promise<Lease> {
		const now = this.#now();
		const { address } = held;
		const expiresAt = Math.max(held.expiresAt, now + FIRMWARE_MS);
		if (held.state === "offered") {
			this.#book.offer({ address, mac, state: "offered", expiresAt, isBinding: true, since: now }, subnet);
			await this.#save();
			return { address, mac, state: "offered", expiresAt };
		}
		return held.state === "leased" && expiresAt === held.expiresAt
			? held
			: this.#lease(mac, address, subnet, expiresAt);
	}

	async #find(mac: string, subnet: DhcpSubnet, requested: string | undefined): Promise<Lease | null | undefined> {
		const { isForeign } = this.#parts;
		if (this.#searches.size >= MOST_SEARCHES) return undefined;
		const known = (address: string) => isForeign(address, mac);
		const taken = new Set<string>();
		for (let round = 0; round < TRIES; round++) {
			const now = this.#now();
			const address = this.#choose(mac, subnet, { requested, isForeign: known });
			// One that somebody has is chosen again where there is no other.
			if (address === undefined || taken.has(address)) return this.#exhausted(mac, subnet);
			this.#said.isNew(`range ${subnet.start}`, "has room");
			const running = this.#book.inUse(mac, address, now);
			if (running !== undefined) return running;
			const expiresAt = now + OFFER_MS;
			this.#book.offer({ address, mac, state: "offered", expiresAt, isBinding: false, since: now }, subnet);
			const holder = await this.#parts.findHolder(address, mac);
			// It may have been taken, declined or given to another meanwhile.
			if (holder === undefined) return this.#book.own(mac, address);
			await this.#inUse(address, holder.mac);
			taken.add(address);
		}
		return undefined;
	}

	/** Addresses that other devices are known to have come last: what is known of them can be old. */
	#choose(mac: string, subnet: DhcpSubnet, wish: Wish): string | undefined {
		const now = this.#now();
		const { hasBooted } = this.#parts;
		return (
			this.#book.choose(mac, subnet, now, { ...wish, hasBooted }) ?? this.#book.choose(mac, subnet, now, { hasBooted })
		);
	}

	async #inUse(address: string, holder: string): Promise<void> {
		const whose = holder === "" ? "another machine" : holder;
		this.#say(address, `${address} is not given out: ${whose} has it already`);
		this.#book.block(address, "in-use", holder, this.#now() + IN_USE_MS);
		await this.#save();
	}

	#exhausted(mac: string, subnet: DhcpSubnet): null {
		const { start, end } = subnet;
		this.#parts.exhausted(mac, subnet);
		if (this.#said.isNew(`range ${start}`, "exhausted")) {
			this.#parts.log.warn(
				`no address is left for ${mac}: all of ${start} to ${end} are taken. Make the range larger (--dhcp-range), or the time shorter (--dhcp-lease)`,
			);
		}
		return null;
	}

	#say(whom: string, sentence: string): void {
		if (this.#said.isNew(whom, sentence)) this.#parts.log.warn(sentence);
	}

	/** Gives an address. @returns undefined when it is somebody else's. Stored when it resolves. */
	async grant(mac: string, address: string, subnet: DhcpSubnet, wish: GrantWish): Promise<Lease | undefined> {
		const now = this.#now();
		// What it had stays its own when the range was changed since: a running system would lose its root with its address.
		const may = this.#book.own(mac, address) !== undefined || isGivenOut(subnet, address);
		const isFree = wish.isThere ? this.#book.mayKeep(mac, address, now) : this.#book.isFreeFor(mac, address, now);
		return may && isFree && isIn(subnet, address)
			? this.#lease(mac, address, subnet, now + wish.seconds * 1000)
			: undefined;
	}

	async #lease(mac: string, address: string, subnet: DhcpSubnet, expiresAt: number): Promise<Lease> {
		const lease: Lease = { address, mac, state: "leased", expiresAt };
		this.#book.assign(lease, subnet);
		await this.#save();
		return lease;
	}

	/** The client gave it back. */
	async free(mac: string, address: string): Promise<void> {
		const lease = this.#book.own(mac, address);
		if (lease === undefined || lease.state === "in-use") return;
		if ("isBinding" in lease) this.#book.withdraw(lease);
		else this.#book.free(lease, this.#now());
		await this.#save();
	}

	/** What was only offered to the client is free for others: it took another server's offer. */
	async withdraw(mac: string): Promise<void> {
		for (const offer of this.#book.offersOf(mac)) this.#book.withdraw(offer);
		await this.#save();
	}

	/** Somebody else is found to use the address that the client was to get: it gets another one when it asks again. */
	async lose(mac: string, address: string): Promise<void> {
		const own = this.#book.own(mac, address);
		if (own?.state === "leased") await this.#inUse(address, "");
		else await this.withdraw(mac);
	}

	/** The client found somebody with the address that it was given. @returns whether it was the client's. */
	async decline(mac: string, address: string): Promise<boolean> {
		const own = this.#book.own(mac, address);
		if (own?.state !== "offered" && own?.state !== "leased") return false;
		const [first, ...more] = this.#book.declinedBy(mac);
		if (first !== undefined && more.length + 1 >= MOST_DECLINED) this.#book.forget(first);
		this.#book.block(address, "declined", mac, this.#now() + DECLINED_MS);
		this.#say(mac, `${mac} declined ${address}: another machine has it already; nobody gets it for ten minutes`);
		await this.#save();
		return true;
	}

	/** Stores what changed: an answer follows the commit of what it says. */
	async #save(): Promise<void> {
		const write = this.#write.then(async () => {
			const changes = this.#book.changes();
			if (changes.put.length + changes.gone.length === 0) return;
			try {
				await this.#parts.rows.save(changes.put, changes.gone);
			} catch (error) {
				this.#book.unsaved(changes);
				throw error;
			}
		});
		// Whoever waits for it is told; the next write must be tried all the same.
		this.#write = write.catch(() => undefined);
		await write;
	}
}
