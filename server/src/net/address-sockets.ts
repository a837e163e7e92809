/** Sockets that are bound to addresses of ours, one each, and follow them as they come and go. */
import type { Socket } from "node:dgram";
import { settleSeries } from "../base/index.ts";
import { closeUdp } from "./udp.ts";

/** An address that could not be bound. */
export interface UnboundAddress {
	readonly address: string;
	readonly error: unknown;
}

export class AddressSockets {
	readonly #open: (address: string) => Promise<Socket>;
	readonly #bound = new Map<string, Socket>();
	/** The last change; the next one waits for it. */
	#change: Promise<unknown> = Promise.resolve();
	#isOpen = false;

	/** @param open binds a socket to the address, and listens to it. */
	constructor(open: (address: string) => Promise<Socket>) {
		this.#open = open;
	}

	/** The one that is bound to this address. */
	get(address: string): Socket | undefined {
		return this.#bound.get(address);
	}

	/** The one that was bound first. */
	get first(): Socket | undefined {
		return this.#bound.values().next().value;
	}

	/**
	 * Closes what is bound to other addresses, and binds those that are new. Calls run one after the other.
	 *
	 * @returns the addresses that could not be bound, without which the others work all the same.
	 */
	set(addresses: readonly string[]): Promise<UnboundAddress[]> {
		const changed = this.#change.then(() => this.#set(new Set(this.#isOpen ? addresses : [])));
		// Whoever called is told; the next change must be made all the same.
		this.#change = changed.catch(() => undefined);
		return changed;
	}

	/** Binds the first ones. Before this, and after `close`, `set` binds nothing. */
	start(addresses: readonly string[]): Promise<UnboundAddress[]> {
		this.#isOpen = true;
		return this.set(addresses);
	}

	async close(): Promise<void> {
		this.#isOpen = false;
		await this.set([]);
	}

	async #set(addresses: ReadonlySet<string>): Promise<UnboundAddress[]> {
		const gone = [...this.#bound].filter(([address]) => !addresses.has(address));
		for (const [address] of gone) this.#bound.delete(address);
		await settleSeries(
			gone.map(
				([, socket]) =>
					() =>
						closeUdp(socket),
			),
		);
		const unbound: UnboundAddress[] = [];
		for (const address of addresses) {
			if (this.#bound.has(address)) continue;
			try {
				this.#bound.set(address, await this.#open(address));
			} catch (error) {
				unbound.push({ address, error });
			}
		}
		return unbound;
	}
}
