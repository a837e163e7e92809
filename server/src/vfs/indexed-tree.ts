/** A tree whose names and attributes are all in memory, put there once; where the bytes of its files are is the affair of each kind. */
import {
	type Attributes,
	type DirectoryEntry,
	FileError,
	type FileSystemStatistics,
	type FileTime,
	type FileType,
} from "../base/index.ts";
import { checkIsFile, checkRange } from "./changes.ts";
import { checkNameLength } from "./names.ts";
import type { FileTree } from "./tree.ts";

const FIRST_INO = 2;

/** The epoch, where nothing else is known. */
const EPOCH: FileTime = { sec: 0, nsec: 0 };

export interface IndexedNode {
	readonly ino: number;
	readonly type: FileType;
	mode: number;
	uid: number;
	gid: number;
	nlink: number;
	size: number;
	readonly used?: number;
	/** Of a symbolic link, as a byte string. */
	readonly target: string;
	readonly major: number;
	readonly minor: number;
	mtime: FileTime;
	atime: FileTime;
	ctime: FileTime;
	/** Of a directory. */
	readonly entries: Map<string, DirectoryEntry> | undefined;
	/** Of a directory: the one that holds it. */
	readonly parent: number;
}

/** @typeParam More what a kind of tree knows of a file besides. */
export abstract class IndexedTree<More extends object> implements FileTree {
	readonly root = FIRST_INO;
	/** Bytes of all files. */
	protected bytes = 0;
	readonly #fsid: number;
	/** By inode number, from `FIRST_INO` on. */
	readonly #nodes: (IndexedNode & More)[] = [];
	#cookies = 0;

	constructor(fsid: number) {
		this.#fsid = fsid;
	}

	getattr(ino: number): Attributes {
		const node = this.node(ino);
		const { type, mode, nlink, uid, gid, size, major, minor, atime, mtime, ctime } = node;
		const used = node.used ?? Math.ceil(size / 4096) * 4096;
		return { ino, fsid: this.#fsid, type, mode, nlink, uid, gid, size, used, major, minor, atime, mtime, ctime };
	}

	/** Always 0: no number is used twice. */
	generation(ino: number): number {
		this.node(ino);
		return 0;
	}

	lookup(directory: number, name: string): number {
		const { entries } = this.directory(directory);
		checkNameLength(name);
		const entry = entries.get(name);
		if (entry === undefined) throw new FileError("ENOENT");
		return entry.ino;
	}

	parent(directory: number): number {
		return this.directory(directory).node.parent;
	}

	readlink(ino: number): Buffer {
		const { type, target } = this.node(ino);
		if (type !== "symlink") throw new FileError("EINVAL", `inode ${ino} is a ${type}, not a symlink`);
		return Buffer.from(target, "latin1");
	}

	read(ino: number, offset: number, target: Uint8Array): number {
		const node = this.node(ino);
		checkIsFile(node.type);
		checkRange(offset);
		const length = Math.max(0, Math.min(target.length, node.size - offset));
		if (length > 0) this.readBytes(node, offset, length === target.length ? target : target.subarray(0, length));
		return length;
	}

	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		for (const entry of this.directory(directory).entries.values()) {
			if (entry.cookie > cookie && !visit(entry)) return false;
		}
		return true;
	}

	statfs(): FileSystemStatistics {
		const totals = { totalBytes: this.bytes, totalInodes: this.#nodes.length };
		return { ...totals, freeBytes: 0, availableBytes: 0, freeInodes: 0 };
	}

	/** Fills `target`, which ends inside of the file. */
	protected abstract readBytes(node: IndexedNode & More, offset: number, target: Uint8Array): void;

	/** How many inodes there are. */
	protected get count(): number {
		return this.#nodes.length;
	}

	/** Makes a file of its type, without a name yet; the first is the root. @param parent of a directory. */
	protected add(type: FileType, parent: number, more: Partial<IndexedNode> & More): IndexedNode & More {
		const isDirectory = type === "directory";
		const node = {
			ino: FIRST_INO + this.#nodes.length,
			type,
			mode: isDirectory ? 0o755 : 0o644,
			uid: 0,
			gid: 0,
			nlink: isDirectory ? 2 : 1,
			size: isDirectory ? 4096 : 0,
			target: "",
			major: 0,
			minor: 0,
			mtime: EPOCH,
			atime: EPOCH,
			ctime: EPOCH,
			entries: isDirectory ? new Map() : undefined,
			parent,
			...more,
		};
		this.#nodes.push(node);
		return node;
	}

	/** Gives a file a name; one that had it loses it, and its place in the order goes to the new one. */
	protected name(parent: number, name: string, node: IndexedNode): void {
		const { node: directory, entries } = this.directory(parent);
		const before = entries.get(name);
		if (node.type === "directory") directory.nlink += 1;
		entries.set(name, { name, ino: node.ino, cookie: before?.cookie ?? ++this.#cookies });
	}

	protected node(ino: number): IndexedNode & More {
		const node = this.#nodes[ino - FIRST_INO];
		if (node === undefined) throw new FileError("ESTALE", `there is no inode ${ino}`);
		return node;
	}

	protected directory(ino: number): {
		readonly node: IndexedNode & More;
		readonly entries: Map<string, DirectoryEntry>;
	} {
		const node = this.node(ino);
		if (node.entries === undefined) throw new FileError("ENOTDIR", `inode ${ino} is a ${node.type}`);
		return { node, entries: node.entries };
	}
}
