/** The settings of the network: what the start was told wins over what was stored, and that over the defaults. */
import type { NetworkChanges } from "@pi-netboot/api";
import type { RangeWish } from "../boot/index.ts";
import { type Config, settings as settingTable } from "../config.ts";
import type { SettingChanges, SettingValues } from "../store/index.ts";

/** All of them, as they hold. Undefined = what is found; null = none. */
export interface NetworkChoice {
	readonly mode: "proxy" | "full" | "off";
	readonly interface: string | undefined;
	readonly serverIp: string | undefined;
	readonly ranges: readonly RangeWish[] | undefined;
	readonly router: string | null | undefined;
	readonly dns: readonly string[] | null | undefined;
	readonly leaseSeconds: number;
	readonly serveEverybody: boolean;
	readonly insist: boolean;
}

type Given = Pick<
	Config,
	| "dhcp"
	| "interface"
	| "serverIp"
	| "dhcpRange"
	| "dhcpRouter"
	| "dhcpDns"
	| "dhcpLease"
	| "dhcpEverybody"
	| "dhcpInsist"
>;

/** What is kept of the settings; the store's repository. */
export interface SettingKeeper {
	get<K extends keyof SettingValues>(key: K): SettingValues[K] | undefined;
	setAll(values: SettingChanges): Promise<void>;
}

/** An hour: a Pi renews twice in it, and one that is gone blocks no address for long. */
const LEASE_SECONDS = 3600;

export class NetworkSettings {
	readonly #given: Given;
	readonly #kept: SettingKeeper;
	/** What holds. A change holds until the next start also where a flag says otherwise. */
	#choice: NetworkChoice;

	constructor(given: Given, kept: SettingKeeper) {
		this.#given = given;
		this.#kept = kept;
		this.#choice = {
			mode: given.dhcp ?? kept.get("dhcpMode") ?? "proxy",
			interface: given.interface ?? kept.get("interface"),
			serverIp: given.serverIp ?? kept.get("serverIp"),
			ranges: given.dhcpRange ?? kept.get("dhcpRanges"),
			router: given.dhcpRouter === undefined ? kept.get("dhcpRouter") : given.dhcpRouter,
			dns: given.dhcpDns === undefined ? kept.get("dhcpDns") : given.dhcpDns,
			leaseSeconds: given.dhcpLease ?? kept.get("dhcpLeaseSeconds") ?? LEASE_SECONDS,
			serveEverybody: given.dhcpEverybody ?? kept.get("dhcpEverybody") ?? false,
			insist: given.dhcpInsist ?? kept.get("dhcpInsist") ?? false,
		};
	}

	get choice(): NetworkChoice {
		return this.#choice;
	}

	/** Whether the start was told where to serve: then it has to be there. */
	get isPlaceGiven(): boolean {
		return this.#given.interface !== undefined || this.#given.serverIp !== undefined;
	}

	/** What would hold after a change. */
	with(changes: NetworkChanges): NetworkChoice {
		const { range, router, dns, interface: name, serverIp, ...plain } = changes;
		return {
			...this.#choice,
			...Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)),
			...(name === undefined ? {} : { interface: name ?? undefined }),
			...(serverIp === undefined ? {} : { serverIp: serverIp ?? undefined }),
			...(range === undefined ? {} : { ranges: range === null ? undefined : [range] }),
			...(router === undefined ? {} : { router: router === "none" ? null : (router ?? undefined) }),
			...(dns === undefined ? {} : { dns: dns?.length === 0 ? null : (dns ?? undefined) }),
		};
	}

	/** Lets it hold until the next start, which finds what was stored. */
	hold(choice: NetworkChoice): void {
		this.#choice = choice;
	}

	/** Stores what a change touches, and lets it hold. */
	async keep(changes: NetworkChanges, choice: NetworkChoice): Promise<void> {
		const values: Record<string, unknown> = {};
		for (const [key, { setting, value }] of Object.entries(STORED)) {
			if (changes[key as keyof NetworkChanges] !== undefined) values[setting] = value(choice);
		}
		await this.#kept.setAll(values);
		this.#choice = choice;
	}

	/** In sentences, which of the stored settings the next start would not look at. */
	get overruled(): string[] {
		return Object.values(STORED).flatMap(({ setting, flag, value }) => {
			const stored = this.#kept.get(setting);
			if (stored === undefined || this.#given[flag] === undefined) return [];
			if (JSON.stringify(stored) !== JSON.stringify(value(this.#choice))) return [];
			if (JSON.stringify(stored) === JSON.stringify(this.#given[flag])) return [];
			const { flag: text, env } = settingTable[flag];
			const name = text.split(" ")[0];
			return [`At the next start ${name} (or ${[env].flat().join(", ")}) wins over what was set here.`];
		});
	}
}

interface Stored {
	readonly setting: keyof SettingValues;
	readonly flag: keyof Given;
	readonly value: (choice: NetworkChoice) => unknown;
}

/** Where each setting of the API is kept, and the flag that wins over it. */
const STORED: Readonly<Record<keyof NetworkChanges, Stored>> = {
	mode: { setting: "dhcpMode", flag: "dhcp", value: ({ mode }) => mode },
	interface: { setting: "interface", flag: "interface", value: (choice) => choice.interface },
	serverIp: { setting: "serverIp", flag: "serverIp", value: ({ serverIp }) => serverIp },
	range: { setting: "dhcpRanges", flag: "dhcpRange", value: ({ ranges }) => ranges },
	router: { setting: "dhcpRouter", flag: "dhcpRouter", value: ({ router }) => router },
	dns: { setting: "dhcpDns", flag: "dhcpDns", value: ({ dns }) => dns },
	leaseSeconds: { setting: "dhcpLeaseSeconds", flag: "dhcpLease", value: ({ leaseSeconds }) => leaseSeconds },
	serveEverybody: { setting: "dhcpEverybody", flag: "dhcpEverybody", value: (choice) => choice.serveEverybody },
	insist: { setting: "dhcpInsist", flag: "dhcpInsist", value: ({ insist }) => insist },
};
