/**
 * The network service: what the settings of the network are, and how a change of them, or of the machine's addresses,
 * reaches those that serve. Changes run one after the other.
 */
import { getServers } from "node:dns";
import { isIPv4 } from "node:net";
import type { Lease, Network, NetworkChanges, NetworkPatch } from "@pi-netboot/api";
import { type Clock, errorText, isNetbootError, type Logger, NetbootError, type Timer } from "../base/index.ts";
import type { DhcpSettings } from "../boot/index.ts";
import type { NetworkService } from "../http/index.ts";
import { defaultGateway } from "../net/index.ts";
import { type FullDhcpPlan, planFullDhcp, type WayOut } from "./full-dhcp.ts";
import type { NetworkChoice, NetworkSettings } from "./network-settings.ts";
import type { OtherServers } from "./other-servers.ts";
import type { Place } from "./place.ts";

export interface NetworkControlOptions {
	readonly settings: NetworkSettings;
	readonly place: Place;
	readonly others: OtherServers;
	/** Gives out addresses as it is told. */
	readonly dhcp: { configure(settings: DhcpSettings): void };
	/** What was given out, as the API shows it. */
	readonly leases: () => Lease[];
	/** The port of DHCP. */
	readonly port: DhcpPort;
	readonly clock: Clock;
	readonly log: Logger;
	/** The page is to be shown something else. */
	readonly onChange: () => void;
	/** How this machine reaches the internet; tests bring their own. */
	readonly wayOut?: () => Promise<WayOut>;
}

export interface DhcpPort {
	/** Opens it, or says why not. */
	open(): Promise<string | undefined>;
	readonly isOpen: boolean;
	close(): Promise<void>;
}

/** A change that holds and is not stored: a restart takes it back as well. */
interface Unconfirmed {
	/** All that was changed since then. */
	readonly changes: NetworkChanges;
	readonly before: NetworkChoice;
	/** Milliseconds since 1970. */
	readonly until: number;
	readonly timer: Timer;
}

const NO_PLAN: FullDhcpPlan = { subnets: [], notes: [] };

/** The network goes over the wire whole whenever it changes; a stream of events that waits takes half a MiB. */
const LEASES_SHOWN = 256;

export class NetworkControl implements NetworkService {
	readonly #options: NetworkControlOptions;
	#plan = NO_PLAN;
	/** Why there is no full mode although it was asked for. */
	#refusal: string | undefined;
	#unconfirmed: Unconfirmed | undefined;
	/** Whether the last change that waited was confirmed: an answer that was lost is asked for again. */
	#isConfirmed = false;
	#last: Promise<unknown> = Promise.resolve();

	constructor(options: NetworkControlOptions) {
		this.#options = options;
	}

	/** Opens DHCP in the mode of the settings. Full mode looks for other DHCP servers first, which takes seconds. */
	start(): Promise<void> {
		return this.#inTurn(async () => {
			const { settings, others, place, port } = this.#options;
			if (settings.choice.mode === "off") return port.close();
			if (settings.choice.mode === "full") {
				if (!settings.choice.insist) await others.ask(place.served);
				await this.#planAgain();
			}
			await port.open();
		});
	}

	/** The mode that holds: a proxy where full mode is refused. */
	get mode(): NetworkChoice["mode"] {
		return this.#refusal === undefined ? this.#options.settings.choice.mode : "proxy";
	}

	/** All of them, in the order of the addresses. */
	leases(): Lease[] {
		return this.#options.leases();
	}

	network(): Network {
		const { place, others, settings } = this.#options;
		const { leaseSeconds, serveEverybody, insist } = settings.choice;
		const [first] = this.#plan.subnets;
		const leases = this.leases();
		return {
			...place.network(others.list),
			mode: this.mode,
			range: first === undefined ? null : { start: first.start, end: first.end },
			subnets: this.#plan.subnets.map((subnet) => ({ ...subnet, dns: [...subnet.dns] })),
			leases: leases.slice(0, LEASES_SHOWN),
			leaseCount: leases.length,
			leaseSeconds,
			serveEverybody,
			insist,
			unconfirmedUntil: this.#unconfirmed?.until ?? null,
			notes: [...(this.#refusal === undefined ? [] : [this.#refusal]), ...this.#plan.notes, ...settings.overruled],
		};
	}

	/**
	 * Checks a change, stores it, and lets it hold. When it fails, everything is as it was. With `confirmWithin` it is stored
	 * when it is confirmed; a change without it confirms those before.
	 *
	 * @throws NetbootError `invalid-request`, `conflict`.
	 */
	change({ confirmWithin, ...changes }: NetworkPatch): Promise<Network> {
		return this.#inTurn(async () => {
			const { settings, place, log, onChange } = this.#options;
			const choice = settings.with(changes);
			await place.check(choice).catch((error: unknown) => {
				throw asRequestError(error);
			});
			const plan = await this.#planFor(choice);
			const all = { ...this.#unconfirmed?.changes, ...changes };
			const before = this.#unconfirmed?.before ?? settings.choice;
			const keep = async () => (confirmWithin === undefined ? settings.keep(all, choice) : settings.hold(choice));
			await this.#withPort(changes, choice, keep);
			this.#await(confirmWithin === undefined ? undefined : { changes: all, before, seconds: confirmWithin });
			this.#adopt(plan);
			place.want(choice);
			if (choice.mode === "off") await this.#options.port.close();
			log.info(`the network was changed: DHCP is ${choice.mode}`);
			onChange();
			return this.network();
		});
	}

	/**
	 * Stores what was changed. To say so twice is no fault.
	 *
	 * @throws NetbootError `conflict` when nothing waits for that: it may have been taken back.
	 */
	confirm(): Promise<Network> {
		return this.#inTurn(async () => {
			const { settings, log, onChange } = this.#options;
			if (this.#unconfirmed === undefined) {
				if (this.#isConfirmed) return this.network();
				throw new NetbootError("conflict", "No change of the network waits to be confirmed", {
					hint: "It was taken back because nobody confirmed it in time, or there was none.",
				});
			}
			await settings.keep(this.#unconfirmed.changes, settings.choice);
			this.#await(undefined);
			this.#isConfirmed = true;
			log.info("the change of the network was confirmed");
			onChange();
			return this.network();
		});
	}

	/** Begins to wait for a confirmation, or ends that. */
	#await(wanted: (Pick<Unconfirmed, "changes" | "before"> & { readonly seconds: number }) | undefined): void {
		const { clock, log } = this.#options;
		this.#unconfirmed?.timer.cancel();
		this.#unconfirmed = undefined;
		this.#isConfirmed = false;
		if (wanted === undefined) return;
		const { changes, before, seconds } = wanted;
		const timer = clock.after(seconds * 1000, () => {
			this.#takeBack(unconfirmed).catch((error: unknown) => {
				log.error({ err: error }, `the change of the network was not taken back: ${errorText(error)}`);
			});
		});
		const unconfirmed = { changes, before, until: clock.now() + seconds * 1000, timer };
		this.#unconfirmed = unconfirmed;
	}

	/** What held before the change holds again; where full mode is not possible any more, a proxy does. */
	#takeBack(unconfirmed: Unconfirmed): Promise<void> {
		return this.#inTurn(async () => {
			// Somebody confirmed it, or changed it again, in the turn before.
			if (this.#unconfirmed !== unconfirmed) return;
			const { settings, place, port, log, onChange } = this.#options;
			const { before } = unconfirmed;
			this.#unconfirmed = undefined;
			settings.hold(before);
			place.want(before);
			if (before.mode === "full") await this.#planAgain();
			else this.#adopt(NO_PLAN);
			const problem = before.mode === "off" ? await port.close() : await this.#opened();
			log.warn("nobody confirmed the change of the network: it was taken back");
			if (problem !== undefined) log.error(`DHCP cannot go on: ${problem}`);
			onChange();
		});
	}

	async #opened(): Promise<string | undefined> {
		const { port } = this.#options;
		return port.isOpen ? undefined : port.open();
	}

	/** What full mode would do; asks the LANs first, unless a person insists. */
	async #planFor(choice: NetworkChoice): Promise<FullDhcpPlan> {
		if (choice.mode !== "full") return NO_PLAN;
		const { others, place } = this.#options;
		const served = place.servedWith(choice);
		if (!choice.insist) await others.ask(served);
		return this.#planOf(choice, served);
	}

	async #planOf(choice: NetworkChoice, served = this.#options.place.served): Promise<FullDhcpPlan> {
		const { others, wayOut = systemWayOut } = this.#options;
		const standing = new Set(this.#plan.subnets.map(({ serverAddress }) => serverAddress));
		return planFullDhcp({ choice, served, wayOut: await wayOut(), others: (own) => others.beside(own), standing });
	}

	/** The port first: it is what may fail. */
	async #withPort(changes: NetworkChanges, choice: NetworkChoice, keep: () => Promise<void>): Promise<void> {
		const { port } = this.#options;
		const wasOff = this.mode === "off";
		// A port that was refused at the start is no reason to refuse what has nothing to do with it.
		const opens = choice.mode !== "off" && !port.isOpen && (wasOff || changes.mode !== undefined);
		const problem = opens ? await port.open() : undefined;
		try {
			if (problem !== undefined) throw new NetbootError("conflict", `Nothing was changed: ${problem}`);
			await keep();
		} catch (error) {
			if (opens && wasOff) await port.close();
			throw error;
		}
	}

	#adopt(plan: FullDhcpPlan): void {
		const { leaseSeconds, serveEverybody } = this.#options.settings.choice;
		this.#plan = plan;
		this.#refusal = undefined;
		this.#options.dhcp.configure({ subnets: plan.subnets, leaseSeconds, serveEverybody });
		for (const { interface: name, start, end } of plan.subnets) {
			this.#options.log.info(`gives out the addresses ${start} to ${end}${name === undefined ? "" : ` on ${name}`}`);
		}
		for (const note of plan.notes) this.#options.log.warn(note);
	}

	/** The addresses of this machine, or the other servers, are not what they were: full mode may be possible elsewhere. */
	replan(): void {
		void this.#inTurn(async () => {
			if (this.#options.settings.choice.mode === "full") await this.#planAgain();
			this.#options.onChange();
		}).catch((error: unknown) => this.#options.log.error({ err: error }, `DHCP was not adapted: ${errorText(error)}`));
	}

	/** Plans anew what holds. Where it cannot, a proxy is what harms nobody; that is said loudly. */
	async #planAgain(): Promise<void> {
		try {
			const plan = await this.#planOf(this.#options.settings.choice);
			if (this.#refusal === undefined && JSON.stringify(plan) === JSON.stringify(this.#plan)) return;
			this.#adopt(plan);
		} catch (error) {
			if (!isNetbootError(error)) throw error;
			const hint = error.hint === undefined ? "" : ` ${error.hint}`;
			if (this.#refusal !== error.message) {
				this.#options.log.error(`DHCP is a proxy, not full as asked for. ${error.message}${hint}`);
			}
			this.#adopt(NO_PLAN);
			this.#refusal = error.message;
		}
	}

	#inTurn<T>(work: () => Promise<T>): Promise<T> {
		const done = this.#last.then(work);
		// Whoever asked for it is told; the next one runs all the same.
		this.#last = done.catch(() => undefined);
		return done;
	}
}

function asRequestError(error: unknown): unknown {
	if (!isNetbootError(error)) return error;
	const hint = error.hint === undefined ? {} : { hint: error.hint };
	return new NetbootError("invalid-request", error.message, { ...hint, cause: error });
}

async function systemWayOut(): Promise<WayOut> {
	return { gateway: await defaultGateway(), resolvers: getServers().filter((server) => isIPv4(server)) };
}
