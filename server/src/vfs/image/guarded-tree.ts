/** A tree that asks before every answer, so that also what is in memory is no longer given once its image has changed. */
import type { Attributes, DirectoryEntry, FileSystemStatistics } from "../../base/index.ts";
import type { FileTree } from "../tree.ts";

export class GuardedTree implements FileTree {
	readonly #base: FileTree;
	readonly #enter: () => void;

	/** @param enter throws to refuse. */
	constructor(base: FileTree, enter: () => void) {
		this.#base = base;
		this.#enter = enter;
	}

	get root(): number {
		return this.#base.root;
	}

	getattr(ino: number): Attributes {
		this.#enter();
		return this.#base.getattr(ino);
	}

	generation(ino: number): number {
		this.#enter();
		return this.#base.generation(ino);
	}

	lookup(directory: number, name: string): number {
		this.#enter();
		return this.#base.lookup(directory, name);
	}

	parent(directory: number): number {
		this.#enter();
		return this.#base.parent(directory);
	}

	readlink(ino: number): Buffer {
		this.#enter();
		return this.#base.readlink(ino);
	}

	read(ino: number, offset: number, target: Uint8Array): number {
		this.#enter();
		return this.#base.read(ino, offset, target);
	}

	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		this.#enter();
		return this.#base.readdir(directory, cookie, visit);
	}

	statfs(): FileSystemStatistics {
		this.#enter();
		return this.#base.statfs();
	}
}
