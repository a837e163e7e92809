/** The addresses that we gave out, and those that are kept out of use. */
import type { Insertable, Kysely, Selectable } from "kysely";
import type { LeaseTable, Tables } from "./tables.ts";

export type LeaseRow = Selectable<LeaseTable>;
export type NewLeaseRow = Insertable<LeaseTable>;

export class LeaseRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	/** What ends first, first. */
	async list(): Promise<LeaseRow[]> {
		return this.#db.selectFrom("leases").selectAll().orderBy("expiresAt").execute();
	}

	/** Inserts the rows, or replaces those of their addresses, and takes away those of `gone`: all of it or nothing. */
	async save(rows: readonly NewLeaseRow[], gone: readonly string[]): Promise<void> {
		await this.#db.transaction().execute(async (db) => {
			if (gone.length > 0) await db.deleteFrom("leases").where("address", "in", gone).execute();
			for (const row of rows) {
				await db
					.insertInto("leases")
					.values(row)
					.onConflict((conflict) => conflict.column("address").doUpdateSet(row))
					.execute();
			}
		});
	}
}
