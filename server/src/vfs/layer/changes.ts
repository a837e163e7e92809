/**
 * What a layer has changed, by paths: out of its rows, which know directories and inodes. The name of a file of the base that
 * was only written to stands in the base alone; its directories are gone through until all such files are found.
 *
 * The layer may change meanwhile: each path is as it is when it is looked at.
 */
import { setImmediate } from "node:timers/promises";
import { type Attributes, FileError, type FileType, nameToUtf8, whenReady } from "../../base/index.ts";
import type { FileTree } from "../tree.ts";
import type { LayerDatabase, PlacedEntryRow } from "./database.ts";
import type { Volume } from "./volume.ts";

export interface LayerChange {
	/** Absolute in its volume, UTF-8; bytes that are none are replaced. */
	readonly path: string;
	/** `removed` and `added` where something was moved. What lies in a directory that was removed or moved is not named. */
	readonly kind: "added" | "changed" | "removed";
	readonly type: FileType;
	/** The size now; of what was removed, as it was. */
	readonly bytes: number;
}

/** Where a file was found. */
export interface Place {
	readonly directory: number;
	readonly name: string;
}

export interface ChangesOptions {
	readonly volume: Volume;
	readonly tree: FileTree;
	readonly db: LayerDatabase;
	readonly places: Map<number, Place>;
	/** At most so many are given. */
	readonly limit: number;
}

/** Rows, or entries of directories, between two turns of the event loop. */
const AT_ONCE = 512;

/** A Pi may make directories in directories without end, but nobody reads such a path. */
const DEEPEST = 512;
const LONGEST_PATH = 16_384;
/** Stands for the directories above. */
const TOO_DEEP = "/.../";

export class Changes {
	readonly #options: ChangesOptions;
	readonly #found: LayerChange[] = [];
	/** Inodes that were named by their entry. */
	readonly #named = new Set<number>();
	/** Paths of directories, with a slash at the end. */
	readonly #paths = new Map<number, string>();
	#steps = 0;

	constructor(options: ChangesOptions) {
		this.#options = options;
		this.#paths.set(options.tree.root, "/");
	}

	/** Sorted by path. */
	async find(): Promise<LayerChange[]> {
		await this.#findByEntries();
		await this.#findByInodes();
		return this.#found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
	}

	get #isFull(): boolean {
		return this.#found.length >= this.#options.limit;
	}

	async #findByEntries(): Promise<void> {
		const { db, volume } = this.#options;
		let [directory, key] = [0, ""];
		for (;;) {
			const rows = db.entriesBehind(volume.fsid, directory, key, AT_ONCE);
			for (const row of rows) {
				if (this.#isFull) return;
				const change = await this.#look(() => this.#ofEntry(row));
				if (change !== undefined) this.#found.push(change);
			}
			const last = rows.at(-1);
			if (last === undefined) return;
			({ directory, key } = last);
			await setImmediate();
		}
	}

	#ofEntry({ directory, name, ino }: PlacedEntryRow): LayerChange | undefined {
		const { tree, volume } = this.#options;
		const before = this.#inBase(directory, name);
		const path = this.#pathOf(directory) + text(name);
		if (ino === 0) {
			if (before === undefined) return undefined;
			const { type, size } = volume.base.getattr(before);
			return { path, kind: "removed", type, bytes: size };
		}
		if (before === ino) return undefined;
		this.#named.add(ino);
		const { type, size } = tree.getattr(ino);
		return { path, kind: before === undefined ? "added" : "changed", type, bytes: size };
	}

	/** Inodes of the base that have a row, and are still where they were. */
	async #findByInodes(): Promise<void> {
		const { volume } = this.#options;
		const sought = new Map<number, Attributes>();
		for (const ino of volume.touched()) {
			await this.#pause();
			const now = this.#named.has(ino) ? undefined : await this.#look(() => this.#differing(ino));
			if (now?.type === "directory") await this.#addDirectory(now);
			else if (now !== undefined) sought.set(ino, now);
		}
		await this.#locate(sought);
	}

	#differing(ino: number): Attributes | undefined {
		const { tree, volume } = this.#options;
		const [now, before] = [tree.getattr(ino), volume.base.getattr(ino)];
		if (now.mode !== before.mode || now.uid !== before.uid || now.gid !== before.gid) return now;
		if (now.type === "directory") return undefined;
		const isWritten = now.mtime.sec !== before.mtime.sec || now.mtime.nsec !== before.mtime.nsec;
		return isWritten || now.size !== before.size ? now : undefined;
	}

	async #addDirectory({ ino }: Attributes): Promise<void> {
		const path = await this.#look(() => this.#pathOf(ino));
		if (path === undefined || this.#isFull) return;
		this.#found.push({ path: path === "/" ? "/" : path.slice(0, -1), kind: "changed", type: "directory", bytes: 0 });
	}

	async #locate(sought: Map<number, Attributes>): Promise<void> {
		for (const ino of sought.keys()) {
			const place = this.#options.places.get(ino);
			if (place !== undefined) await this.#take(ino, place, sought);
		}
		const waiting = [this.#options.tree.root];
		for (let at = 0; at < waiting.length && sought.size > 0 && !this.#isFull; at++) {
			const entries = (await this.#look(() => this.#entriesOf(waiting[at] ?? 0))) ?? [];
			for (const { ino, name, isDirectory } of entries) {
				if (isDirectory) waiting.push(ino);
				else if (sought.has(ino)) await this.#take(ino, { directory: waiting[at] ?? 0, name }, sought);
			}
		}
	}

	async #take(ino: number, place: Place, sought: Map<number, Attributes>): Promise<void> {
		const now = sought.get(ino);
		const path = await this.#look(() => {
			if (this.#options.tree.lookup(place.directory, place.name) !== ino) return undefined;
			return this.#pathOf(place.directory) + text(place.name);
		});
		if (path === undefined || now === undefined || this.#isFull) return;
		sought.delete(ino);
		this.#options.places.set(ino, place);
		this.#found.push({ path, kind: "changed", type: now.type, bytes: now.size });
	}

	#entriesOf(directory: number): { ino: number; name: string; isDirectory: boolean }[] {
		const { tree } = this.#options;
		const entries: { ino: number; name: string; isDirectory: boolean }[] = [];
		tree.readdir(directory, 0, ({ ino, name }) => {
			entries.push({ ino, name, isDirectory: tree.getattr(ino).type === "directory" });
			return true;
		});
		this.#steps += entries.length;
		return entries;
	}

	#inBase(directory: number, name: string): number | undefined {
		const { volume } = this.#options;
		if (!volume.isBase(directory)) return undefined;
		try {
			return volume.base.lookup(directory, name);
		} catch (error) {
			if (error instanceof FileError && error.code === "ENOENT") return undefined;
			throw error;
		}
	}

	/** With a slash at its end. The names of all directories beside it are kept, too: they are asked for next. */
	#pathOf(directory: number): string {
		const { tree } = this.#options;
		const climbed: number[] = [];
		for (let at = directory; !this.#paths.has(at) && climbed.length <= DEEPEST; at = tree.parent(at)) climbed.push(at);
		if (climbed.length > DEEPEST) return TOO_DEEP;
		for (const ino of climbed.reverse()) this.#nameBelow(tree.parent(ino));
		const found = this.#paths.get(directory);
		if (found === undefined) throw new FileError("ESTALE", `directory ${directory} has no name`);
		return found;
	}

	#nameBelow(parent: number): void {
		const known = this.#paths.get(parent);
		if (known === undefined) return;
		const path = known.length > LONGEST_PATH ? TOO_DEEP : known;
		for (const { ino, name, isDirectory } of this.#entriesOf(parent)) {
			if (isDirectory) this.#paths.set(ino, `${path}${text(name)}/`);
		}
	}

	/** @returns undefined when what is looked at went away meanwhile. */
	async #look<T>(look: () => T): Promise<T | undefined> {
		await this.#pause();
		try {
			return await whenReady(look);
		} catch (error) {
			if (error instanceof FileError && (error.code === "ESTALE" || error.code === "ENOENT")) return undefined;
			throw error;
		}
	}

	async #pause(): Promise<void> {
		if (++this.#steps < AT_ONCE) return;
		this.#steps = 0;
		await setImmediate();
	}
}

function text(name: string): string {
	return nameToUtf8(name);
}
