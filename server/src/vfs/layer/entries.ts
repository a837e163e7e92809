/**
 * The names in the directories of a volume: those of the base, less what the layer hides or replaces, and those made in the
 * layer.
 */
import { type DirectoryEntry, FileError } from "../../base/index.ts";
import { type Counters, FIRST_LAYER_COOKIE } from "./counters.ts";
import type { EntryRow } from "./rows.ts";
import type { Semantics } from "./semantics.ts";
import type { Volume } from "./volume.ts";

export interface EntriesOptions {
	readonly volume: Volume;
	readonly counters: Counters;
	readonly semantics: Semantics;
	/** These files of the base may be missing after a restart. */
	readonly wholeCopyUp: (ino: number) => boolean;
}

/** A name as it is found: in the base's place when `row` is undefined. */
export interface Found {
	readonly key: string;
	readonly ino: number;
	readonly row: EntryRow | undefined;
}

export class Entries {
	readonly #volume: Volume;
	readonly #counters: Counters;
	readonly #semantics: Semantics;
	readonly #wholeCopyUp: (ino: number) => boolean;
	/** What the base said last: one call of a client asks for the same name several times. The names of a base never change. */
	#lastOfBase: { readonly directory: number; readonly name: string; readonly ino: number | undefined } | undefined;

	constructor({ volume, counters, semantics, wholeCopyUp }: EntriesOptions) {
		this.#volume = volume;
		this.#counters = counters;
		this.#semantics = semantics;
		this.#wholeCopyUp = wholeCopyUp;
	}

	/** As `FileTree.readdir`, of a directory that has a row: the base's entries with their cookies, then the layer's. */
	list(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		const rows = this.#volume.directory(directory);
		if (this.#volume.isBase(directory) && cookie < FIRST_LAYER_COOKIE) {
			const isAtEnd = this.#volume.base.readdir(directory, cookie, (entry) => {
				const row = rows.get(this.#semantics.key(entry.name));
				if (row === undefined) return visit(entry);
				if (row.ino === 0 || row.cookie !== 0) return true;
				return visit({ name: row.name, ino: row.ino, cookie: entry.cookie });
			});
			if (!isAtEnd) return false;
		}
		return rows.forEachBehind(cookie, visit);
	}

	/** Finds a name in a directory that is known to be one. */
	find(directory: number, name: string): Found | undefined {
		const key = this.#semantics.key(name);
		const row = this.#rowOf(directory, key);
		if (row !== undefined) return row.ino === 0 ? undefined : { key, ino: row.ino, row };
		const ino = this.#baseIno(directory, name);
		if (ino === undefined) return undefined;
		return this.#semantics.foldsNames ? this.#findAlias(directory, ino) : { key, ino, row };
	}

	/** Makes a name lead to an inode, in the place of the one that it replaces. */
	enter(directory: number, name: string, ino: number, replaced: Found | undefined): void {
		const key = this.#semantics.key(name);
		// The row of the directory comes first: without it nobody looks for rows of its entries.
		this.#volume.change(directory);
		// Found by its short name: that is no place of its own.
		if (replaced !== undefined && replaced.key !== key) {
			this.leave(directory, replaced);
			this.enter(directory, name, ino, undefined);
		} else if (replaced?.row !== undefined) this.#volume.replaceEntry(directory, replaced.row, name, ino);
		else this.#volume.putEntry(directory, { key, name, ino, cookie: this.#cookieFor(replaced) });
	}

	/** Takes a name away; one of the base is hidden. */
	leave(directory: number, { key, row }: Found): void {
		this.#volume.change(directory);
		if (row === undefined || this.#baseIno(directory, row.name) !== undefined) {
			this.#volume.putEntry(directory, { key, name: key, ino: 0, cookie: 0 });
		} else this.#volume.deleteEntry(directory, key);
	}

	/** An entry that may be missing in the base after a restart cannot give its place to another. */
	#cookieFor(replaced: Found | undefined): number {
		if (replaced !== undefined && !this.#wholeCopyUp(replaced.ino)) return 0;
		return this.#counters.nextCookie();
	}

	/** FAT finds a file by its short name too: the name that it is listed by tells whether the layer hides it. */
	#findAlias(directory: number, ino: number): Found | undefined {
		let name: string | undefined;
		this.#volume.base.readdir(directory, 0, (entry) => {
			if (entry.ino === ino) name = entry.name;
			return name === undefined;
		});
		if (name === undefined) return undefined;
		const key = this.#semantics.key(name);
		return this.#rowOf(directory, key) === undefined ? { key, ino, row: undefined } : undefined;
	}

	#rowOf(directory: number, key: string): EntryRow | undefined {
		if (this.#volume.find(directory) === undefined) return undefined;
		return this.#volume.directory(directory).get(key);
	}

	#baseIno(directory: number, name: string): number | undefined {
		if (!this.#volume.isBase(directory)) return undefined;
		const last = this.#lastOfBase;
		if (last !== undefined && last.directory === directory && last.name === name) return last.ino;
		const ino = this.#lookupInBase(directory, name);
		this.#lastOfBase = { directory, name, ino };
		return ino;
	}

	#lookupInBase(directory: number, name: string): number | undefined {
		try {
			return this.#volume.base.lookup(directory, name);
		} catch (error) {
			if (error instanceof FileError && error.code === "ENOENT") return undefined;
			throw error;
		}
	}
}
