/** The tokens that were made for programs; of each only its hash. */
import type { Insertable, Kysely, Selectable } from "kysely";
import type { Tables, TokenTable } from "./tables.ts";

export type TokenRow = Selectable<TokenTable>;

export class TokenRepository {
	readonly #db: Kysely<Tables>;

	constructor(db: Kysely<Tables>) {
		this.#db = db;
	}

	/** In the order in which they were made. */
	async list(): Promise<TokenRow[]> {
		return this.#db.selectFrom("tokens").selectAll().orderBy("createdAt").orderBy("id").execute();
	}

	async insert(row: Insertable<TokenTable>): Promise<void> {
		await this.#db.insertInto("tokens").values(row).execute();
	}

	async used(id: string, lastUsedAt: number): Promise<void> {
		await this.#db.updateTable("tokens").set({ lastUsedAt }).where("id", "=", id).execute();
	}

	async remove(id: string): Promise<void> {
		await this.#db.deleteFrom("tokens").where("id", "=", id).execute();
	}
}
