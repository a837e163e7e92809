/**
 * Kysely on node:sqlite. Kysely brings a SQLite dialect that is written for better-sqlite3; this file makes node:sqlite
 * look like that, and says what its errors mean.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { SqliteAdapter, type SqliteDatabase, SqliteDialect, type SqliteStatement } from "kysely";
import { ExternalError } from "../base/index.ts";

/** Statements that are kept prepared: more than the server has different ones. */
const PREPARED_MAX = 256;

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that a person can do something about. */
const MEANINGS: Readonly<Record<number, { code: string; text: string; hint: string }>> = {
	5: {
		code: "data-in-use",
		text: "another pi-netboot server uses this data folder",
		hint: "Stop the other server, or give this one a folder of its own with --data.",
	},
	8: {
		code: "data-read-only",
		text: "the data folder cannot be written",
		hint: "Make it belong to the user who runs the server, or choose another with --data.",
	},
	10: { code: "data-io", text: "the disk failed to read or write", hint: "Look at the system log for disk errors." },
	11: {
		code: "data-corrupt",
		text: "the file is damaged",
		hint: "Move it away and start again: settings are lost, images are not.",
	},
	13: { code: "data-full", text: "the disk is full", hint: "Free space on the disk that holds the data folder." },
	14: {
		code: "data-unreadable",
		text: "the file cannot be opened",
		hint: "Make the data folder belong to the user who runs the server, or choose another with --data.",
	},
	26: {
		code: "data-corrupt",
		text: "the file is not a database",
		hint: "Move it away and start again: settings are lost, images are not.",
	},
};

/** Gives an error of ours for one of SQLite's; anything else comes back as it is. */
function translate(error: unknown, path: string): unknown {
	if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return error;
	// The low byte is the primary code, the rest says more.
	const meaning = MEANINGS[error.errcode & 0xff];
	if (meaning === undefined) return error;
	return new ExternalError(meaning.code, `${path}: ${meaning.text} (${error.message})`, {
		hint: meaning.hint,
		cause: error,
	});
}

function translated<T>(path: string, action: () => T): T {
	try {
		return action();
	} catch (error) {
		throw translate(error, path);
	}
}

class PreparedStatement implements SqliteStatement {
	readonly reader: boolean;
	readonly #statement: StatementSync;
	readonly #path: string;

	constructor(statement: StatementSync, path: string) {
		this.#statement = statement;
		this.#path = path;
		this.reader = statement.columns().length > 0;
	}

	all(parameters: readonly unknown[]): unknown[] {
		return translated(this.#path, () => this.#statement.all(...(parameters as SQLInputValue[])));
	}

	run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
		return translated(this.#path, () => this.#statement.run(...(parameters as SQLInputValue[])));
	}

	iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
		return this.#statement.iterate(...(parameters as SQLInputValue[]));
	}
}

class NodeSqlite implements SqliteDatabase {
	readonly #database: DatabaseSync;
	readonly #path: string;
	readonly #prepared = new Map<string, PreparedStatement>();

	constructor(database: DatabaseSync, path: string) {
		this.#database = database;
		this.#path = path;
	}

	prepare(sql: string): SqliteStatement {
		const known = this.#prepared.get(sql);
		if (known !== undefined) return known;
		if (this.#prepared.size >= PREPARED_MAX) this.#prepared.clear();
		const statement = translated(this.#path, () => new PreparedStatement(this.#database.prepare(sql), this.#path));
		this.#prepared.set(sql, statement);
		return statement;
	}

	close(): void {
		this.#prepared.clear();
		this.#database.close();
	}
}

/** SQLite can undo CREATE TABLE, so a migration that is killed half way leaves nothing behind. */
class TransactionalDdlAdapter extends SqliteAdapter {
	override get supportsTransactionalDdl(): boolean {
		return true;
	}
}

class NodeSqliteDialect extends SqliteDialect {
	override createAdapter(): SqliteAdapter {
		return new TransactionalDdlAdapter();
	}
}

/**
 * Opens a SQLite file for one process alone and gives the Kysely dialect on it.
 *
 * The lock is held as long as the file is open: two servers on one data folder would hand out the same numbers twice.
 * It also lets WAL work without shared memory, so the folder may lie on a network mount. Set before WAL, as SQLite wants.
 *
 * @throws ExternalError `data-in-use`, `data-corrupt`, `data-full`, `data-read-only`, `data-unreadable`, `data-io`.
 */
export function openDialect(path: string): SqliteDialect {
	return translated(path, () => {
		const database = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 0 });
		try {
			database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
			// The lock is taken with the first write, not with the pragma.
			database.exec("BEGIN IMMEDIATE; COMMIT;");
		} catch (error) {
			database.close();
			throw error;
		}
		return new NodeSqliteDialect({ database: new NodeSqlite(database, path) });
	});
}
