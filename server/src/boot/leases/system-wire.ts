/** The wire, as full DHCP looks at it: who has an address, and who is going to have one. */
import { type Clock, systemClock } from "../../base/index.ts";
import { type AddressHolder, AddressProbe, forgetNeighbour, type Neighbour, tellNeighbour } from "../../net/index.ts";

/** What full DHCP does on the wire besides answering; tests bring their own. */
export interface LeaseWire {
	/** Looks for somebody else than `mac` who has the address. */
	findHolder(address: string, mac: string): Promise<AddressHolder>;
	/** Tells the kernel who is going to have an address; false where we may not. */
	tellNeighbour(neighbour: Neighbour): Promise<boolean>;
}

/** How it is done: tests bring their own. */
export interface KernelTable {
	find(address: string, mac: string): Promise<AddressHolder>;
	tell(neighbour: Neighbour): Promise<boolean>;
	/** The kernel asks anew who has it. */
	forget(address: string): Promise<void>;
}

/** More addresses than are given out, and more clients of one than are told at a time. */
const KEPT = 4096;
const KEPT_OF_ADDRESS = 64;

/**
 * What the kernel's table has of an address may be what we told it ourselves, of a client that is not there: anybody can ask in the
 * name of a Pi 3B. That is no proof of anything, so the kernel forgets it before it is asked who has the address.
 */
export class SystemWire implements LeaseWire {
	readonly #table: KernelTable;
	/** By address, of whom the kernel was told since it was made to forget. */
	readonly #told = new Map<string, Set<string>>();
	/** By address, what is being told or forgotten: one after the other. */
	readonly #running = new Map<string, Promise<unknown>>();

	constructor(table: KernelTable) {
		this.#table = table;
	}

	async findHolder(address: string, mac: string): Promise<AddressHolder> {
		const told = this.#told.get(address) ?? new Set();
		if ([...told].some((other) => other !== mac)) {
			this.#told.delete(address);
			this.#next(address, () => this.#table.forget(address));
		}
		await this.#running.get(address);
		const found = await this.#table.find(address, mac);
		// Another client was offered the same meanwhile.
		return found !== undefined && this.#told.get(address)?.has(found.mac) ? undefined : found;
	}

	async tellNeighbour(neighbour: Neighbour): Promise<boolean> {
		const { address, mac } = neighbour;
		const told = this.#told.get(address) ?? new Set();
		addBounded(told, mac, KEPT_OF_ADDRESS);
		this.#told.delete(address);
		this.#told.set(address, told);
		const [oldest] = this.#told.keys();
		if (this.#told.size > KEPT && oldest !== undefined) this.#told.delete(oldest);
		return this.#next(address, () => this.#table.tell(neighbour));
	}

	#next<T>(address: string, action: () => Promise<T>): Promise<T> {
		const result = (this.#running.get(address) ?? Promise.resolve()).then(action);
		const over = result
			.catch(() => undefined)
			.then(() => {
				if (this.#running.get(address) === over) this.#running.delete(address);
			});
		this.#running.set(address, over);
		return result;
	}
}

function addBounded(set: Set<string>, value: string, most: number): void {
	set.add(value);
	const [oldest] = set;
	if (set.size > most && oldest !== undefined) set.delete(oldest);
}

/** @param clock times the looks at the table. */
export function systemWire(clock: Clock = systemClock): SystemWire {
	const probe = new AddressProbe(clock);
	return new SystemWire({
		find: (address, mac) => probe.find(address, mac),
		tell: tellNeighbour,
		forget: forgetNeighbour,
	});
}
