/**
 * Directories that are looked over. Where there are many files in one that takes seconds or minutes, and nobody else shall wait
 * for it: neither other images, nor the start of the server.
 */
import type { Clock } from "../base/index.ts";
import { type FileStamp, sameStamp } from "../vfs/index.ts";
import type { FoundFile } from "./found.ts";
import type { Taken } from "./taking.ts";

/** How long one waits for a directory before it is left to itself. */
const PATIENCE_MS = 500;

export interface DirectoryLooksOptions {
	readonly clock: Clock;
	/** Called when one has been looked over. */
	readonly found: () => void;
}

interface Looking {
	/** Of the directory, when it began. */
	readonly stamp: FileStamp;
	readonly taken: Promise<Taken>;
	/** As `taken`, and never rejects. */
	readonly over: Promise<void>;
}

/** See the head of this file. */
export class DirectoryLooks {
	readonly #options: DirectoryLooksOptions;
	/** By the path of the directory. */
	readonly #looking = new Map<string, Looking>();
	readonly #closing = new Set<Promise<void>>();

	constructor(options: DirectoryLooksOptions) {
		this.#options = options;
	}

	/**
	 * What became of a directory as it is now, which the caller owns then; undefined while it is looked over. One directory is
	 * looked over once at a time, however often it changes.
	 *
	 * @throws what `lookOver` throws.
	 */
	async take(file: FoundFile, lookOver: () => Promise<Taken>): Promise<Taken | undefined> {
		const looking = this.#looking.get(file.path) ?? this.#begin(file, lookOver);
		if (!(await this.#isOver(looking))) return undefined;
		this.#looking.delete(file.path);
		if (sameStamp(looking.stamp, file.stamp)) return await looking.taken;
		this.#close(looking);
		return await this.take(file, lookOver);
	}

	/** Gives up all but these: the others are no longer there. */
	keepOnly(files: readonly FoundFile[]): void {
		const paths = new Set(files.map(({ path }) => path));
		for (const [path, looking] of this.#looking) {
			if (paths.has(path)) continue;
			this.#looking.delete(path);
			this.#close(looking);
		}
	}

	/** Resolves when nothing is looked over any more. */
	async stop(): Promise<void> {
		this.keepOnly([]);
		await Promise.all(this.#closing);
	}

	#begin({ path, stamp }: FoundFile, lookOver: () => Promise<Taken>): Looking {
		const taken = lookOver();
		// Who takes it hears of its failure.
		const over = taken.then(this.#options.found, this.#options.found);
		const looking = { stamp, taken, over };
		this.#looking.set(path, looking);
		return looking;
	}

	async #isOver({ over }: Looking): Promise<boolean> {
		const { promise: enough, resolve } = Promise.withResolvers<boolean>();
		const timer = this.#options.clock.after(PATIENCE_MS, () => resolve(false));
		const isOver = await Promise.race([over.then(() => true), enough]);
		timer.cancel();
		return isOver;
	}

	#close({ taken }: Looking): void {
		// Of what nobody asks for any more it does not matter why it failed.
		const closing = taken
			.then(
				({ build }) => build?.close(),
				() => undefined,
			)
			.finally(() => this.#closing.delete(closing));
		this.#closing.add(closing);
	}
}
