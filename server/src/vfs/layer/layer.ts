/**
 * The copy-on-write layer of one device: what it changed of its image, in one SQLite file and one file of data blocks.
 */
import { randomBytes } from "node:crypto";
import { closeSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import {
	BlockFault,
	BugError,
	type Clock,
	errorText,
	FileError,
	type FileSystemStatistics,
	type Logger,
	MalformedError,
	silentLogger,
	syncPathNow,
	systemClock,
} from "../../base/index.ts";
import type { FileTree, WritableFileTree } from "../tree.ts";
import { Changes, type LayerChange, type Place } from "./changes.ts";
import { Content } from "./content.ts";
import { copyLayer } from "./copy.ts";
import { Counters } from "./counters.ts";
import { LayerDatabase } from "./database.ts";
import { Housekeeping } from "./housekeeping.ts";
import { newLayerId, sizeOf } from "./layer-files.ts";
import { LayerTree } from "./layer-tree.ts";
import { BLOCK, Pool } from "./pool.ts";
import { Replies, type ReplyKey } from "./replies.ts";
import { posix, vfat } from "./semantics.ts";
import { Sync } from "./sync.ts";
import { fileErrorFrom, isDatabaseDamaged, isDatabaseFull } from "./system-errors.ts";
import { writeVerifier } from "./verifier.ts";
import { Volume } from "./volume.ts";

/** One volume of the image below a layer. */
export interface LayerVolume {
	/** What the base's attributes say too; below 2^20. */
	readonly fsid: number;
	readonly base: FileTree;
	/** How changes behave. */
	readonly semantics: "posix" | "vfat";
	/** The highest inode number that the base may ever use, also after a restart. */
	readonly maxBaseIno: number;
	/** True for files whose content in the base may differ after a restart: copied up whole at the first change. */
	wholeCopyUp?(ino: number): boolean;
}

export interface LayerOptions {
	/** The files are `PATH.db`, `PATH.pool` and `PATH.reserve`. */
	readonly path: string;
	readonly volumes: readonly LayerVolume[];
	readonly clock?: Clock;
	/** Bytes of files and of rows that the layer may hold; without it the host's disk is the limit. */
	readonly quotaBytes?: number | undefined;
	readonly log?: Logger;
}

export class Layer {
	/** 8 random bytes in hex, for the life of the layer. */
	readonly id: string;
	readonly #path: string;
	readonly #db: LayerDatabase;
	readonly #pool: Pool;
	readonly #counters: Counters;
	readonly #replies: Replies;
	readonly #housekeeping: Housekeeping;
	readonly #sync: Sync;
	readonly #clock: Clock;
	readonly #log: Logger;
	#quotaBytes: number;
	readonly #volumes: Volume[] = [];
	readonly #trees = new Map<number, LayerTree>();
	#verifier: Buffer;
	#isActive = false;
	/** While the layer is copied; resolves when it may change again. */
	#frozen: Promise<void> | undefined;
	/** What broke off in the middle of its change: the transaction cannot be kept. */
	#broken: unknown;
	#grew = false;
	#commits = 0;

	private constructor(options: LayerOptions, db: LayerDatabase) {
		this.#path = options.path;
		this.#db = db;
		this.#clock = options.clock ?? systemClock;
		this.#log = options.log ?? silentLogger;
		this.#quotaBytes = options.quotaBytes ?? Number.POSITIVE_INFINITY;
		const firstIno = Math.max(0, ...options.volumes.map((volume) => volume.maxBaseIno)) + 1;
		this.id = this.#stored("id", newLayerId);
		this.#checkBases(firstIno);
		this.#verifier = writeVerifier(
			this.id,
			this.#stored("salt", () => ""),
		);
		db.commit();
		this.#counters = new Counters(db, this.#clock, firstIno);
		this.#replies = new Replies(db);
		this.#housekeeping = new Housekeeping({ path: options.path, db, clock: this.#clock, log: this.#log });
		// A damaged database fails before the other files are opened: clients try again and again, and none may stay open.
		const volumes = options.volumes.map((volume) => [volume, new Volume(db, volume)] as const);
		this.#pool = Pool.open(`${options.path}.pool`, db.allRuns(), this.#quotaBytes);
		this.#sync = this.#newSync();
		for (const [volume, rows] of volumes) this.#addVolume(volume, rows);
	}

	/**
	 * Opens a layer, or makes a new one.
	 *
	 * @throws MalformedError, UnsupportedError when the files are not a layer of this program, FileError ENOSPC, EIO.
	 */
	static open(options: LayerOptions): Layer {
		const path = `${options.path}.db`;
		const isNew = statSync(path, { throwIfNoEntry: false }) === undefined;
		try {
			// A root has secrets in it. SQLite gives its other files the same mode.
			if (isNew) closeSync(openSync(path, "a", 0o600));
			const layer = Layer.#openDatabase(options, path);
			if (isNew) syncPathNow(dirname(path));
			return layer;
		} catch (error) {
			if (!isDatabaseDamaged(error)) throw fileErrorFrom(error);
			throw new MalformedError("layer", `layer: ${path}: ${errorText(error)}`, { cause: error });
		}
	}

	static #openDatabase(options: LayerOptions, path: string): Layer {
		const db = LayerDatabase.open(path);
		try {
			return new Layer(options, db);
		} catch (error) {
			db.close();
			throw error;
		}
	}

	/** Another number after each change. */
	get version(): number {
		return this.#commits;
	}

	/** Takes effect with the next change. undefined = no limit but the disk's. */
	set quotaBytes(bytes: number | undefined) {
		this.#quotaBytes = bytes ?? Number.POSITIVE_INFINITY;
		this.#pool.quotaBytes = this.#quotaBytes;
	}

	/**
	 * Copies the layer as it is now to `PATH.db` and `PATH.pool`, on the disk when it resolves. It can be read meanwhile;
	 * whoever changes it waits (`BlockFault`).
	 *
	 * @throws ExternalError, FileError ENOSPC, EIO; then nothing is left of the copy.
	 */
	async copyTo(path: string): Promise<void> {
		while (this.#frozen !== undefined) await this.#frozen;
		const { promise, resolve } = Promise.withResolvers<void>();
		this.#frozen = promise;
		try {
			await copyLayer(this.#path, path);
		} finally {
			this.#frozen = undefined;
			resolve();
		}
	}

	/** What differs from the base in one volume. @param places where files were found before; kept up to date. */
	changes(fsid: number, places: Map<number, Place>, limit: number): Promise<LayerChange[]> {
		const volume = this.#volumes.find((one) => one.fsid === fsid);
		if (volume === undefined) throw new BugError(`the layer has no volume ${fsid}`);
		return new Changes({ volume, tree: this.tree(fsid), db: this.#db, places, limit }).find();
	}

	/** 8 bytes that change when writes which were not committed may have been lost. */
	get writeVerifier(): Buffer {
		return this.#verifier;
	}

	tree(fsid: number): WritableFileTree {
		const tree = this.#trees.get(fsid);
		if (tree === undefined) throw new BugError(`the layer has no volume ${fsid}`);
		return tree;
	}

	/**
	 * Runs a change so that all of it takes effect or nothing, also over the end of the process. When a file operation in it
	 * fails halfway, everything is undone and its error thrown, even if `change` caught it.
	 *
	 * @throws FileError ENOSPC, EIO of the host; BlockFault, also when room had to be made on a full disk.
	 */
	transaction<T>(change: () => T): T {
		if (this.#isActive) throw new BugError("transactions of a layer do not nest");
		if (this.#frozen !== undefined) throw new BlockFault(this.#frozen);
		try {
			return this.#attempt(change);
		} catch (error) {
			if (!isDatabaseFull(error) || this.#grew || !this.#housekeeping.makeRoom()) throw fileErrorFrom(error);
			throw new BlockFault(Promise.resolve());
		}
	}

	storedReply(key: ReplyKey): Buffer | undefined {
		return this.#replies.get(key);
	}

	/** Only inside of `transaction`: the reply is kept when the changes are. */
	storeReply(key: ReplyKey, reply: Uint8Array): void {
		if (!this.#isActive) throw new BugError("a reply is stored in the transaction of its call");
		this.#replies.put(key, reply);
	}

	/** Bytes on the host's disk that are in use. */
	usedBytes(): number {
		return this.#pool.usedBlocks * BLOCK + sizeOf(`${this.#path}.db`) + sizeOf(`${this.#path}.db-wal`);
	}

	/** Brings everything to the disk and closes the files, these also when the disk fails. */
	close(): void {
		try {
			this.#pool.syncNow();
		} finally {
			this.#closeFiles();
		}
	}

	#closeFiles(): void {
		try {
			this.#db.close();
		} finally {
			this.#sync.close();
		}
	}

	#attempt<T>(change: () => T): T {
		this.#isActive = true;
		this.#grew = false;
		try {
			const result = change();
			if (this.#broken !== undefined) throw this.#broken;
			for (const volume of this.#volumes) volume.flush();
			const writes = this.#db.writes;
			this.#db.commit();
			this.#committed(writes);
			return result;
		} catch (error) {
			this.#rolledBack();
			throw error;
		} finally {
			this.#isActive = false;
			this.#broken = undefined;
		}
	}

	#mutate<T>(grows: boolean, change: () => T): T {
		if (!this.#isActive) return this.transaction(() => this.#mutate(grows, change));
		if (grows) this.#checkRoom();
		const before = this.#changes();
		try {
			return change();
		} catch (error) {
			if (this.#changes() !== before) this.#broken ??= error;
			throw error;
		}
	}

	#checkRoom(): void {
		this.#grew = true;
		if (this.#housekeeping.isFull) throw new FileError("ENOSPC", "the layer's disk is full");
		if (this.#quotaBytes === Number.POSITIVE_INFINITY || this.#heldBytes() < this.#quotaBytes) return;
		throw new FileError("EDQUOT", `the layer holds ${this.#heldBytes()} bytes, its quota is ${this.#quotaBytes}`);
	}

	#heldBytes(): number {
		return this.#pool.usedBlocks * BLOCK + this.#housekeeping.databaseBytes;
	}

	#changes(): number {
		return this.#db.writes + this.#pool.changes + this.#volumes.reduce((sum, volume) => sum + volume.changes, 0);
	}

	#committed(writes: number): void {
		if (writes === this.#commits) return;
		this.#commits = writes;
		for (const volume of this.#volumes) volume.committed();
		this.#pool.committed();
		this.#replies.committed();
		this.#sync.changed();
		this.#housekeeping.committed();
	}

	#rolledBack(): void {
		this.#db.rollback();
		for (const volume of this.#volumes) volume.rolledBack();
		this.#pool.rolledBack();
		this.#replies.rolledBack();
		this.#counters.rolledBack();
	}

	#addVolume(options: LayerVolume, volume: Volume): void {
		this.#volumes.push(volume);
		const tree = new LayerTree({
			volume,
			content: new Content(volume, this.#db, this.#pool),
			counters: this.#counters,
			semantics: options.semantics === "vfat" ? vfat : posix,
			wholeCopyUp: (ino) => volume.isBase(ino) && (options.wholeCopyUp?.(ino) ?? false),
			mutate: (grows, change) => this.#mutate(grows, change),
			statfs: () => this.#statfs(),
			sync: () => this.#sync.flush(),
		});
		this.#trees.set(options.fsid, tree);
	}

	/** Numbers of the base and of the layer must never meet. */
	#checkBases(firstIno: number): void {
		const stored = Number(this.#stored("first_ino", () => firstIno));
		if (firstIno > stored) {
			const message = `the image below has inodes up to ${firstIno - 1}, the layer's own begin at ${stored}`;
			throw new MalformedError("layer", `layer: ${this.#path}: ${message}`);
		}
	}

	#stored<T extends string | number>(name: string, initial: () => T): string {
		const value = this.#db.meta(name);
		if (value !== undefined) return String(value);
		const made = initial();
		this.#db.setMeta(name, made);
		return String(made);
	}

	#newSync(): Sync {
		try {
			return new Sync({
				pool: this.#pool,
				walPath: `${this.#path}.db-wal`,
				clock: this.#clock,
				failed: (error) => this.#lost(error),
				done: () => this.#housekeeping.synced(),
			});
		} catch (error) {
			this.#pool.close();
			throw error;
		}
	}

	/** The disk refused what it had taken: clients must send again what they have not committed. */
	#lost(error: unknown): void {
		this.#log.error(`the disk of ${this.#path} fails: ${errorText(error)}`);
		const salt = randomBytes(8).toString("hex");
		this.#verifier = writeVerifier(this.id, salt);
		try {
			// No change of a file, so it does not wait for a copy that is being made.
			this.#attempt(() => this.#db.setMeta("salt", salt));
		} catch (cause) {
			this.#log.error(`the new write verifier of ${this.#path} is not stored: ${errorText(cause)}`);
		}
	}

	#statfs(): FileSystemStatistics {
		const { total, free, available } = this.#housekeeping.space;
		const quotaLeft = Math.max(0, this.#quotaBytes - this.#heldBytes());
		const own = this.#pool.freeBlocks * BLOCK;
		return {
			totalBytes: Math.min(total, this.#quotaBytes),
			freeBytes: Math.min(free + own, quotaLeft),
			availableBytes: Math.min(available + own, quotaLeft),
			totalInodes: this.#counters.freeInos,
			freeInodes: this.#counters.freeInos,
		};
	}
}
