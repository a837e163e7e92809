/** The last power-ons of each device, with the files that it asked for. */
import type { Kysely, Selectable } from "kysely";
import type { AttemptTable, Tables } from "./tables.ts";

export type AttemptRow = Selectable<AttemptTable>;

/** Of each device so many are remembered. */
const KEPT = 5;

export class AttemptRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	/** Inserts it, or replaces what was stored of it. */
	async save(row: AttemptRow): Promise<void> {
		await this.#db
			.insertInto("attempts")
			.values(row)
			.onConflict((conflict) => conflict.columns(["deviceKey", "startedAt"]).doUpdateSet({ attempt: row.attempt }))
			.execute();
		const newest = this.#db
			.selectFrom("attempts")
			.select("startedAt")
			.where("deviceKey", "=", row.deviceKey)
			.orderBy("startedAt", "desc")
			.limit(KEPT);
		await this.#db
			.deleteFrom("attempts")
			.where("deviceKey", "=", row.deviceKey)
			.where("startedAt", "not in", newest)
			.execute();
	}

	/** Those of a device, the newest first. */
	async list(deviceKey: number): Promise<AttemptRow[]> {
		return this.#db
			.selectFrom("attempts")
			.selectAll()
			.where("deviceKey", "=", deviceKey)
			.orderBy("startedAt", "desc")
			.execute();
	}
}
