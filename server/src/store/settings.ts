/** The settings of the installation. They are few and asked for all the time, so they are kept in memory. */
import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

/** Every setting and its type. A setting that was never set is undefined. */
export interface SettingValues {
	defaultImageId: string;
	dhcpMode: "proxy" | "full" | "off";
	/** First and last address that full mode gives out. */
	dhcpRange: { readonly start: string; readonly end: string };
	serverIp: string;
	interface: string;
	/** Host names that HTTP requests may carry besides our own. */
	allowedHosts: readonly string[];
	defaultRootMode: "persistent" | "ephemeral" | "read-only";
}

export type SettingKey = keyof SettingValues;

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
		if (value === undefined) {
			await this.#db.deleteFrom("settings").where("key", "=", key).execute();
			this.#values.delete(key);
			return;
		}
		const json = JSON.stringify(value);
		await this.#db
			.insertInto("settings")
			.values({ key, value: json })
			.onConflict((conflict) => conflict.column("key").doUpdateSet({ value: json }))
			.execute();
		this.#values.set(key, value);
	}
}
