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
	/** All addresses of the subnet are given out, and this client got none. */
	exhausted(mac: string, subnet: DhcpSubnet): void;
}

/** How an address is offered. */
export interface OfferWish {
	/** What the client asks for (option 50). */
	readonly requested?: string | undefined;
	/** The client takes it without a word, so the offer is the lease: a Pi up to 3 never sends a REQUEST. */
	readonly isBinding: boolean;
}

/** A REQUEST follows within seconds. */
const OFFER_MS = 60_000;

/** From power-on to the kernel, which asks in its own name; short, because anybody can claim to be such a firmware. */
const FIRMWARE_MS = 10 * 60_000;

/** An address that somebody was found to have is tried again after that: the table of neighbours can be behind the times. */
const IN_USE_MS = 60_000;
const DECLINED_MS = 10 * 60_000;

/** How many addresses are tried for one DISCOVER: a bootloader waits for four seconds. */
const TRIES = 4;

/** Clients for whom an address is looked for at the same time; who comes in between asks again. */
const MOST_SEARCHES = 256;

export class LeaseKeeper {
	readonly #parts: LeaseKeeperParts;
	readonly #book = new LeaseBook();
	readonly #said = new Said();
	/** By client and subnet: those for whom an address is being looked for. */
	readonly #searches = new Map<string, Promise<Lease | undefined>>();
	/** The last write; the next one waits for it. */
	#write: Promise<void> = Promise.resolve();

	constructor(parts: LeaseKeeperParts) {
		this.#parts = parts;
	}

	/** Reads what was given out before. */
	async load(): Promise<void> {
		const rows = await this.#parts.rows.list();
		this.#book.load(rows.flatMap(({ state, ...row }) => (isLeaseState(state) ? [{ ...row, state }] : [])));
	}

	/** Resolves when all is stored. */
	async settle(): Promise<void> {
		await Promise.allSettled(this.#searches.values());
		await this.#write;
	}

	list(): readonly Lease[] {
		return this.#book.list();
	}

	/** The client's address in a subnet, run out or not. */
	of(mac: string, subnet: DhcpSubnet): Lease | undefined {
		return this.#book.of(mac, subnet);
	}

	/**
	 * An address to offer; undefined when there is none, which is logged, or when it takes too long to find one, and the client is
	 * to ask again. A binding one is stored when it resolves.
	 */
	offer(mac: string, subnet: DhcpSubnet, wish: OfferWish): Promise<Lease | undefined> {
		const key = `${mac} ${subnet.start}`;
		const searched = this.#searches.get(key);
		if (searched !== undefined) return searched;
		const search = this.#offer(mac, subnet, wish).finally(() => this.#searches.delete(key));
		this.#searches.set(key, search);
		return search;
	}

	async #offer(mac: string, subnet: DhcpSubnet, { requested, isBinding }: OfferWish): Promise<Lease | undefined> {
		const held = await this.#find(mac, subnet, requested);
		if (held === undefined || !isBinding) return held;
		const until = Math.max(held.expiresAt, this.#parts.clock.now() + FIRMWARE_MS);
		return this.#lease(mac, held.address, subnet, until);
	}

	async #find(mac: string, subnet: DhcpSubnet, requested: string | undefined): Promise<Lease | undefined> {
		const { isForeign, clock } = this.#parts;
		if (this.#searches.size >= MOST_SEARCHES) return undefined;
		const known = (address: string) => isForeign(address, mac);
		for (let round = 0; round < TRIES; round++) {
			const now = clock.now();
			const address = this.#choose(mac, subnet, { requested, isForeign: known });
			if (address === undefined) return this.#exhausted(mac, subnet);
			this.#said.isNew(`range ${subnet.start}`, "has room");
			const before = this.#book.at(address);
			const isRunning = before?.mac === mac && before.state === "leased" && before.expiresAt > now;
			if (isRunning) return before;
			const offered: Lease = { address, mac, state: "offered", expiresAt: now + OFFER_MS };
			this.#book.assign(offered, subnet);
			const holder = await this.#parts.findHolder(address, mac);
			// It may have been taken, declined or given back meanwhile.
			const current = this.#book.at(address);
			if (holder === undefined) return current?.mac === mac ? current : undefined;
			await this.#inUse(address, holder.mac);
		}
		return undefined;
	}

	/** Addresses that other devices are known to have come last: what is known of them can be old. */
	#choose(mac: string, subnet: DhcpSubnet, wish: Wish): string | undefined {
		const now = this.#parts.clock.now();
		return this.#book.choose(mac, subnet, now, wish) ?? this.#book.choose(mac, subnet, now);
	}

	async #inUse(address: string, holder: string): Promise<void> {
		const whose = holder === "" ? "another machine" : holder;
		this.#say(address, `${address} is not given out: ${whose} has it already`);
		this.#book.block(address, "in-use", holder, this.#parts.clock.now() + IN_USE_MS);
		await this.#save();
	}

	#exhausted(mac: string, subnet: DhcpSubnet): undefined {
		const { start, end } = subnet;
		this.#parts.exhausted(mac, subnet);
		if (this.#said.isNew(`range ${start}`, "exhausted")) {
			this.#parts.log.warn(
				`no address is left for ${mac}: all of ${start} to ${end} are given out. Make the range larger (--dhcp-range), or the time shorter (--dhcp-lease)`,
			);
		}
		return undefined;
	}

	#say(whom: string, sentence: string): void {
		if (this.#said.isNew(whom, sentence)) this.#parts.log.warn(sentence);
	}

	/** Gives an address for so many seconds. @returns undefined when it is somebody else's. Stored when it resolves. */
	async grant(mac: string, address: string, subnet: DhcpSubnet, seconds: number): Promise<Lease | undefined> {
		const now = this.#parts.clock.now();
		const own = this.of(mac, subnet);
		// What it had stays its own when the range was changed since: a running system would lose its root with its address.
		const may = own?.address === address || isGivenOut(subnet, address);
		if (!may || !isIn(subnet, address) || !this.#book.isFreeFor(mac, address, now)) return undefined;
		return this.#lease(mac, address, subnet, now + seconds * 1000);
	}

	async #lease(mac: string, address: string, subnet: DhcpSubnet, expiresAt: number): Promise<Lease> {
		const lease: Lease = { address, mac, state: "leased", expiresAt };
		this.#book.assign(lease, subnet);
		await this.#save();
		return lease;
	}

	/** The client gave it back, or took another server's. */
	async free(mac: string, address: string): Promise<void> {
		const lease = this.#book.at(address);
		if (lease?.mac !== mac || lease.state === "declined" || lease.state === "in-use") return;
		this.#book.free(lease, this.#parts.clock.now());
		await this.#save();
	}

	/** What was only offered to the client is free for others: it took another server's offer. */
	async withdraw(mac: string): Promise<void> {
		for (const lease of this.#book.ofClient(mac)) if (lease.state === "offered") await this.free(mac, lease.address);
	}

	/** The client found somebody with the address that it was given. @returns whether it was the client's. */
	async decline(mac: string, address: string): Promise<boolean> {
		const lease = this.#book.at(address);
		if (lease?.mac !== mac || (lease.state !== "offered" && lease.state !== "leased")) return false;
		this.#book.block(address, "declined", mac, this.#parts.clock.now() + DECLINED_MS);
		this.#parts.log.warn(`${mac} declined ${address}: another machine has it already; nobody gets it for ten minutes`);
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
