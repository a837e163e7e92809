/** What the rule book said of each device, and for how long it held. */
import type { Insertable, Kysely, Selectable } from "kysely";
import type { DiagnosisTable, Tables } from "./tables.ts";

export type DiagnosisRow = Selectable<DiagnosisTable>;
export type NewDiagnosisRow = Insertable<DiagnosisTable>;

/** Of each device so many are remembered. */
const KEPT = 100;

export class DiagnosisRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	/** Ends what held of the device until now, and notes what holds from now on; undefined = nothing is wrong any more. */
	async say(deviceKey: number, at: number, row: NewDiagnosisRow | undefined): Promise<void> {
		await this.#db
			.updateTable("diagnoses")
			.set({ endedAt: at })
			.where("deviceKey", "=", deviceKey)
			.where("endedAt", "is", null)
			.execute();
		if (row === undefined) return;
		await this.#db.insertInto("diagnoses").values(row).execute();
		await this.#prune(deviceKey);
	}

	/** Those that hold, of all devices; the oldest first. */
	async standing(): Promise<DiagnosisRow[]> {
		return this.#db.selectFrom("diagnoses").selectAll().where("endedAt", "is", null).orderBy("id").execute();
	}

	async #prune(deviceKey: number): Promise<void> {
		const newest = this.#db
			.selectFrom("diagnoses")
			.select("id")
			.where("deviceKey", "=", deviceKey)
			.orderBy("id", "desc")
			.limit(KEPT);
		await this.#db.deleteFrom("diagnoses").where("deviceKey", "=", deviceKey).where("id", "not in", newest).execute();
	}

	/** Those of a device, the newest first. @param before only those with a smaller id. */
	async list(deviceKey: number, limit: number, before = Number.MAX_SAFE_INTEGER): Promise<DiagnosisRow[]> {
		return this.#db
			.selectFrom("diagnoses")
			.selectAll()
			.where("deviceKey", "=", deviceKey)
			.where("id", "<", before)
			.orderBy("id", "desc")
			.limit(limit)
			.execute();
	}

	/** Those of these boots, the oldest first. */
	async ofBoots(bootIds: readonly string[]): Promise<DiagnosisRow[]> {
		if (bootIds.length === 0) return [];
		return this.#db.selectFrom("diagnoses").selectAll().where("bootId", "in", bootIds).orderBy("id").execute();
	}
}
