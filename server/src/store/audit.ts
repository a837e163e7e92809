/** Who changed what. */
import type { Insertable, Kysely, Selectable } from "kysely";
import type { AuditTable, Tables } from "./tables.ts";

export type AuditRow = Selectable<AuditTable>;
export type NewAuditRow = Insertable<AuditTable>;

/** Changes that are remembered. */
const KEPT = 5000;

export class AuditRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	async insert(row: NewAuditRow): Promise<void> {
		const { insertId } = await this.#db.insertInto("audit").values(row).executeTakeFirstOrThrow();
		await this.#db
			.deleteFrom("audit")
			.where("id", "<=", Number(insertId) - KEPT)
			.execute();
	}

	/** The newest first. @param before only those with a smaller id. */
	async list(limit: number, before = Number.MAX_SAFE_INTEGER): Promise<AuditRow[]> {
		return this.#db
			.selectFrom("audit")
			.selectAll()
			.where("id", "<", before)
			.orderBy("id", "desc")
			.limit(limit)
			.execute();
	}
}
