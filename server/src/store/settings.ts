/** The settings of the installation. They are few and asked for all the time, so they are kept in memory. */
import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

/** As the room of the images has it. */
interface ImageArrival {
	readonly kind: "download" | "catalog" | "upload";
	readonly at: number;
	readonly url?: string;
	readonly entry?: {
		readonly id: string;
		readonly name: string;
		readonly unpackedBytes?: number;
		readonly unpackedSha256?: string;
	};
	readonly sha256?: string;
	readonly isChecked?: boolean;
}

/** An agent on a Pi that was booted by other means. */
export interface InstalledAgent {
	readonly id: string;
	/** Signs what it says. */
	readonly secret: string;
	/** Of its Pi. */
	readonly mac: string;
}

/** Every setting and its type. A setting that was never set is undefined. */
export interface SettingValues {
	defaultImageId: string;
	/** Marks of files in the images folder that are not to be images any more. */
	forgottenImages: readonly string[];
	/** How files came into the images folder, by what each file is. */
	imageOrigins: readonly { readonly mark: string; readonly arrived?: ImageArrival; readonly sha256?: string }[];
	dhcpMode: "proxy" | "full" | "off";
	/** First and last addresses that full mode gives out; with `prefix` behind a relay. */
	dhcpRanges: readonly { readonly start: string; readonly end: string; readonly prefix?: number | undefined }[];
	/** null = none. */
	dhcpRouter: string | null;
	/** null = none. */
	dhcpDns: readonly string[] | null;
	dhcpLeaseSeconds: number;
	dhcpEverybody: boolean;
	dhcpInsist: boolean;
	serverIp: string;
	interface: string;
	/** Host names that HTTP requests may carry besides our own. */
	allowedHosts: readonly string[];
	installedAgents: readonly InstalledAgent[];
	/** The hash of the password that opens the page. */
	passwordHash: string;
	/** Sessions of another one have ended. */
	sessionEpoch: string;
	/** Those that somebody logged out of, before their time is over. */
	endedSessions: string;
	defaultRootMode: "persistent" | "ephemeral" | "read-only";
	/** Bytes that the root of a device may hold which has no quota of its own; 0 = no limit. */
	defaultQuotaBytes: number;
	/** What every device's system gets unless it has something of its own: fields as the devices have them. */
	defaultCustomisation: Readonly<Record<string, string | readonly string[]>>;
	/** How many roots of older builds each device keeps per image. */
	oldRootsKept: number;
	/** Days after their last use; null = for ever. */
	oldRootDays: number | null;
	/** All roots together: older builds' go while there are more bytes; null = no limit. */
	rootBudgetBytes: number | null;
}

export type SettingKey = keyof SettingValues;

/** undefined takes a setting away. */
export type SettingChanges = { readonly [K in SettingKey]?: SettingValues[K] | undefined };

export class SettingRepository {
	readonly #db: Kysely<Tables>;
	readonly #values: Map<string, unknown>;

	private constructor(db: Kysely<Tables>, values: Map<string, unknown>) {
		this.#db = db;
		this.#values = values;
	}

	static async load(db: Kysely<Tables>): Promise<SettingRepository> {
		const rows = await db.selectFrom("settings").selectAll().execute();
		return new SettingRepository(db, new Map(rows.map(({ key, value }) => [key, JSON.parse(value)])));
	}

	get<K extends SettingKey>(key: K): SettingValues[K] | undefined {
		return this.#values.get(key) as SettingValues[K] | undefined;
	}

	/** Stores the value, then shows it to `get`; undefined takes it away. */
	async set<K extends SettingKey>(key: K, value: SettingValues[K] | undefined): Promise<void> {
		await store(this.#db, key, value);
		this.#show(key, value);
	}

	/** Stores all of these or none, then shows them to `get`; undefined takes one away. */
	async setAll(values: SettingChanges): Promise<void> {
		const changes = Object.entries(values);
		await this.#db.transaction().execute(async (db) => {
			for (const [key, value] of changes) await store(db, key, value);
		});
		for (const [key, value] of changes) this.#show(key, value);
	}

	#show(key: string, value: unknown): void {
		if (value === undefined) this.#values.delete(key);
		else this.#values.set(key, value);
	}
}

async function store(db: Kysely<Tables>, key: string, value: unknown): Promise<void> {
	if (value === undefined) {
		await db.deleteFrom("settings").where("key", "=", key).execute();
		return;
	}
	const json = JSON.stringify(value);
	await db
		.insertInto("settings")
		.values({ key, value: json })
		.onConflict((conflict) => conflict.column("key").doUpdateSet({ value: json }))
		.execute();
}
