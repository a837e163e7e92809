/** A tree that cannot be changed, for roots that many devices share. */
import { type Attributes, type DirectoryEntry, FileError, type FileSystemStatistics } from "../base/index.ts";
import type { FileTree, WritableFileTree } from "./tree.ts";

/** Passes reads on to its base and refuses every change with EROFS. */
export class ReadOnlyTree implements WritableFileTree {
	readonly root: number;
	readonly writable = false;
	readonly #base: FileTree;

	constructor(base: FileTree) {
		this.root = base.root;
		this.#base = base;
	}

	getattr(ino: number): Attributes {
		return this.#base.getattr(ino);
	}

	generation(ino: number): number {
		return this.#base.generation(ino);
	}

	lookup(directory: number, name: string): number {
		return this.#base.lookup(directory, name);
	}

	parent(directory: number): number {
		return this.#base.parent(directory);
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

	/** Nothing is free where nothing can be written. */
	statfs(): FileSystemStatistics {
		return { ...this.#base.statfs(), freeBytes: 0, availableBytes: 0, freeInodes: 0 };
	}

	setattr(): never {
		return refuse();
	}

	write(): never {
		return refuse();
	}

	create(): never {
		return refuse();
	}

	mkdir(): never {
		return refuse();
	}

	symlink(): never {
		return refuse();
	}

	mknod(): never {
		return refuse();
	}

	link(): never {
		return refuse();
	}

	remove(): never {
		return refuse();
	}

	rmdir(): never {
		return refuse();
	}

	rename(): never {
		return refuse();
	}

	/** There is never anything to be brought to the disk. */
	async commit(ino: number): Promise<void> {
		this.#base.getattr(ino);
	}
}

function refuse(): never {
	throw new FileError("EROFS", "this root is read-only");
}
