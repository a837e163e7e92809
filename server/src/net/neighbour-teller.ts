/**
 * What the kernel's table of neighbours has from us. It is told who is going to have an address before anybody is there who could say
 * so, and several clients may be offered the same one: then what it was told last is no proof of anything.
 */
import { setImmediate } from "node:timers/promises";
import { forgetNeighbour, type Neighbour, tellNeighbour } from "./neighbours.ts";

/** How it is done: tests bring their own. */
export interface NeighbourTellerOptions {
	readonly tell?: (neighbour: Neighbour) => Promise<boolean>;
	/** The kernel asks anew who has the address. */
	readonly forget?: (address: string) => Promise<void>;
}

/** More addresses than are given out, and more clients of one than are told at a time. */
const KEPT = 4096;
const KEPT_OF_ADDRESS = 64;

interface Told {
	/** Whom the kernel was told since it was made to forget. */
	readonly macs: Set<string>;
	/** Whom it was told last, or who was found there since. */
	readonly last: string;
	/** It was told of another than that, and nobody has found out yet who is there. */
	readonly isContested: boolean;
}

export class NeighbourTeller {
	readonly #options: Required<NeighbourTellerOptions>;
	readonly #told = new Map<string, Told>();
	/** By address, what is being told or forgotten: one after the other. */
	readonly #running = new Map<string, Promise<unknown>>();

	constructor(options: NeighbourTellerOptions = {}) {
		this.#options = { tell: tellNeighbour, forget: forgetNeighbour, ...options };
	}

	/** @param may asked when its turn comes. @returns false where it is not told: we may not, or `may` says no. */
	tell(neighbour: Neighbour, may: () => boolean = () => true): Promise<boolean> {
		return this.#next(neighbour.address, async () => {
			if (!may()) return false;
			this.#note(neighbour);
			return this.#options.tell(neighbour);
		});
	}

	#note({ address, mac }: Neighbour): void {
		const { macs, last, isContested } = this.#told.get(address) ?? { macs: new Set(), last: mac, isContested: false };
		addBounded(macs, mac, KEPT_OF_ADDRESS);
		this.#put(address, { macs, last: mac, isContested: isContested || last !== mac });
	}

	#put(address: string, told: Told): void {
		this.#told.delete(address);
		this.#told.set(address, told);
		const [oldest] = this.#told.keys();
		if (this.#told.size > KEPT && oldest !== undefined) this.#told.delete(oldest);
	}

	/** Has the kernel forget what it was told of an address. @param may as for `tell`. */
	forget(address: string, may: () => boolean = () => true): Promise<void> {
		return this.#next(address, async () => {
			const macs = this.#told.get(address)?.macs;
			// Several may have waited for this.
			if (macs === undefined || macs.size === 0 || !may()) return;
			await this.#options.forget(address);
			// Not before: until then who looks at the table finds them there.
			macs.clear();
		});
	}

	/** Resolves when nothing is told or forgotten of this address any more. */
	async settle(address: string): Promise<void> {
		await this.#running.get(address);
	}

	/** Whether what the kernel has of an address may be what it was told of another client than this one. */
	isDoubtful(address: string, mac: string): boolean {
		return [...(this.#told.get(address)?.macs ?? [])].some((other) => other !== mac);
	}

	/** Whether the kernel may have this client behind the address because it was told so. */
	wasTold(address: string, mac: string): boolean {
		return this.#told.get(address)?.macs.has(mac) ?? false;
	}

	/** Whether the kernel was told of several who are going to have this address. */
	isContested(address: string): boolean {
		return this.#told.get(address)?.isContested ?? false;
	}

	/** It was found out who is there. */
	found({ address, mac }: Neighbour): void {
		const macs = this.#told.get(address)?.macs ?? new Set();
		this.#put(address, { macs, last: mac, isContested: false });
	}

	/** The next one begins when what this one was done for is under way: the answer that it makes possible leaves at once. */
	#next<T>(address: string, action: () => Promise<T>): Promise<T> {
		const result = (this.#running.get(address) ?? Promise.resolve()).then(action);
		const over = result
			.catch(() => undefined)
			.then(() => setImmediate())
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
