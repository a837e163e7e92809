/** Which copy-on-write layers exist, of which device and build. The files themselves are another room's. */
import type { Insertable, Kysely, Selectable } from "kysely";
import type { LayerTable, Tables } from "./tables.ts";

export type LayerRow = Selectable<LayerTable>;
export type NewLayerRow = Insertable<LayerTable>;

export class LayerRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	/** The least recently used first. */
	async list(): Promise<LayerRow[]> {
		return this.#db.selectFrom("layers").selectAll().orderBy("lastUsedAt").execute();
	}

	async get(id: string): Promise<LayerRow | undefined> {
		return this.#db.selectFrom("layers").selectAll().where("id", "=", id).executeTakeFirst();
	}

	/** The layers of a device, the newest first; of one build when it is given. */
	async ofDevice(deviceKey: number, buildId?: string): Promise<LayerRow[]> {
		const all = this.#db.selectFrom("layers").selectAll().where("deviceKey", "=", deviceKey);
		const wanted = buildId === undefined ? all : all.where("buildId", "=", buildId);
		return wanted.orderBy("createdAt", "desc").execute();
	}

	async insert(row: NewLayerRow): Promise<void> {
		await this.#db.insertInto("layers").values(row).execute();
	}

	async update(id: string, changes: Partial<Pick<LayerRow, "state" | "lastUsedAt">>): Promise<void> {
		if (Object.keys(changes).length === 0) return;
		await this.#db.updateTable("layers").set(changes).where("id", "=", id).execute();
	}

	async remove(id: string): Promise<void> {
		await this.#db.deleteFrom("layers").where("id", "=", id).execute();
	}
}
