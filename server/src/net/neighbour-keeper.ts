/**
 * Who has an address from which files are fetched, as the kernel is to know it.
 *
 * The ROM of a Pi 3B does not answer ARP while it fetches its file. The kernel forgets where a machine is that does not answer, eight
 * seconds after it last heard its ARP, and the rest of the file would go nowhere. So it is told again, from time to time, for as long
 * as the transfer runs. It forgets by itself afterwards.
 *
 * An OFFER goes to its client alone because the kernel is told where that is, and several may be offered the same address. Who fetches
 * a file from there has it: nobody else is told as long as that lasts, and where the kernel was told of several, it asks the wire.
 */
import type { Clock, Timer } from "../base/index.ts";
import { type AddressHolder, AddressProbe } from "./address-probe.ts";
import { type InterfaceSource, systemSource } from "./interfaces.ts";
import { NeighbourTeller, type NeighbourTellerOptions } from "./neighbour-teller.ts";
import { findNeighbour, type Neighbour } from "./neighbours.ts";

/** DELAY_PROBE_TIME of Linux is five seconds: before that nothing is asked. */
const AGAIN_MS = 3000;

/** After we could not tell it. */
const PAUSE_MS = 60_000;

/** Told again at a time: each is a program that runs, every few seconds. Twelve Pi 3Bs are many. */
const MOST_TOLD = 32;

export interface NeighbourKeeperOptions extends NeighbourTellerOptions {
	readonly clock: Clock;
	/** Tests bring their own. */
	readonly source?: InterfaceSource;
	/** Asks the wire who has an address. */
	readonly ask?: (address: string) => Promise<AddressHolder>;
}

/** `held`: somebody else fetches files from this address. `refused`: we may not tell the kernel. */
export type Told = "told" | "held" | "refused";

/** An address that is kept for the one who fetches from it. */
export interface Keeping {
	/** Whose MAC address is behind it; undefined where the kernel does not know, or nobody looked. */
	readonly mac: Promise<string | undefined>;
	release(): void;
}

/** A transfer that runs. */
export interface KeptTransfer {
	/** Somebody is there who reads. */
	readonly isWanted: boolean;
}

interface Kept {
	readonly transfers: Set<KeptTransfer>;
	readonly found: Promise<Neighbour | undefined>;
	/** Undefined until it is found out, and where nobody is found. */
	holder: Neighbour | undefined;
	isFound: boolean;
	timer: Timer | undefined;
}

const NOT_KEPT: Keeping = { mac: Promise.resolve(undefined), release() {} };

export class NeighbourKeeper {
	readonly #options: Required<Pick<NeighbourKeeperOptions, "clock" | "source" | "ask">>;
	readonly #teller: NeighbourTeller;
	/** By address, as many as there are transfers at most. */
	readonly #kept = new Map<string, Kept>();
	readonly #told = new Set<Kept>();
	/** It takes root, and Linux; and what failed once can work later: an interface was away, or the machine was busy. */
	#mayFrom: number;

	constructor(options: NeighbourKeeperOptions) {
		const { clock, source = systemSource } = options;
		const probe = new AddressProbe(clock, source);
		this.#options = { clock, source, ask: options.ask ?? ((address) => probe.find(address, "")) };
		this.#teller = new NeighbourTeller(options);
		this.#mayFrom = source.platform === "linux" ? 0 : Number.POSITIVE_INFINITY;
	}

	/** Tells the kernel who is going to have an address. */
	async tell(neighbour: Neighbour): Promise<Told> {
		const { address, mac } = neighbour;
		// It may be this client's own transfer for which somebody is being looked for.
		await this.#kept.get(address)?.found;
		let isHeld = false;
		const isTold = await this.#teller.tell(neighbour, () => {
			isHeld = this.#isAnothers(address, mac);
			return !isHeld;
		});
		if (isTold) return "told";
		return isHeld ? "held" : "refused";
	}

	get #may(): boolean {
		return this.#options.clock.monotonic() >= this.#mayFrom;
	}

	#isAnothers(address: string, mac: string): boolean {
		const kept = this.#kept.get(address);
		if (kept === undefined) return false;
		return kept.isFound ? kept.holder !== undefined && kept.holder.mac !== mac : true;
	}

	/**
	 * Looks for somebody else than `mac` who has an address.
	 *
	 * @param look looks at the wire. What the kernel's table has then may be what it was told, of a client that is not there: anybody
	 * can ask in the name of a Pi 3B. So the kernel forgets it first.
	 */
	async findHolder(address: string, mac: string, look: () => Promise<AddressHolder>): Promise<AddressHolder> {
		const kept = await this.#kept.get(address)?.found;
		if (kept !== undefined) return unless(mac, kept);
		const isKept = () => this.#kept.has(address);
		if (this.#teller.isDoubtful(address, mac)) await this.#teller.forget(address, () => !isKept());
		await this.#teller.settle(address);
		const found = await look();
		const holder = await this.#kept.get(address)?.found;
		if (holder !== undefined) return unless(mac, holder);
		// Another client was offered the same meanwhile.
		return found !== undefined && this.#teller.wasTold(address, found.mac) ? undefined : found;
	}

	/**
	 * Keeps what the kernel knows of an address from which a file is asked for.
	 *
	 * @param isDeaf it may not answer ARP meanwhile. Where it does, there is only something to keep if several were offered the address.
	 */
	keep(address: string, isDeaf: boolean, transfer: KeptTransfer): Keeping {
		const before = this.#kept.get(address);
		const isWorthIt = before !== undefined || isDeaf || this.#teller.isContested(address);
		if (!this.#may || !isWorthIt) return NOT_KEPT;
		const kept = before ?? this.#begin(address);
		kept.transfers.add(transfer);
		return { mac: kept.found.then((holder) => holder?.mac), release: () => this.#release(address, kept, transfer) };
	}

	#begin(address: string): Kept {
		// Without it a transfer is as good as it would be anyway.
		const found = this.#findOut(address).catch(() => undefined);
		const kept: Kept = { transfers: new Set(), found, holder: undefined, isFound: false, timer: undefined };
		this.#kept.set(address, kept);
		this.#later(kept);
		void found.then((holder) => {
			kept.holder = holder;
			kept.isFound = true;
		});
		return kept;
	}

	#release(address: string, kept: Kept, transfer: KeptTransfer): void {
		if (!kept.transfers.delete(transfer) || kept.transfers.size > 0) return;
		kept.timer?.cancel();
		this.#kept.delete(address);
		this.#told.delete(kept);
	}

	/** Who asks has just told the kernel by ARP where it is, unless we told it something else since. */
	async #findOut(address: string): Promise<Neighbour | undefined> {
		const known = await findNeighbour(address, this.#options.source);
		const isContested = this.#teller.isContested(address);
		const found = isContested ? await this.#askAnew(address) : known;
		const holder = found ?? known;
		if (holder !== undefined) this.#teller.found(holder);
		// Who does not answer got our OFFER, so the kernel had it right at that time.
		if (found === undefined && known !== undefined) await this.#teller.tell(known);
		return holder;
	}

	async #askAnew(address: string): Promise<Neighbour | undefined> {
		await this.#teller.forget(address);
		const answer = await this.#options.ask(address);
		return answer === undefined ? undefined : findNeighbour(address, this.#options.source);
	}

	/** Most transfers are over before that. */
	#later(kept: Kept): void {
		kept.timer = this.#options.clock.after(AGAIN_MS, () => void this.#again(kept));
	}

	/** Never throws, as telling does not. */
	async #again(kept: Kept): Promise<void> {
		const { holder } = kept;
		if (holder !== undefined && this.#may && this.#isTold(kept) && !(await this.#teller.tell(holder))) {
			this.#mayFrom = this.#options.clock.monotonic() + PAUSE_MS;
		}
		if (kept.transfers.size > 0) this.#later(kept);
	}

	/** Anybody can begin transfers from many addresses: those that nobody reads take no place. */
	#isTold(kept: Kept): boolean {
		const isWanted = [...kept.transfers].some((transfer) => transfer.isWanted);
		if (!isWanted) this.#told.delete(kept);
		else if (this.#told.size < MOST_TOLD) this.#told.add(kept);
		return this.#told.has(kept);
	}
}

function unless(mac: string, holder: Neighbour): AddressHolder {
	return holder.mac === mac ? undefined : { mac: holder.mac };
}
