/** The neighbour table of this machine, read when somebody asks, and not for each who asks. */
import type { Clock } from "../base/index.ts";
import { type InterfaceSource, type Neighbours, readNeighbours } from "../net/index.ts";

/** For how long the table is believed. */
const FRESH_MS = 200;

export class Neighbourhood {
	readonly #clock: Clock;
	readonly #source: InterfaceSource;
	#last: { readonly at: number; readonly table: Promise<Neighbours> } | undefined;

	constructor(clock: Clock, source: InterfaceSource) {
		this.#clock = clock;
		this.#source = source;
	}

	/** The MAC behind an address of the LAN, when the system knows it. */
	async macOf(address: string): Promise<string | undefined> {
		const now = this.#clock.monotonic();
		const last = this.#last;
		const known = last !== undefined && now - last.at <= FRESH_MS ? (await last.table).get(address) : undefined;
		if (known !== undefined) return known;
		// Whoever came a moment ago is not in a table that was read before that.
		if (this.#last === undefined || Math.floor(this.#last.at) < Math.floor(now)) {
			this.#last = { at: now, table: readNeighbours(this.#source) };
		}
		return (await this.#last.table).get(address);
	}
}
