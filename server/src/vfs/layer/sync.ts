/**
 * Brings a layer to the disk: the pool no later than the WAL, so that rows that a caller waited for never name blocks with
 * another file's bytes. (What nobody waited for yet may reach the disk in any order: the system writes back as it likes.)
 * Both wait in the thread pool, not on the loop. Everybody who asks while one round runs shares the next.
 */
import { closeSync, fdatasync, openSync } from "node:fs";
import { promisify } from "node:util";
import type { Clock, Timer } from "../../base/index.ts";
import type { Pool } from "./pool.ts";
import { fileErrorFrom } from "./system-errors.ts";

/** Milliseconds after which changes are on the disk though nobody asked. */
const BACKGROUND_DELAY = 1000;

const sync = promisify(fdatasync);

export interface SyncOptions {
	readonly pool: Pick<Pool, "sync" | "tookUsedBlocks" | "close">;
	/** The write-ahead log, which exists. */
	readonly walPath: string;
	readonly clock: Clock;
	/** The disk refused: what was written since the last round may be lost. */
	readonly failed: (error: unknown) => void;
	/** A round is done. */
	readonly done: () => void;
}

export class Sync {
	readonly #options: SyncOptions;
	readonly #walFd: number;
	/** Counts the commits, and those that are on the disk. */
	#changes = 1;
	#synced = 0;
	#running: Promise<void> | undefined;
	#next: Promise<void> | undefined;
	#timer: Timer | undefined;
	#closed = false;

	constructor(options: SyncOptions) {
		this.#options = options;
		this.#walFd = openSync(options.walPath, "r");
	}

	/** Something was committed to the WAL. */
	changed(): void {
		this.#changes++;
		this.#timer ??= this.#options.clock.after(BACKGROUND_DELAY, () => {
			this.#timer = undefined;
			// A failure was reported to `failed` already.
			this.flush().catch(() => undefined);
		});
	}

	/** Resolves when all that was committed before is on the disk. @throws FileError EIO, ENOSPC. */
	flush(): Promise<void> {
		if (this.#synced === this.#changes || this.#closed) return Promise.resolve();
		if (this.#running === undefined) return this.#start();
		this.#next ??= this.#running
			.catch(() => undefined)
			.then(() => {
				this.#next = undefined;
				return this.#synced === this.#changes || this.#closed ? undefined : this.#start();
			});
		return this.#next;
	}

	/** The database is closed: its files are on the disk or gone. */
	close(): void {
		this.#closed = true;
		this.#timer?.cancel();
		// A descriptor that a thread is waiting on must stay open.
		const finish = () => {
			closeSync(this.#walFd);
			this.#options.pool.close();
		};
		if (this.#running === undefined) finish();
		else this.#running.then(finish, finish);
	}

	#start(): Promise<void> {
		this.#running = this.#round().finally(() => {
			this.#running = undefined;
		});
		return this.#running;
	}

	async #round(): Promise<void> {
		this.#timer?.cancel();
		this.#timer = undefined;
		const changes = this.#changes;
		try {
			const reuse = await this.#syncBoth();
			if (this.#closed) return;
			reuse();
			this.#synced = changes;
			this.#options.done();
		} catch (error) {
			this.#options.failed(error);
			throw fileErrorFrom(error);
		}
	}

	/**
	 * Both at once where that is safe, which the host's file system makes one round of its journal. Blocks that lie behind the
	 * old end of the pool read as zeros when only their rows came to the disk; used ones would show another file's bytes.
	 */
	async #syncBoth(): Promise<() => void> {
		const { pool } = this.#options;
		const poolFirst = pool.tookUsedBlocks;
		const synced = pool.sync();
		if (poolFirst) await synced;
		const [reuse, wal] = await Promise.allSettled([synced, sync(this.#walFd)]);
		if (wal.status === "rejected") throw wal.reason;
		if (reuse.status === "rejected") throw reuse.reason;
		return reuse.value;
	}
}
