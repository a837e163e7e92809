/**
 * The SQLite file of a layer: its schema and every statement. WAL with synchronous NORMAL: a committed transaction survives
 * the end of the process at once, and a power cut of the host once the WAL is on the disk (`sync.ts`).
 *
 * A transaction begins by itself with the first write, so that calls which change nothing cost nothing.
 */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { BugError, type FileType, MalformedError, UnsupportedError } from "../../base/index.ts";
import { type EntryRow, FILE_TYPES, type LayerNode, type Run } from "./rows.ts";

const VERSION = 1;

/** SQLite's page size, in bytes. A transaction writes some pages whole into the WAL, each for the sake of one row. */
const PAGE = 1024;

const SCHEMA = `
	CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
	CREATE TABLE node (
		id INTEGER PRIMARY KEY,
		type INTEGER NOT NULL, mode INTEGER NOT NULL, nlink INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
		major INTEGER NOT NULL, minor INTEGER NOT NULL,
		size INTEGER NOT NULL, through INTEGER NOT NULL, base_used INTEGER NOT NULL, blocks INTEGER NOT NULL,
		parent INTEGER NOT NULL,
		atime_sec INTEGER NOT NULL, atime_nsec INTEGER NOT NULL,
		mtime_sec INTEGER NOT NULL, mtime_nsec INTEGER NOT NULL,
		ctime_sec INTEGER NOT NULL, ctime_nsec INTEGER NOT NULL,
		target BLOB
	);
	CREATE TABLE entry (
		directory INTEGER NOT NULL, key TEXT NOT NULL, ino INTEGER NOT NULL, cookie INTEGER NOT NULL, name TEXT,
		PRIMARY KEY (directory, key)
	) WITHOUT ROWID;
	CREATE TABLE run (
		node INTEGER NOT NULL, start INTEGER NOT NULL, pool INTEGER NOT NULL, count INTEGER NOT NULL,
		PRIMARY KEY (node, start)
	) WITHOUT ROWID;
	CREATE TABLE reply (
		slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL, key TEXT NOT NULL, reply BLOB NOT NULL
	);
	PRAGMA user_version = ${VERSION};
`;

type Row = readonly SQLOutputValue[];

/** A row with the directory that it is in. */
export interface PlacedEntryRow extends EntryRow {
	readonly directory: number;
}

/** Numbers the inodes of all volumes: the fsid above the inode number, well below 2^53. */
function nodeId(fsid: number, ino: number): number {
	return fsid * 0x1_0000_0000 + ino;
}

export class LayerDatabase {
	readonly #db: DatabaseSync;
	readonly #statements = new Map<string, StatementSync>();
	#begun = false;
	/** Counts the writes, so that one can tell whether something changed. */
	writes = 0;

	private constructor(db: DatabaseSync) {
		this.#db = db;
	}

	/** @throws UnsupportedError when another version of this program made the file, MalformedError when it is damaged. */
	static open(path: string): LayerDatabase {
		const db = new DatabaseSync(path, { timeout: 5000 });
		try {
			configure(db, path);
		} catch (error) {
			db.close();
			throw error;
		}
		return new LayerDatabase(db);
	}

	/** A checkpoint of everything and the end of the WAL, when no other connection is open. */
	close(): void {
		this.#db.close();
	}

	commit(): void {
		if (!this.#begun) return;
		this.#statement("COMMIT").run();
		this.#begun = false;
	}

	rollback(): void {
		this.#begun = false;
		// SQLite ends a transaction by itself when the disk is full.
		if (this.#db.isTransaction) this.#statement("ROLLBACK").run();
	}

	/** Bytes in the WAL, and how many of them no checkpoint has copied yet. */
	walBytes(): { total: number; left: number } {
		const [, frames, copied] = this.#get("PRAGMA wal_checkpoint(NOOP)") ?? [];
		return { total: integer(frames) * PAGE, left: (integer(frames) - integer(copied)) * PAGE };
	}

	/** Bytes of the pages that hold rows; those that became free are used again. */
	usedBytes(): number {
		const pages = integer(this.#get("PRAGMA page_count")?.[0]) - integer(this.#get("PRAGMA freelist_count")?.[0]);
		return pages * PAGE;
	}

	/** Copies the whole WAL into the database, so that the next transaction begins it anew. Waits for the disk. */
	checkpoint(): void {
		this.#get("PRAGMA wal_checkpoint(RESTART)");
	}

	meta(name: string): SQLOutputValue | undefined {
		return this.#get("SELECT value FROM meta WHERE name = ?", name)?.[0];
	}

	setMeta(name: string, value: SQLInputValue): void {
		this.#write("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value);
	}

	/** Makes a copy another layer: with this id, and without the calls that were answered for the first one. */
	becomeAnother(id: string): void {
		this.setMeta("id", id);
		this.#write("DELETE FROM meta WHERE name = 'salt'");
		this.#write("DELETE FROM reply");
		this.commit();
	}

	node(fsid: number, ino: number): LayerNode | undefined {
		const row = this.#get("SELECT * FROM node WHERE id = ?", nodeId(fsid, ino));
		return row === undefined ? undefined : nodeOf(ino, row);
	}

	/** The inodes of the base, up to `last`, that the layer has a row of. */
	*nodes(fsid: number, last: number): Iterable<number> {
		const range = [nodeId(fsid, 0), nodeId(fsid, last)] as const;
		for (const row of this.#iterate("SELECT id FROM node WHERE id BETWEEN ? AND ?", ...range)) {
			yield integer(row[0]) - nodeId(fsid, 0);
		}
	}

	putNode(fsid: number, node: LayerNode): void {
		const { ino, type, mode, nlink, uid, gid, major, minor, size, through, baseUsed, blocks, parent } = node;
		const { atime, mtime, ctime, target } = node;
		this.#write(
			"INSERT OR REPLACE INTO node VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			...[nodeId(fsid, ino), FILE_TYPES.indexOf(type), mode, nlink, uid, gid, major, minor],
			...[size, through, baseUsed, blocks, parent],
			...[atime.sec, atime.nsec, mtime.sec, mtime.nsec, ctime.sec, ctime.nsec, target],
		);
	}

	deleteNode(fsid: number, ino: number): void {
		this.#write("DELETE FROM node WHERE id = ?", nodeId(fsid, ino));
	}

	*entries(fsid: number, directory: number): Iterable<EntryRow> {
		const sql = "SELECT key, ino, cookie, name FROM entry WHERE directory = ?";
		for (const row of this.#iterate(sql, nodeId(fsid, directory))) yield entryOf(row);
	}

	/** Up to `limit` rows of all directories of a volume, those behind this key of this directory; in their order. */
	entriesBehind(fsid: number, directory: number, key: string, limit: number): PlacedEntryRow[] {
		const sql = `SELECT key, ino, cookie, name, directory FROM entry
			WHERE (directory, key) > (?, ?) AND directory < ? ORDER BY directory, key LIMIT ?`;
		const range = [nodeId(fsid, directory), key, nodeId(fsid + 1, 0), limit] as const;
		return this.#iterate(sql, ...range).map((row) => ({
			...entryOf(row),
			directory: integer(row[4]) - nodeId(fsid, 0),
		}));
	}

	putEntry(fsid: number, directory: number, { key, ino, cookie, name }: EntryRow): void {
		const sql = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?)";
		this.#write(sql, nodeId(fsid, directory), key, ino, cookie, name === key ? null : name);
	}

	deleteEntry(fsid: number, directory: number, key: string): void {
		this.#write("DELETE FROM entry WHERE directory = ? AND key = ?", nodeId(fsid, directory), key);
	}

	deleteEntries(fsid: number, directory: number): void {
		this.#write("DELETE FROM entry WHERE directory = ?", nodeId(fsid, directory));
	}

	*runs(fsid: number, ino: number): Iterable<Run> {
		const sql = "SELECT start, pool, count FROM run WHERE node = ? ORDER BY start";
		for (const row of this.#iterate(sql, nodeId(fsid, ino))) yield runOf(row);
	}

	/** The runs of all files, in the order of the pool. */
	*allRuns(): Iterable<Run> {
		for (const row of this.#iterate("SELECT start, pool, count FROM run ORDER BY pool")) yield runOf(row);
	}

	putRun(fsid: number, ino: number, { start, pool, count }: Run): void {
		this.#write("INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?)", nodeId(fsid, ino), start, pool, count);
	}

	/** Deletes the runs that begin at `start` or behind it. */
	deleteRuns(fsid: number, ino: number, start: number): void {
		this.#write("DELETE FROM run WHERE node = ? AND start >= ?", nodeId(fsid, ino), start);
	}

	*replyKeys(): Iterable<{ slot: number; seq: number; key: string }> {
		for (const row of this.#iterate("SELECT slot, seq, key FROM reply ORDER BY seq")) {
			yield { slot: integer(row[0]), seq: integer(row[1]), key: text(row[2]) };
		}
	}

	reply(slot: number): Buffer | undefined {
		const row = this.#get("SELECT reply FROM reply WHERE slot = ?", slot);
		return row === undefined ? undefined : bytes(row[0]);
	}

	putReply(slot: number, seq: number, key: string, reply: Uint8Array): void {
		this.#write("INSERT OR REPLACE INTO reply VALUES (?, ?, ?, ?)", slot, seq, key, reply);
	}

	#write(sql: string, ...values: SQLInputValue[]): void {
		if (!this.#begun) {
			this.#statement("BEGIN IMMEDIATE").run();
			this.#begun = true;
		}
		this.writes++;
		this.#statement(sql).run(...values);
	}

	#get(sql: string, ...values: SQLInputValue[]): Row | undefined {
		// With setReturnArrays a row is an array, which the types of node:sqlite do not say.
		return this.#statement(sql).get(...values) as Row | undefined;
	}

	#iterate(sql: string, ...values: SQLInputValue[]): Row[] {
		return this.#statement(sql).all(...values) as unknown as Row[];
	}

	#statement(sql: string): StatementSync {
		let statement = this.#statements.get(sql);
		if (statement === undefined) {
			statement = this.#db.prepare(sql);
			statement.setReturnArrays(true);
			this.#statements.set(sql, statement);
		}
		return statement;
	}
}

function configure(db: DatabaseSync, path: string): void {
	// A small page cache: the rows in use are kept by the layer itself, and there may be a hundred layers.
	db.exec(`
		PRAGMA page_size = ${PAGE}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;
		PRAGMA cache_size = -1024; PRAGMA foreign_keys = OFF;
	`);
	const version = db.prepare("PRAGMA user_version").get()?.user_version;
	if (version === 0) db.exec(`BEGIN; ${SCHEMA} COMMIT;`);
	else if (version !== VERSION) {
		const message = `${path} is a layer of version ${version}, this program knows version ${VERSION}`;
		throw new UnsupportedError("layer", message, { hint: "use the version that made it, or reset the device's root" });
	}
}

function nodeOf(ino: number, row: Row): LayerNode {
	const number = (column: number) => integer(row[column]);
	const target = row[19] ?? null;
	return {
		ino,
		type: typeOf(number(1)),
		mode: number(2),
		nlink: number(3),
		uid: number(4),
		gid: number(5),
		major: number(6),
		minor: number(7),
		size: number(8),
		through: number(9),
		baseUsed: number(10),
		blocks: number(11),
		parent: number(12),
		atime: { sec: number(13), nsec: number(14) },
		mtime: { sec: number(15), nsec: number(16) },
		ctime: { sec: number(17), nsec: number(18) },
		target: target === null ? null : bytes(target),
		attributes: undefined,
	};
}

function entryOf(row: Row): EntryRow {
	const key = text(row[0]);
	return { key, ino: integer(row[1]), cookie: integer(row[2]), name: row[3] === null ? key : text(row[3]) };
}

function runOf(row: Row): Run {
	return { start: integer(row[0]), pool: integer(row[1]), count: integer(row[2]) };
}

function typeOf(index: number): FileType {
	const type = FILE_TYPES[index];
	if (type === undefined) throw new MalformedError("layer", `layer: file type ${index}, expected 0 to 6`);
	return type;
}

function integer(value: SQLOutputValue | undefined): number {
	if (typeof value !== "number") throw new BugError(`a column holds ${typeof value}, expected a number`);
	return value;
}

function text(value: SQLOutputValue | undefined): string {
	if (typeof value !== "string") throw new BugError(`a column holds ${typeof value}, expected text`);
	return value;
}

function bytes(value: SQLOutputValue | undefined): Buffer {
	if (!(value instanceof Uint8Array)) throw new BugError(`a column holds ${typeof value}, expected bytes`);
	return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
