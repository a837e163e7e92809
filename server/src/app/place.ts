/**
 * Where this machine stands in the network: its interfaces, which of them are served, from which address of ours. It
 * follows them as they come and go: a cable that is plugged in, a lease that brings another address.
 */
import type { Network } from "@pi-netboot/api";
import { type Clock, ExternalError, type Logger } from "../base/index.ts";
import {
	chooseInterfaces,
	type InterfaceSource,
	interfaceNames,
	isInSubnet,
	listInterfaces,
	type NetworkInterface,
	type ServedInterface,
	systemSource,
	watchInterfaces,
} from "../net/index.ts";
import type { OtherServer } from "./other-servers.ts";

/** The interface or the address that a person asked for. */
export interface PlaceWish {
	readonly interface?: string | undefined;
	readonly serverIp?: string | undefined;
}

/** The part of what the API shows that is known here. */
type PlaceOfNetwork = Pick<Network, "serverIp" | "interface" | "interfaces" | "otherDhcpServers">;

export interface PlaceOptions {
	readonly wish: PlaceWish;
	/** Refuse to start when what is wished for is not there. */
	readonly isStrict: boolean;
	readonly clock: Clock;
	readonly log: Logger;
	/** Something is another than before, what the page shows. */
	readonly onChange: () => void;
	/** The addresses that we serve from, or have, are others. Called at once, one after the other. */
	readonly onMove: () => void;
	/** What there is on this machine; tests bring their own. */
	readonly source?: InterfaceSource;
}

export class Place {
	readonly #options: PlaceOptions;
	readonly #source: InterfaceSource;
	#wish: PlaceWish;
	#all: readonly NetworkInterface[] = [];
	#served: readonly ServedInterface[] = [];
	#dhcpServers: readonly string[] = [];
	#unwatch: (() => void) | undefined;

	constructor(options: PlaceOptions) {
		this.#options = options;
		this.#source = options.source ?? systemSource;
		this.#wish = options.wish;
	}

	/** @throws ExternalError when it is strict, and the interface or the address that was asked for is not there. */
	async start(): Promise<void> {
		this.#all = await listInterfaces(this.#source);
		if (this.#options.isStrict) await this.check(this.#wish);
		this.#choose();
		this.#sayServed();
		this.#unwatch = watchInterfaces({
			known: this.#all,
			clock: this.#options.clock,
			log: this.#options.log,
			source: this.#source,
			onChange: (interfaces) => this.#follow(interfaces),
		});
	}

	stop(): void {
		this.#unwatch?.();
	}

	/**
	 * Whether a wish can be met. An interface without an address may get one; one that is not there at all is a mistake.
	 *
	 * @throws ExternalError with what there is.
	 */
	async check(wish: PlaceWish): Promise<void> {
		const { interface: name, serverIp } = wish;
		if (name !== undefined && !(await interfaceNames(this.#source)).includes(name)) {
			const known = this.#all.some((one) => one.name === name);
			if (!known) throw this.#nothingFor(`named ${name}`);
		}
		if (serverIp !== undefined && chooseInterfaces(this.#all, wish).length === 0) {
			throw this.#nothingFor(`${name === undefined ? "" : `named ${name} `}with the address ${serverIp}`);
		}
	}

	#nothingFor(asked: string): ExternalError {
		const there = this.#all.map((one) => `${one.name} (${one.addresses.map(({ address }) => address).join(", ")})`);
		return new ExternalError("no-interface", `there is no interface ${asked}`, {
			hint: `Choose one of: ${there.join("; ")}`,
		});
	}

	/** Serves another interface or address from now on. Checked before. */
	want(wish: PlaceWish): void {
		this.#wish = wish;
		this.#follow(this.#all);
	}

	/** DHCP servers that answered: where they are, Pis get their addresses. */
	sawDhcpServers(servers: readonly string[]): void {
		this.#dhcpServers = servers;
		this.#follow(this.#all);
	}

	#choose(): void {
		this.#served = this.servedWith(this.#wish);
	}

	#follow(interfaces: readonly NetworkInterface[]): void {
		const before = [this.addresses, this.ownAddresses].join(" ");
		this.#all = interfaces;
		this.#choose();
		if ([this.addresses, this.ownAddresses].join(" ") !== before) {
			this.#sayServed();
			this.#options.onMove();
		}
		this.#options.onChange();
	}

	#sayServed(): void {
		const names = this.#served.map((served) => `${served.interface.name} (${served.address})`);
		if (this.addresses.length > 0) this.#options.log.info(`serves ${names.join(", ")}`);
		else if (names.length > 0 && this.#wish.interface !== undefined)
			this.#options.log.info(`serves ${names.join(", ")}: virtual Pis of this machine alone`);
		else this.#options.log.warn(`no Pi can boot yet: ${this.#whyNone()}. It is served as soon as it has one.`);
	}

	#whyNone(): string {
		const { interface: name, serverIp } = this.#wish;
		if (serverIp !== undefined) return `this machine does not have the address ${serverIp}`;
		return name === undefined ? "no interface of this machine has an IPv4 address" : `${name} has no IPv4 address`;
	}

	/** What would be served with another wish. */
	servedWith(wish: PlaceWish): readonly ServedInterface[] {
		return chooseInterfaces(this.#all, {
			interface: wish.interface,
			serverIp: wish.serverIp,
			dhcpServers: this.#dhcpServers,
		});
	}

	/** What is served. */
	get served(): readonly ServedInterface[] {
		return this.#served;
	}

	/** The addresses that Pis are told, one for each interface, loopback apart. */
	get addresses(): readonly string[] {
		return withoutLoopback(this.#served.map(({ address }) => address));
	}

	/** All addresses of the interfaces that are served: a Pi may ask for its files at any, unless one was asked for. */
	get askedAddresses(): readonly string[] {
		if (this.#wish.serverIp !== undefined) return this.addresses;
		return withoutLoopback(this.#served.flatMap((served) => served.interface.addresses.map(({ address }) => address)));
	}

	/** Every address of this machine, served or not. */
	get ownAddresses(): readonly string[] {
		return this.#all.flatMap(({ addresses }) => addresses.map(({ address }) => address));
	}

	/** What a browser is told: the first address. */
	get mainAddress(): string {
		return this.#served[0]?.address ?? "127.0.0.1";
	}

	/** Whether an address lies in a network that we serve. */
	isNear(address: string): boolean {
		return this.#served.some((served) => served.interface.addresses.some((own) => isInSubnet(address, own)));
	}

	/** As the API shows it, but for what the mode of DHCP says. */
	network(others: readonly OtherServer[]): PlaceOfNetwork {
		const main = this.#served[0];
		return {
			serverIp: main?.address ?? null,
			interface: main?.interface.name ?? null,
			interfaces: this.#all.map(({ name, mac, addresses, kind, hasDefaultRoute }) => ({
				name,
				mac,
				addresses: addresses.map(({ address, netmask }) => ({ address, netmask })),
				kind,
				defaultRoute: hasDefaultRoute,
			})),
			otherDhcpServers: others.map(({ givesAddresses: _, ...other }) => other),
		};
	}
}

function withoutLoopback(addresses: readonly string[]): string[] {
	return addresses.filter((address) => !address.startsWith("127."));
}
