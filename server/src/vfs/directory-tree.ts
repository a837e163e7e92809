/** A directory of a tree as a tree of its own: boot files that lie in the root file system and not on a volume. */
import type { Attributes, DirectoryEntry, FileSystemStatistics } from "../base/index.ts";
import type { FileTree } from "./tree.ts";

/** Answers for the whole tree below; only who holds a number of it gets there. */
export class DirectoryTree implements FileTree {
	readonly root: number;
	readonly #base: FileTree;
	readonly #fsid: number;

	/** @param root inode of the directory. @param fsid told for all files in it. */
	constructor(base: FileTree, root: number, fsid: number) {
		this.#base = base;
		this.root = root;
		this.#fsid = fsid;
	}

	getattr(ino: number): Attributes {
		return { ...this.#base.getattr(ino), fsid: this.#fsid };
	}

	generation(ino: number): number {
		return this.#base.generation(ino);
	}

	lookup(directory: number, name: string): number {
		return this.#base.lookup(directory, name);
	}

	parent(directory: number): number {
		return directory === this.root ? this.root : this.#base.parent(directory);
	}

	readlink(ino: number): Buffer {
		return this.#base.readlink(ino);
	}

	read(ino: number, offset: number, target: Uint8Array): number {
		return this.#base.read(ino, offset, target);
	}

	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		return this.#base.readdir(directory, cookie, visit);
	}

	statfs(): FileSystemStatistics {
		return this.#base.statfs();
	}
}
