/** The roots that people kept under a name. The files themselves are another room's. */
import type { Insertable, Kysely, Selectable } from "kysely";
import type { SnapshotTable, Tables } from "./tables.ts";

export type SnapshotRow = Selectable<SnapshotTable>;
export type NewSnapshotRow = Insertable<SnapshotTable>;

export class SnapshotRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	async list(): Promise<SnapshotRow[]> {
		return this.#db.selectFrom("snapshots").selectAll().orderBy("createdAt").execute();
	}

	/** The oldest first. */
	async ofDevice(deviceKey: number): Promise<SnapshotRow[]> {
		const all = this.#db.selectFrom("snapshots").selectAll().where("deviceKey", "=", deviceKey);
		return all.orderBy("createdAt").execute();
	}

	async get(id: string): Promise<SnapshotRow | undefined> {
		return this.#db.selectFrom("snapshots").selectAll().where("id", "=", id).executeTakeFirst();
	}

	async insert(row: NewSnapshotRow): Promise<void> {
		await this.#db.insertInto("snapshots").values(row).execute();
	}

	async remove(id: string): Promise<void> {
		await this.#db.deleteFrom("snapshots").where("id", "=", id).execute();
	}
}
