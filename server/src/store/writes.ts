/** The writes to disks, those that run and those that are over, and what the agents said of their Pis. */
import type { Insertable, Kysely, Selectable } from "kysely";
import type { InventoryTable, Tables, WriteTable } from "./tables.ts";

export type WriteRow = Selectable<WriteTable>;
export type InventoryRow = Selectable<InventoryTable>;

export class WriteRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	/** The newest first: all that are not over, and the `ended` newest of the others. */
	async newest(ended: number): Promise<WriteRow[]> {
		const all = () => this.#db.selectFrom("writes").selectAll().orderBy("createdAt", "desc");
		const open = await all().where("endedAt", "is", null).execute();
		const over = await all().where("endedAt", "is not", null).limit(ended).execute();
		return [...open, ...over].sort((a, b) => b.createdAt - a.createdAt);
	}

	/** Inserts the row or replaces all that is in it. */
	async save(row: Insertable<WriteTable>): Promise<void> {
		const { id: _id, ...changes } = row;
		await this.#db
			.insertInto("writes")
			.values(row)
			.onConflict((conflict) => conflict.column("id").doUpdateSet(changes))
			.execute();
	}

	async remove(ids: readonly string[]): Promise<void> {
		if (ids.length > 0) await this.#db.deleteFrom("writes").where("id", "in", ids).execute();
	}

	async inventories(): Promise<InventoryRow[]> {
		return this.#db.selectFrom("inventories").selectAll().execute();
	}

	async saveInventory(row: InventoryRow): Promise<void> {
		const { deviceKey: _key, ...changes } = row;
		await this.#db
			.insertInto("inventories")
			.values(row)
			.onConflict((conflict) => conflict.column("deviceKey").doUpdateSet(changes))
			.execute();
	}
}
