/** The boots of each device, the secrets that live as long as they do, and the times of their stages. */
import type { Insertable, Kysely, Selectable } from "kysely";
import type { BootTable, Tables } from "./tables.ts";

export type BootRow = Selectable<BootTable>;
export type NewBootRow = Insertable<BootTable>;
export type BootChanges = Partial<Pick<BootRow, "mountedAt" | "endedAt">>;

export interface StageTime {
	readonly stage: string;
	/** Milliseconds since 1970. */
	readonly at: number;
}

export class BootRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	async insert(row: NewBootRow): Promise<void> {
		await this.#db.insertInto("boots").values(row).execute();
	}

	async update(id: string, changes: BootChanges): Promise<void> {
		if (Object.keys(changes).length === 0) return;
		await this.#db.updateTable("boots").set(changes).where("id", "=", id).execute();
	}

	async get(id: string): Promise<BootRow | undefined> {
		return this.#db.selectFrom("boots").selectAll().where("id", "=", id).executeTakeFirst();
	}

	/** The boots that did not end: at most a few per device. */
	async live(): Promise<BootRow[]> {
		return this.#db.selectFrom("boots").selectAll().where("endedAt", "is", null).orderBy("startedAt").execute();
	}

	/** The last boots of a device, the newest first. @param before only those that began before. */
	async history(
		deviceKey: number,
		limit: number,
		before = Number.MAX_SAFE_INTEGER,
	): Promise<(BootRow & { stages: StageTime[] })[]> {
		const boots = await this.#db
			.selectFrom("boots")
			.selectAll()
			.where("deviceKey", "=", deviceKey)
			.where("startedAt", "<", before)
			.orderBy("startedAt", "desc")
			.limit(limit)
			.execute();
		const stages = await this.#stages(boots.map((boot) => boot.id));
		return boots.map((boot) => ({ ...boot, stages: stages.get(boot.id) ?? [] }));
	}

	async #stages(ids: readonly string[]): Promise<Map<string, StageTime[]>> {
		const found = new Map<string, StageTime[]>();
		if (ids.length === 0) return found;
		const rows = await this.#db.selectFrom("bootStages").selectAll().where("bootId", "in", ids).orderBy("at").execute();
		for (const { bootId, stage, at } of rows) {
			const times = found.get(bootId) ?? [];
			times.push({ stage, at });
			found.set(bootId, times);
		}
		return found;
	}

	/** Replaces the stage times of a boot. */
	async saveStages(bootId: string, stages: readonly StageTime[]): Promise<void> {
		await this.#db.deleteFrom("bootStages").where("bootId", "=", bootId).execute();
		if (stages.length === 0) return;
		const rows = stages.map(({ stage, at }) => ({ bootId, stage, at }));
		await this.#db.insertInto("bootStages").values(rows).execute();
	}

	/** Keeps the `keep` newest boots of a device, and those that did not end. */
	async prune(deviceKey: number, keep: number): Promise<void> {
		const newest = this.#db
			.selectFrom("boots")
			.select("id")
			.where("deviceKey", "=", deviceKey)
			.orderBy("startedAt", "desc")
			.limit(keep);
		await this.#db
			.deleteFrom("boots")
			.where("deviceKey", "=", deviceKey)
			.where("endedAt", "is not", null)
			.where("id", "not in", newest)
			.execute();
	}
}
