/** Where this machine stands in the network: the interfaces that are served, our address for each Pi, other DHCP servers. */
import { isIPv4 } from "node:net";
import type { Network } from "@pi-netboot/api";
import { type Clock, ExternalError, errorText, type Logger, NetbootError, type Timer } from "../base/index.ts";
import type { Config } from "../config.ts";
import type { NetworkService } from "../http/index.ts";
import {
	askLan,
	chooseInterfaces,
	type InterfaceSource,
	type InterfaceWish,
	listInterfaces,
	type NetworkInterface,
	readNeighbours,
	type ServedInterface,
	systemSource,
	watchInterfaces,
} from "../net/index.ts";

/** How often the LAN is asked for DHCP servers. */
const ASK_MS = 10 * 60_000;

/** For how long the neighbour table is believed. */
const NEIGHBOURS_MS = 200;

interface OtherServer {
	readonly address: string;
	readonly interface: string;
	readonly lastSeenAt: number;
}

/** The settings that say which place it is. */
export type PlaceConfig = Pick<Config, "dhcp"> & InterfaceWish;

export class Place {
	readonly #config: PlaceConfig;
	readonly #source: InterfaceSource;
	readonly #clock: Clock;
	readonly #log: Logger;
	readonly #onChange: () => void;
	#all: readonly NetworkInterface[] = [];
	#served: readonly ServedInterface[] = [];
	#others: readonly OtherServer[] | undefined;
	#neighbours: { readonly at: number; readonly table: ReturnType<typeof readNeighbours> } | undefined;
	#timer: Timer | undefined;
	#unwatch: (() => void) | undefined;
	readonly #stopped = new AbortController();

	/** @param source what there is on this machine; tests bring their own. */
	constructor(config: PlaceConfig, clock: Clock, log: Logger, onChange: () => void, source = systemSource) {
		this.#source = source;
		this.#config = config;
		this.#clock = clock;
		this.#log = log;
		this.#onChange = onChange;
	}

	/** @throws ExternalError when the interface or address that was asked for is not there. */
	async start(): Promise<void> {
		this.#all = await listInterfaces(this.#source);
		this.#served = chooseInterfaces(this.#all, this.#config);
		if (this.#served.length === 0) throw this.#nothingToServe();
		const names = this.#served.map((served) => `${served.interface.name} (${served.address})`);
		this.#log.info(`serves ${names.join(", ")}`);
		this.#unwatch = watchInterfaces({
			clock: this.#clock,
			log: this.#log,
			source: this.#source,
			onChange: (interfaces) => this.#changed(interfaces),
		});
	}

	/** Begins to ask the LAN, behind the start: it takes seconds. */
	askAgainAndAgain(): void {
		const asked = this.#ask().catch((error: unknown) => {
			this.#log.warn(`other DHCP servers were not looked for: ${errorText(error)}`);
		});
		void asked.then(() => {
			if (!this.#stopped.signal.aborted) this.#timer = this.#clock.after(ASK_MS, () => this.askAgainAndAgain());
		});
	}

	stop(): void {
		this.#stopped.abort();
		this.#timer?.cancel();
		this.#unwatch?.();
	}

	#nothingToServe(): ExternalError {
		const { interface: name, serverIp } = this.#config;
		const asked = [name, serverIp].filter((part) => part !== undefined).join(" with ");
		const there = this.#all.map((one) => `${one.name} (${one.addresses.map(({ address }) => address).join(", ")})`);
		return new ExternalError("no-interface", `there is no interface ${asked} that is up and has an IPv4 address`, {
			hint: `Choose one of: ${there.join("; ")}`,
		});
	}

	#changed(interfaces: readonly NetworkInterface[]): void {
		this.#all = interfaces;
		const now = addressesOf(chooseInterfaces(interfaces, this.#config));
		const before = this.addresses;
		if (now.length !== before.length || now.some((address) => !before.includes(address))) {
			this.#log.warn(`the addresses of this machine changed to ${now.join(", ") || "none"}: restart to serve them`);
		}
		this.#onChange();
	}

	/** What is served, loopback apart. */
	get addresses(): readonly string[] {
		return addressesOf(this.#served);
	}

	/** What a browser is told: the first address. */
	get mainAddress(): string {
		return this.#served[0]?.address ?? "127.0.0.1";
	}

	/** Our address as a client reaches it: the one in its subnet. */
	addressFor(client: string): string {
		if (client.startsWith("127.")) return "127.0.0.1";
		const near = this.#served.find(({ interface: one, address }) => {
			const mask = one.addresses.find((own) => own.address === address)?.netmask;
			return mask !== undefined && sameSubnet(address, client, mask);
		});
		return near?.address ?? this.mainAddress;
	}

	/** The MAC behind an address of the LAN, when the system knows it. */
	async macOf(address: string): Promise<string | undefined> {
		const now = this.#clock.monotonic();
		const last = this.#neighbours;
		const known = last !== undefined && now - last.at <= NEIGHBOURS_MS ? (await last.table).get(address) : undefined;
		if (known !== undefined) return known;
		// Whoever came a moment ago is not in a table that was read before that.
		if (this.#neighbours === undefined || Math.floor(this.#neighbours.at) < Math.floor(now)) {
			this.#neighbours = { at: now, table: readNeighbours(this.#source) };
		}
		return (await this.#neighbours.table).get(address);
	}

	/** Other DHCP servers that answered last time; undefined = nobody could ask. */
	get otherDhcpServers(): readonly string[] | undefined {
		return this.#others?.map(({ address }) => address);
	}

	async #ask(): Promise<void> {
		const { signal } = this.#stopped;
		const found: OtherServer[] = [];
		let asked = false;
		for (const { interface: one, address } of this.#served) {
			if (one.kind === "loopback" || signal.aborted) continue;
			const answer = await askLan({ address, clock: this.#clock, signal });
			if (answer.kind === "not-asked") this.#log.debug(`other DHCP servers are not known: ${answer.reason}`);
			else asked = true;
			if (answer.kind === "asked") found.push(...this.#servers(answer.offers, one.name));
		}
		if (!asked || signal.aborted) return;
		const before = this.otherDhcpServers?.join();
		this.#others = found;
		if (this.otherDhcpServers?.join() !== before) this.#onChange();
	}

	#servers(offers: readonly { readonly server: string }[], name: string): OtherServer[] {
		const own = this.addresses;
		const servers = new Set(offers.map(({ server }) => server).filter((server) => !own.includes(server)));
		return [...servers].map((address) => ({ address, interface: name, lastSeenAt: this.#clock.now() }));
	}

	/** As the API shows it. */
	network(): Network {
		const main = this.#served[0];
		return {
			mode: this.#config.dhcp,
			serverIp: main?.address ?? null,
			interface: main?.interface.name ?? null,
			range: null,
			interfaces: this.#all.map(({ name, mac, addresses, kind, hasDefaultRoute }) => ({
				name,
				mac,
				addresses: addresses.map(({ address, netmask }) => ({ address, netmask })),
				kind,
				defaultRoute: hasDefaultRoute,
			})),
			otherDhcpServers: (this.#others ?? []).map((other) => ({ ...other })),
		};
	}
}

/** Without loopback. */
function addressesOf(served: readonly ServedInterface[]): string[] {
	return served.map(({ address }) => address).filter((address) => !address.startsWith("127."));
}

function sameSubnet(one: string, other: string, mask: string): boolean {
	if (!isIPv4(other)) return false;
	const bits = ipv4Bits(mask);
	return (ipv4Bits(one) & bits) === (ipv4Bits(other) & bits);
}

function ipv4Bits(address: string): number {
	return address.split(".").reduce((bits, part) => (bits << 8) | Number(part), 0);
}

/** What the API may ask of it. The settings of the network are those of the start. */
export function networkService(place: Place): NetworkService {
	return {
		network: () => place.network(),
		change() {
			throw new NetbootError("conflict", "The settings of the network are read at the start.", {
				hint: "Start the server with --interface, --server-ip or --dhcp.",
			});
		},
	};
}
