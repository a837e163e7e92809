/**
 * Making what SQLite committed survive a power cut, off the loop.
 *
 * With WAL and `synchronous = NORMAL` a commit is in the operating system's hands: a killed process loses nothing, a power
 * cut can lose the last commits. Whoever must know better syncs the write-ahead log behind the commit, on libuv's threads.
 */
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { syncPath } from "../base/index.ts";

/** Syncs the write-ahead log of one database. SQLite holds no locks on that file, so opening and closing it is safe. */
export class WalSync {
	readonly #wal: FileHandle;
	#running: Promise<void> | undefined;
	#next: Promise<void> | undefined;

	private constructor(wal: FileHandle) {
		this.#wal = wal;
	}

	/** @param path of the database, whose log exists already. */
	static async open(path: string): Promise<WalSync> {
		const wal = await open(`${path}-wal`, "r+");
		await syncPath(dirname(path));
		return new WalSync(wal);
	}

	/** Resolves when all that was committed before the call is on the disk. Calls that come together share one sync. */
	sync(): Promise<void> {
		if (this.#running === undefined) return this.#run();
		// The sync that runs may have begun before the caller's commit: it needs the one behind it.
		this.#next ??= this.#running.then(
			() => this.#run(),
			() => this.#run(),
		);
		return this.#next;
	}

	#run(): Promise<void> {
		this.#next = undefined;
		const running = this.#wal.datasync().finally(() => {
			this.#running = undefined;
		});
		this.#running = running;
		return running;
	}

	async close(): Promise<void> {
		await this.#next;
		await this.#running;
		await this.#wal.close();
	}
}
