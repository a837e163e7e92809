/** A file tree in memory, for tests of the NFS server: small, strict, and able to fault. */
import {
	type Attributes,
	BlockFault,
	type DirectoryEntry,
	FileError,
	type FileErrorCode,
	type FileSystemStatistics,
	type FileTime,
	type FileType,
} from "../../../base/index.ts";
import type { NfsAttributeChanges, NfsNewFile, NfsNodeType, NfsTree } from "../port.ts";

interface Inode {
	attributes: Attributes;
	parent: number;
	content: Buffer;
	readonly entries: Map<string, DirectoryEntry>;
	nextCookie: number;
}

/** It holds its files whole, so their size is not for a client to choose. */
const MAX_SIZE = 4 * 1024 * 1024;

export class MemoryTree implements NfsTree {
	readonly root = 2;
	writable = true;
	readonly #inodes = new Map<number, Inode>();
	readonly #fsid: number;
	#nextIno = 11;
	#time = 1_700_000_000_000;
	/** Faults to throw before the methods work; one per call. */
	faults: BlockFault[] = [];
	/** Faults of `getattr` of these inodes alone. */
	readonly coldInodes = new Set<number>();
	/** What `commit` waits for. */
	committing: Promise<void> = Promise.resolve();
	readonly committed: number[] = [];
	/** Thrown by the next call of any method. */
	failure: Error | undefined;

	constructor(fsid = 1) {
		this.#fsid = fsid;
		this.#add(this.root, "directory", { mode: 0o755, uid: 0, gid: 0 }, this.root);
	}

	#tick(): FileTime {
		this.#time += 1;
		return { sec: Math.floor(this.#time / 1000), nsec: (this.#time % 1000) * 1_000_000 };
	}

	#add(ino: number, type: FileType, file: NfsNewFile, parent: number): Inode {
		const now = this.#tick();
		const nlink = type === "directory" ? 2 : 1;
		const attributes: Attributes = {
			...{ ino, fsid: this.#fsid, type, nlink, size: 0, used: 0, major: 0, minor: 0 },
			...file,
			...{ atime: now, mtime: now, ctime: now },
		};
		const inode = { attributes, parent, content: Buffer.alloc(0), entries: new Map(), nextCookie: 1 };
		this.#inodes.set(ino, inode);
		return inode;
	}

	#check(): void {
		const fault = this.faults.shift();
		if (fault !== undefined) throw fault;
		const { failure } = this;
		this.failure = undefined;
		if (failure !== undefined) throw failure;
	}

	#inode(ino: number): Inode {
		const inode = this.#inodes.get(ino);
		if (inode === undefined) throw new FileError("ESTALE");
		return inode;
	}

	#directory(ino: number): Inode {
		const inode = this.#inode(ino);
		if (inode.attributes.type !== "directory") throw new FileError("ENOTDIR");
		return inode;
	}

	#change(inode: Inode, changes: Partial<Attributes>, content: boolean): void {
		const now = this.#tick();
		inode.attributes = { ...inode.attributes, ctime: now, ...(content && { mtime: now }), ...changes };
	}

	getattr(ino: number): Attributes {
		this.#check();
		if (this.coldInodes.has(ino)) throw new BlockFault(Promise.resolve());
		return this.#inode(ino).attributes;
	}

	lookup(directory: number, name: string): number {
		this.#check();
		const entry = this.#directory(directory).entries.get(name);
		if (entry === undefined) throw new FileError("ENOENT");
		return entry.ino;
	}

	parent(directory: number): number {
		return this.#directory(directory).parent;
	}

	readlink(ino: number): Buffer {
		this.#check();
		return this.#inode(ino).content;
	}

	read(ino: number, offset: number, target: Uint8Array): number {
		this.#check();
		const part = this.#inode(ino).content.subarray(offset, offset + target.length);
		target.set(part);
		return part.length;
	}

	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		this.#check();
		for (const entry of this.#directory(directory).entries.values()) {
			if (entry.cookie > cookie && !visit(entry)) return false;
		}
		return true;
	}

	statfs(): FileSystemStatistics {
		return { totalBytes: 1e12, freeBytes: 5e11, availableBytes: 4e11, totalInodes: 1e6, freeInodes: 9e5 };
	}

	setattr(ino: number, changes: NfsAttributeChanges): void {
		this.#check();
		const inode = this.#inode(ino);
		const { size, atime, mtime, ...rest } = changes;
		if (size !== undefined) this.#resize(inode, size);
		const now = this.#tick();
		const times = {
			...(atime !== undefined && { atime: atime === "now" ? now : atime }),
			...(mtime !== undefined && { mtime: mtime === "now" ? now : mtime }),
		};
		this.#change(inode, { ...rest, ...times }, false);
	}

	#resize(inode: Inode, size: number): void {
		if (size > MAX_SIZE) throw new FileError("EFBIG", `a file of ${size} bytes, where ${MAX_SIZE} fit`);
		const content = Buffer.alloc(size);
		inode.content.copy(content);
		inode.content = content;
		this.#change(inode, { size, used: size }, true);
	}

	write(ino: number, offset: number, data: Uint8Array): void {
		this.#check();
		const inode = this.#inode(ino);
		if (offset + data.length > inode.content.length) this.#resize(inode, offset + data.length);
		inode.content.set(data, offset);
		this.#change(inode, {}, true);
	}

	#make(directory: number, name: string, type: FileType, file: NfsNewFile): Inode {
		this.#check();
		const parent = this.#directory(directory);
		if (parent.entries.has(name)) throw new FileError("EEXIST");
		const ino = this.#nextIno++;
		parent.entries.set(name, { name, ino, cookie: parent.nextCookie++ });
		this.#change(parent, {}, true);
		return this.#add(ino, type, file, directory);
	}

	create(directory: number, name: string, file: NfsNewFile): number {
		return this.#make(directory, name, "file", file).attributes.ino;
	}

	mkdir(directory: number, name: string, file: NfsNewFile): number {
		return this.#make(directory, name, "directory", file).attributes.ino;
	}

	symlink(directory: number, name: string, target: Uint8Array, file: NfsNewFile): number {
		const inode = this.#make(directory, name, "symlink", file);
		inode.content = Buffer.from(target);
		inode.attributes = { ...inode.attributes, size: target.length };
		return inode.attributes.ino;
	}

	mknod(directory: number, name: string, type: NfsNodeType, major: number, minor: number, file: NfsNewFile): number {
		const inode = this.#make(directory, name, type, file);
		inode.attributes = { ...inode.attributes, major, minor };
		return inode.attributes.ino;
	}

	link(ino: number, directory: number, name: string): void {
		this.#check();
		const parent = this.#directory(directory);
		if (parent.entries.has(name)) throw new FileError("EEXIST");
		const inode = this.#inode(ino);
		parent.entries.set(name, { name, ino, cookie: parent.nextCookie++ });
		this.#change(parent, {}, true);
		this.#change(inode, { nlink: inode.attributes.nlink + 1 }, false);
	}

	#drop(directory: number, name: string, allowed: (inode: Inode) => FileErrorCode | undefined): void {
		this.#check();
		const parent = this.#directory(directory);
		const inode = this.#inode(this.lookup(directory, name));
		const refused = allowed(inode);
		if (refused !== undefined) throw new FileError(refused);
		parent.entries.delete(name);
		this.#change(parent, {}, true);
		const nlink = inode.attributes.nlink - 1;
		if (nlink === 0 || inode.attributes.type === "directory") this.#inodes.delete(inode.attributes.ino);
		else this.#change(inode, { nlink }, false);
	}

	remove(directory: number, name: string): void {
		this.#drop(directory, name, ({ attributes }) => (attributes.type === "directory" ? "EISDIR" : undefined));
	}

	rmdir(directory: number, name: string): void {
		this.#drop(directory, name, ({ attributes, entries }) => {
			if (attributes.type !== "directory") return "ENOTDIR";
			return entries.size > 0 ? "ENOTEMPTY" : undefined;
		});
	}

	rename(fromDirectory: number, fromName: string, toDirectory: number, toName: string): void {
		this.#check();
		const ino = this.lookup(fromDirectory, fromName);
		const target = this.#directory(toDirectory);
		const replaced = target.entries.get(toName);
		if (replaced?.ino === ino) return;
		if (replaced !== undefined) {
			const directory = this.#inode(replaced.ino).attributes.type === "directory";
			if (directory) this.rmdir(toDirectory, toName);
			else this.remove(toDirectory, toName);
		}
		this.#directory(fromDirectory).entries.delete(fromName);
		target.entries.set(toName, { name: toName, ino, cookie: target.nextCookie++ });
		this.#change(this.#inode(fromDirectory), {}, true);
		this.#change(target, {}, true);
	}

	async commit(ino: number): Promise<void> {
		await this.committing;
		this.committed.push(ino);
	}

	/** What there is, to compare. */
	names(directory: number): string[] {
		return [...this.#directory(directory).entries.keys()];
	}

	/** For `transaction`: a state to go back to. */
	save(): () => void {
		const inodes = new Map(
			[...this.#inodes].map(([ino, inode]) => [
				ino,
				{ ...inode, content: Buffer.from(inode.content), entries: new Map(inode.entries) },
			]),
		);
		return () => {
			this.#inodes.clear();
			for (const [ino, inode] of inodes) this.#inodes.set(ino, inode);
		};
	}
}
