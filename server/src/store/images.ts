/** What is remembered of each image, so that its id survives a renaming of its file. */
import type { Kysely, Selectable } from "kysely";
import type { ImageTable, Tables } from "./tables.ts";

export type ImageRow = Selectable<ImageTable>;

export class ImageRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	async list(): Promise<ImageRow[]> {
		return this.#db.selectFrom("images").selectAll().orderBy("createdAt").execute();
	}

	/** Inserts the image or replaces what is known of it. */
	async save(row: ImageRow): Promise<void> {
		const { id: _id, ...changes } = row;
		await this.#db
			.insertInto("images")
			.values(row)
			.onConflict((conflict) => conflict.column("id").doUpdateSet(changes))
			.execute();
	}

	async remove(id: string): Promise<void> {
		await this.#db.deleteFrom("images").where("id", "=", id).execute();
	}
}
