/**
 * A directory of the host as a part of a build. Names and attributes are those of one look over everything in it; a file's
 * bytes are given only while the file is still as it was then. From the first difference that is found, by a read or by
 * another look over everything, the directory counts as changed.
 */
import { type Clock, systemClock } from "../../base/index.ts";
import { HostFolder, HostTree, scanInWorker } from "../host/index.ts";
import { type BuildPart, PartState } from "./build-part.ts";

export interface OpenDirectoryOptions {
	/** Milliseconds for which nothing in it may have changed. */
	readonly settleMs: number;
	readonly clock?: Clock;
}

/** A look over everything takes at most this part of the time. */
const SHARE = 1 / 16;

/** How long one waits who asks whether anything has changed; a large directory is told of when it was looked over. */
const PATIENCE_MS = 500;

/** See the head of this file. */
export class DirectoryPart implements BuildPart {
	readonly tree: HostTree;
	readonly #folder: HostFolder;
	readonly #state: PartState;
	readonly #clock: Clock;
	#looking: Promise<void> | undefined;
	/** When the next look may begin, as the clock's `monotonic` has it. */
	#nextAt = 0;

	private constructor(folder: HostFolder, tree: HostTree, state: PartState, clock: Clock) {
		this.#folder = folder;
		this.tree = tree;
		this.#state = state;
		this.#clock = clock;
	}

	/** @throws see `ImageBuild.openDirectory`. */
	static async open(path: string, { settleMs, clock = systemClock }: OpenDirectoryOptions): Promise<DirectoryPart> {
		const folder = HostFolder.open(path);
		try {
			const state = new PartState(`the directory ${path}`);
			const tree = new HostTree(folder, state);
			const { newestMs } = await tree.fill(scanInWorker);
			const age = clock.now() - newestMs;
			// What has a time to come was not written a moment ago: the clock was set.
			if (age >= 0 && age < settleMs) throw state.changed();
			return new DirectoryPart(folder, tree, state, clock);
		} catch (error) {
			folder.close();
			throw error;
		}
	}

	get valid(): boolean {
		return this.#state.valid;
	}

	enter(): void {
		this.#state.enter();
	}

	onInvalid(action: () => void): void {
		this.#state.onInvalid(action);
	}

	async check(): Promise<void> {
		if (!this.valid || (this.#looking === undefined && this.#clock.monotonic() < this.#nextAt)) return;
		this.#looking ??= this.#look().finally(() => {
			this.#looking = undefined;
		});
		const { promise, resolve } = Promise.withResolvers<void>();
		const timer = this.#clock.after(PATIENCE_MS, resolve);
		await Promise.race([this.#looking, promise]);
		timer.cancel();
	}

	async close(): Promise<void> {
		this.#state.close();
		await this.#looking;
		await this.tree.close();
		this.#folder.close();
	}

	/** What cannot be looked over counts as changed: it may be half gone. Why not is told when it is opened anew. */
	async #look(): Promise<void> {
		const begunAt = this.#clock.monotonic();
		try {
			const { identity } = await scanInWorker(this.#folder.base, undefined);
			if (identity !== this.tree.identity) this.#state.invalidate();
		} catch {
			this.#state.invalidate();
		}
		const now = this.#clock.monotonic();
		this.#nextAt = now + (now - begunAt) / SHARE;
	}
}
