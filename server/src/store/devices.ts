/** The devices and all the ids that they ever had. */
import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { sql } from "kysely";
import type { DeviceTable, Tables } from "./tables.ts";

export type DeviceRow = Selectable<DeviceTable>;
/** A whole row, its key chosen by the caller. */
export type NewDeviceRow = Insertable<DeviceTable> & { key: number };
export type DeviceRowChanges = Omit<Updateable<DeviceTable>, "key">;

/** SQLite takes 32,766 parameters, and a flood of DHCP makes more devices than that and forgets them. */
const AT_ONCE = 500;

export class DeviceRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	/** In the order in which they were first seen. */
	async list(): Promise<DeviceRow[]> {
		return this.#db.selectFrom("devices").selectAll().orderBy("key").execute();
	}

	/** Current and former ids, of all devices. */
	async ids(): Promise<{ id: string; deviceKey: number }[]> {
		return this.#db.selectFrom("deviceIds").selectAll().execute();
	}

	/** A key that no device ever had, as long as all keys come from here or above it. */
	async nextKey(): Promise<number> {
		const { rows } = await sql<{ seq: number }>`select seq from sqlite_sequence where name = 'devices'`.execute(
			this.#db,
		);
		return (rows[0]?.seq ?? 0) + 1;
	}

	/** Inserts the row or replaces all that is in it, and keeps `id` for ever. */
	async save(row: NewDeviceRow): Promise<void> {
		const { key: _key, ...changes } = row;
		await this.#db
			.insertInto("devices")
			.values(row)
			.onConflict((conflict) => conflict.column("key").doUpdateSet(changes))
			.execute();
		await this.addId(row.key, row.id);
	}

	async update(key: number, changes: DeviceRowChanges): Promise<void> {
		if (Object.keys(changes).length === 0) return;
		await this.#db.updateTable("devices").set(changes).where("key", "=", key).execute();
	}

	/** Keeps an id that the device has or had. An id belongs to whoever had it first. */
	async addId(key: number, id: string): Promise<void> {
		await this.#db
			.insertInto("deviceIds")
			.values({ id, deviceKey: key })
			.onConflict((conflict) => conflict.column("id").doNothing())
			.execute();
	}

	/** Forgets devices with their ids and boots. Their layers stay until they are dropped. */
	async remove(keys: readonly number[]): Promise<void> {
		for (let at = 0; at < keys.length; at += AT_ONCE) {
			const some = keys.slice(at, at + AT_ONCE);
			await this.#db.deleteFrom("devices").where("key", "in", some).execute();
		}
	}
}
