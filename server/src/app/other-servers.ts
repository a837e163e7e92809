/** The other DHCP servers: the LAN of each interface that is served is asked for them, and again from time to time. */
import { type Clock, errorText, type Logger, type Timer } from "../base/index.ts";
import { askLan, type LanAnswer, type LanQuestion, type ServedInterface } from "../net/index.ts";
import { IPV4_ANY, type LanOffer } from "../wire/dhcp/index.ts";

/** How often the LAN is asked. */
const ASK_MS = 10 * 60_000;

/** How long after a change of our addresses: a network that just came up settles first. */
const SETTLE_MS = 3000;

export interface OtherServer {
	readonly address: string;
	readonly interface: string;
	/** Milliseconds since 1970. */
	readonly lastSeenAt: number;
	/** False for one that only tells where to boot from, a proxy as we are. */
	readonly givesAddresses: boolean;
}

export interface OtherServersOptions {
	readonly clock: Clock;
	readonly log: Logger;
	readonly ownAddresses: () => readonly string[];
	/** The LANs were asked. */
	readonly onAsked: () => void;
	/** Asks one LAN; tests bring their own. */
	readonly ask?: (question: LanQuestion) => Promise<LanAnswer>;
}

export class OtherServers {
	readonly #options: OtherServersOptions;
	/** What each LAN said, by the address of ours that it was asked from; undefined = it could not be asked. */
	#said = new Map<string, readonly OtherServer[] | undefined>();
	#timer: Timer | undefined;
	#served: (() => readonly ServedInterface[]) | undefined;
	readonly #stopped = new AbortController();

	constructor(options: OtherServersOptions) {
		this.#options = options;
	}

	/** Asks from now on, behind the start: it takes seconds. */
	start(served: () => readonly ServedInterface[]): void {
		this.#served = served;
		this.#askIn(0);
	}

	stop(): void {
		this.#stopped.abort();
		this.#timer?.cancel();
	}

	/** Our addresses are others: who else is there is to be found out anew. */
	moved(): void {
		if (this.#served !== undefined) this.#askIn(SETTLE_MS);
	}

	/** Those that answered last time; undefined = nobody could ask. */
	get addresses(): readonly string[] | undefined {
		const known = [...this.#said.values()].some((servers) => servers !== undefined);
		return known ? this.list.map(({ address }) => address) : undefined;
	}

	get list(): readonly OtherServer[] {
		return [...this.#said.values()].flatMap((servers) => servers ?? []);
	}

	/** The others beside an address of ours; undefined = not known. */
	beside(address: string): readonly OtherServer[] | undefined {
		return this.#said.get(address);
	}

	#askIn(milliseconds: number): void {
		this.#timer?.cancel();
		this.#timer = this.#options.clock.after(milliseconds, () => {
			this.ask(this.#served?.() ?? [])
				.catch((error: unknown) => {
					this.#options.log.warn(`other DHCP servers were not looked for: ${errorText(error)}`);
				})
				.finally(() => {
					if (!this.#stopped.signal.aborted) this.#askIn(ASK_MS);
				});
		});
	}

	/** Asks these LANs now, all at once. Resolves when they had time to answer. */
	async ask(served: readonly ServedInterface[]): Promise<void> {
		const real = served.filter(({ interface: { kind } }) => kind !== "loopback");
		const answers = await Promise.all(real.map(async (one) => [one.address, await this.#askOne(one)] as const));
		if (this.#stopped.signal.aborted) return;
		const own = this.#options.ownAddresses();
		this.#said = new Map([...[...this.#said].filter(([address]) => own.includes(address)), ...answers]);
		this.#options.onAsked();
	}

	async #askOne({ interface: { name }, address }: ServedInterface): Promise<readonly OtherServer[] | undefined> {
		const { clock, log, ask = askLan } = this.#options;
		const answer = await ask({ address, clock, signal: this.#stopped.signal });
		if (answer.kind === "asked") return this.#others(answer.offers, name);
		log.debug(`other DHCP servers on ${name} are not known: ${answer.reason}`);
		return undefined;
	}

	#others(offers: readonly LanOffer[], name: string): OtherServer[] {
		const own = this.#options.ownAddresses();
		const lastSeenAt = this.#options.clock.now();
		return offers
			.filter(({ server }) => !own.includes(server))
			.map(({ server, offered }) => ({
				address: server,
				interface: name,
				lastSeenAt,
				givesAddresses: offered !== IPV4_ANY,
			}));
	}
}
