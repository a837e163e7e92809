/**
 * A writable tree in memory: the plainest thing that behaves as POSIX says. It is what the other trees are compared with,
 * and what the tests of other rooms use as a root.
 */
import {
	type Attributes,
	type Clock,
	type DirectoryEntry,
	FileError,
	type FileSystemStatistics,
	type FileTime,
	type FileType,
	systemClock,
} from "../base/index.ts";
import { changedMode, checkIsFile, checkRange, LINK_MAX } from "./changes.ts";
import { SparseBytes } from "./memory-bytes.ts";
import { checkNameLength, checkNewName } from "./names.ts";
import { StrictTime } from "./times.ts";
import type { AttributeChanges, NewFile, NodeType, WritableFileTree } from "./tree.ts";

/** What `statfs` says there is; nothing enforces it. */
const STATED_BYTES = 2 ** 30;
const STATED_INODES = 2 ** 30;

interface MemoryNode {
	readonly ino: number;
	readonly type: FileType;
	mode: number;
	nlink: number;
	uid: number;
	gid: number;
	readonly major: number;
	readonly minor: number;
	atime: FileTime;
	mtime: FileTime;
	ctime: FileTime;
	readonly bytes: SparseBytes;
	readonly target: Buffer;
	/** In the order of the cookies, because a new name always gets a higher one. */
	readonly entries: Map<string, DirectoryEntry>;
	parent: number;
}

export interface MemoryTreeOptions {
	readonly fsid?: number;
	readonly clock?: Clock;
	/** What the root directory begins with; default root, 0755. */
	readonly root?: NewFile;
	/** The first inode number and cookie; default 2 and 1. */
	readonly firstIno?: number;
	readonly firstCookie?: number;
}

export class MemoryTree implements WritableFileTree {
	readonly root: number;
	readonly writable = true;
	readonly #fsid: number;
	readonly #time: StrictTime;
	readonly #nodes = new Map<number, MemoryNode>();
	#nextIno: number;
	#nextCookie: number;

	constructor(options: MemoryTreeOptions = {}) {
		this.#fsid = options.fsid ?? 1;
		this.#time = new StrictTime(options.clock ?? systemClock);
		this.#nextIno = options.firstIno ?? 2;
		this.#nextCookie = options.firstCookie ?? 1;
		this.root = this.#nextIno;
		const node = this.#newNode("directory", options.root ?? { mode: 0o755, uid: 0, gid: 0 }, this.root, {});
		node.nlink = 2;
	}

	getattr(ino: number): Attributes {
		const { type, mode, nlink, uid, gid, major, minor, atime, mtime, ctime, bytes, target } = this.#node(ino);
		const size = type === "symlink" ? target.length : type === "directory" ? 4096 : bytes.size;
		const used = type === "directory" ? 4096 : bytes.used;
		return { ino, fsid: this.#fsid, type, mode, nlink, uid, gid, size, used, major, minor, atime, mtime, ctime };
	}

	/** Always 0: this tree never uses an inode number twice. */
	generation(ino: number): number {
		this.#node(ino);
		return 0;
	}

	lookup(directory: number, name: string): number {
		return this.#entry(this.#directory(directory), name).ino;
	}

	parent(directory: number): number {
		return this.#directory(directory).parent;
	}

	readlink(ino: number): Buffer {
		const node = this.#node(ino);
		if (node.type !== "symlink") throw new FileError("EINVAL", `inode ${ino} is a ${node.type}, not a symlink`);
		return Buffer.from(node.target);
	}

	read(ino: number, offset: number, target: Uint8Array): number {
		const node = this.#node(ino);
		checkIsFile(node.type);
		checkRange(offset);
		return node.bytes.read(offset, target);
	}

	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		for (const entry of this.#directory(directory).entries.values()) {
			if (entry.cookie > cookie && !visit(entry)) return false;
		}
		return true;
	}

	statfs(): FileSystemStatistics {
		let used = 0;
		for (const node of this.#nodes.values()) used += node.bytes.used;
		const free = Math.max(0, STATED_BYTES - used);
		const freeInodes = STATED_INODES - this.#nodes.size;
		const totals = { totalBytes: STATED_BYTES, totalInodes: STATED_INODES };
		return { ...totals, freeBytes: free, availableBytes: free, freeInodes };
	}

	setattr(ino: number, changes: AttributeChanges): void {
		const node = this.#node(ino);
		if (changes.size !== undefined) {
			checkIsFile(node.type);
			checkRange(changes.size);
			node.bytes.truncate(changes.size);
		}
		const now = this.#time.next();
		node.mode = changedMode(node, changes);
		node.uid = changes.uid ?? node.uid;
		node.gid = changes.gid ?? node.gid;
		if (changes.size !== undefined) node.mtime = now;
		if (changes.atime !== undefined) node.atime = changes.atime === "now" ? now : changes.atime;
		if (changes.mtime !== undefined) node.mtime = changes.mtime === "now" ? now : changes.mtime;
		node.ctime = now;
	}

	write(ino: number, offset: number, data: Uint8Array): void {
		const node = this.#node(ino);
		checkIsFile(node.type);
		checkRange(offset, data.length);
		if (data.length === 0) return;
		node.bytes.write(offset, data);
		node.mtime = node.ctime = this.#time.next();
	}

	create(directory: number, name: string, file: NewFile): number {
		return this.#add(directory, name, "file", file, {});
	}

	mkdir(directory: number, name: string, file: NewFile): number {
		return this.#add(directory, name, "directory", file, {});
	}

	symlink(directory: number, name: string, target: Uint8Array, file: NewFile): number {
		return this.#add(directory, name, "symlink", file, { target });
	}

	mknod(directory: number, name: string, type: NodeType, major: number, minor: number, file: NewFile): number {
		const isDevice = type === "block" || type === "character";
		return this.#add(directory, name, type, file, isDevice ? { major, minor } : {});
	}

	link(ino: number, directory: number, name: string): void {
		const node = this.#node(ino);
		const parent = this.#directory(directory);
		if (node.type === "directory") throw new FileError("EPERM", "a directory has one name");
		this.#checkFree(parent, name);
		if (node.nlink >= LINK_MAX) throw new FileError("EMLINK");
		node.nlink++;
		this.#enter(parent, name, ino);
		node.ctime = parent.mtime = parent.ctime = this.#time.next();
	}

	remove(directory: number, name: string): void {
		const parent = this.#directory(directory);
		const node = this.#node(this.#entry(parent, name).ino);
		if (node.type === "directory") throw new FileError("EISDIR");
		parent.entries.delete(name);
		node.ctime = parent.mtime = parent.ctime = this.#time.next();
		this.#unlink(node);
	}

	rmdir(directory: number, name: string): void {
		const parent = this.#directory(directory);
		if (name === ".") throw new FileError("EINVAL", "a directory cannot be removed through itself");
		const node = this.#directory(this.#entry(parent, name).ino);
		if (node.entries.size > 0) throw new FileError("ENOTEMPTY");
		parent.entries.delete(name);
		parent.mtime = parent.ctime = this.#time.next();
		this.#removeDirectory(node, parent);
	}

	rename(fromDirectory: number, fromName: string, toDirectory: number, toName: string): void {
		const from = this.#directory(fromDirectory);
		const to = this.#directory(toDirectory);
		const node = this.#node(this.#entry(from, fromName).ino);
		checkNewName(toName);
		if (node.type === "directory") this.#checkNotInside(node.ino, to);
		const replaced = this.#replaced(to, toName, node);
		// rename(2): "If oldpath and newpath are existing hard links referring to the same file, then rename() does nothing".
		if (replaced === node) return;
		from.entries.delete(fromName);
		if (node.type === "directory") {
			from.nlink--;
			to.nlink++;
			node.parent = to.ino;
		}
		node.ctime = from.mtime = from.ctime = to.mtime = to.ctime = this.#time.next();
		this.#enter(to, toName, node.ino);
		if (replaced?.type === "directory") this.#removeDirectory(replaced, to);
		else if (replaced !== undefined) {
			replaced.ctime = node.ctime;
			this.#unlink(replaced);
		}
	}

	async commit(ino: number): Promise<void> {
		this.#node(ino);
	}

	#node(ino: number): MemoryNode {
		const node = this.#nodes.get(ino);
		if (node === undefined) throw new FileError("ESTALE", `there is no inode ${ino}`);
		return node;
	}

	#directory(ino: number): MemoryNode {
		const node = this.#node(ino);
		if (node.type !== "directory") throw new FileError("ENOTDIR", `inode ${ino} is a ${node.type}`);
		return node;
	}

	#entry(directory: MemoryNode, name: string): DirectoryEntry {
		checkNameLength(name);
		const entry = directory.entries.get(name);
		if (entry === undefined) throw new FileError("ENOENT");
		return entry;
	}

	#checkFree(directory: MemoryNode, name: string): void {
		checkNewName(name);
		if (directory.entries.has(name)) throw new FileError("EEXIST");
	}

	#newNode(
		type: FileType,
		file: NewFile,
		parent: number,
		more: { target?: Uint8Array; major?: number; minor?: number },
	): MemoryNode {
		const now = this.#time.next();
		const node: MemoryNode = {
			ino: this.#nextIno++,
			type,
			mode: file.mode & 0o7777,
			nlink: type === "directory" ? 2 : 1,
			uid: file.uid,
			gid: file.gid,
			major: more.major ?? 0,
			minor: more.minor ?? 0,
			atime: now,
			mtime: now,
			ctime: now,
			bytes: new SparseBytes(),
			target: Buffer.from(more.target ?? []),
			entries: new Map(),
			parent,
		};
		this.#nodes.set(node.ino, node);
		return node;
	}

	#add(
		directory: number,
		name: string,
		type: FileType,
		file: NewFile,
		more: { target?: Uint8Array; major?: number; minor?: number },
	): number {
		const parent = this.#directory(directory);
		this.#checkFree(parent, name);
		const node = this.#newNode(type, file, directory, more);
		if (type === "directory") parent.nlink++;
		this.#enter(parent, name, node.ino);
		parent.mtime = parent.ctime = node.ctime;
		return node.ino;
	}

	/** A name that is replaced keeps its cookie, so that a directory being listed shows it once. */
	#enter(directory: MemoryNode, name: string, ino: number): void {
		const cookie = directory.entries.get(name)?.cookie ?? this.#nextCookie++;
		directory.entries.set(name, { name, ino, cookie });
	}

	#replaced(directory: MemoryNode, name: string, by: MemoryNode): MemoryNode | undefined {
		const entry = directory.entries.get(name);
		if (entry === undefined) return undefined;
		const node = this.#node(entry.ino);
		if (node === by) return node;
		if (node.type === "directory" && by.type !== "directory") throw new FileError("EISDIR");
		if (node.type !== "directory" && by.type === "directory") throw new FileError("ENOTDIR");
		if (node.entries.size > 0) throw new FileError("ENOTEMPTY");
		return node;
	}

	#checkNotInside(moved: number, directory: MemoryNode): void {
		for (let at = directory; at.ino !== this.root; at = this.#node(at.parent)) {
			if (at.ino === moved) throw new FileError("EINVAL", "a directory cannot be moved into itself");
		}
	}

	#unlink(node: MemoryNode): void {
		node.nlink--;
		if (node.nlink === 0) this.#nodes.delete(node.ino);
	}

	#removeDirectory(node: MemoryNode, parent: MemoryNode): void {
		parent.nlink--;
		this.#nodes.delete(node.ino);
	}
}
