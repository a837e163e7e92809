/**
 * One volume of a layer as a tree: what the layer has changed, over the base. Everything is keyed by inode, never by path:
 * moving a directory of the base is one row, and a file with two names stays one file.
 */

import type { FileType } from "../../base/index.ts";
import { type Attributes, type DirectoryEntry, FileError, type FileSystemStatistics } from "../../base/index.ts";
import { changedMode, checkIsFile, checkRange, LINK_MAX } from "../changes.ts";
import { checkNameLength } from "../names.ts";
import type { AttributeChanges, NewFile, NodeType, WritableFileTree } from "../tree.ts";
import type { Content } from "./content.ts";
import type { Counters } from "./counters.ts";
import { Entries, type Found } from "./entries.ts";
import type { LayerNode } from "./rows.ts";
import type { Semantics } from "./semantics.ts";
import type { Volume } from "./volume.ts";

/** What a tree needs of its layer. */
export interface LayerTreeOptions {
	readonly volume: Volume;
	readonly content: Content;
	readonly counters: Counters;
	readonly semantics: Semantics;
	/** The bytes of these files of the base may differ after a restart. */
	readonly wholeCopyUp: (ino: number) => boolean;
	/** Runs a change as a transaction, or as a part of the one that runs. `grows`: it takes room on the disk. */
	readonly mutate: <T>(grows: boolean, change: () => T) => T;
	readonly statfs: () => FileSystemStatistics;
	readonly sync: () => Promise<void>;
}

/** Deeper than any path can name; a walk up that takes longer goes in circles. */
const DEPTH_MAX = 65_536;

export class LayerTree implements WritableFileTree {
	readonly root: number;
	readonly writable = true;
	readonly #volume: Volume;
	readonly #content: Content;
	readonly #counters: Counters;
	readonly #entries: Entries;
	readonly #semantics: Semantics;
	readonly #options: LayerTreeOptions;

	constructor(options: LayerTreeOptions) {
		this.root = options.volume.base.root;
		this.#volume = options.volume;
		this.#content = options.content;
		this.#counters = options.counters;
		this.#semantics = options.semantics;
		this.#options = options;
		this.#entries = new Entries(options);
	}

	getattr(ino: number): Attributes {
		return this.#volume.attributes(ino);
	}

	/** Always 0: a layer never uses an inode number for another file, and a new layer makes new handles by its id. */
	generation(ino: number): number {
		this.#volume.attributes(ino);
		return 0;
	}

	lookup(directory: number, name: string): number {
		if (this.#volume.find(directory) === undefined) return this.#volume.base.lookup(directory, name);
		this.#checkDirectory(directory);
		checkNameLength(name);
		return this.#found(directory, name).ino;
	}

	parent(directory: number): number {
		const node = this.#volume.find(directory);
		if (node === undefined) return this.#volume.base.parent(directory);
		this.#checkDirectory(directory);
		return node.parent;
	}

	readlink(ino: number): Buffer {
		const node = this.#volume.find(ino);
		if (node === undefined) return this.#volume.base.readlink(ino);
		if (node.target === null) throw new FileError("EINVAL", `inode ${ino} is a ${node.type}, not a symlink`);
		return Buffer.from(node.target);
	}

	read(ino: number, offset: number, target: Uint8Array): number {
		const node = this.#volume.find(ino);
		if (node === undefined) return this.#volume.base.read(ino, offset, target);
		checkIsFile(node.type);
		checkRange(offset);
		return this.#content.read(node, offset, target);
	}

	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		if (this.#volume.find(directory) === undefined) return this.#volume.base.readdir(directory, cookie, visit);
		this.#checkDirectory(directory);
		return this.#entries.list(directory, cookie, visit);
	}

	statfs(): FileSystemStatistics {
		return this.#options.statfs();
	}

	setattr(ino: number, changes: AttributeChanges): void {
		const attributes = this.getattr(ino);
		const { size } = changes;
		if (size !== undefined) {
			checkIsFile(attributes.type);
			this.#checkSize(size, 0);
		}
		const allowed = this.#semantics.allow(changes, attributes, this.getattr(this.root));
		this.#options.mutate(false, () => this.#setattr(ino, allowed));
	}

	write(ino: number, offset: number, data: Uint8Array): void {
		checkIsFile(this.getattr(ino).type);
		this.#checkSize(offset, data.length);
		if (data.length === 0) return;
		this.#options.mutate(this.#takesRoom(ino, offset, data.length), () => {
			const node = this.#change(ino);
			this.#content.write(node, offset, data);
			node.mtime = node.ctime = this.#counters.nextTime();
		});
	}

	create(directory: number, name: string, file: NewFile): number {
		return this.#add(directory, name, "file", file, {});
	}

	mkdir(directory: number, name: string, file: NewFile): number {
		return this.#add(directory, name, "directory", file, {});
	}

	symlink(directory: number, name: string, target: Uint8Array, file: NewFile): number {
		this.#checkNotPlain("symbolic links");
		return this.#add(directory, name, "symlink", file, { target: Buffer.from(target) });
	}

	mknod(directory: number, name: string, type: NodeType, major: number, minor: number, file: NewFile): number {
		this.#checkNotPlain("special files");
		return this.#add(directory, name, type, file, type === "block" || type === "character" ? { major, minor } : {});
	}

	link(ino: number, directory: number, name: string): void {
		const { type, nlink } = this.getattr(ino);
		this.#checkDirectory(directory);
		this.#checkNotPlain("hard links");
		if (type === "directory") throw new FileError("EPERM", "a directory has one name");
		this.#checkFree(directory, name);
		if (nlink >= LINK_MAX) throw new FileError("EMLINK");
		this.#options.mutate(true, () => {
			const node = this.#change(ino);
			node.nlink++;
			this.#entries.enter(directory, name, ino, undefined);
			node.ctime = this.#directoryChanged(directory);
		});
	}

	remove(directory: number, name: string): void {
		this.#checkDirectory(directory);
		checkNameLength(name);
		const found = this.#found(directory, name);
		if (this.getattr(found.ino).type === "directory") throw new FileError("EISDIR");
		this.#options.mutate(false, () => {
			this.#entries.leave(directory, found);
			this.#unlink(found.ino).ctime = this.#directoryChanged(directory);
		});
	}

	rmdir(directory: number, name: string): void {
		this.#checkDirectory(directory);
		checkNameLength(name);
		if (name === ".") throw new FileError("EINVAL", "a directory cannot be removed through itself");
		const found = this.#found(directory, name);
		this.#checkDirectory(found.ino);
		this.#checkEmpty(found.ino);
		this.#options.mutate(false, () => {
			this.#entries.leave(directory, found);
			this.#removeDirectory(found.ino, directory);
			this.#directoryChanged(directory);
		});
	}

	rename(fromDirectory: number, fromName: string, toDirectory: number, toName: string): void {
		this.#checkDirectory(fromDirectory);
		this.#checkDirectory(toDirectory);
		checkNameLength(fromName);
		const from = this.#found(fromDirectory, fromName);
		this.#semantics.checkNewName(toName);
		const isDirectory = this.getattr(from.ino).type === "directory";
		if (isDirectory) this.#checkNotInside(from.ino, toDirectory);
		const to = this.#entries.find(toDirectory, toName);
		// rename(2): "If oldpath and newpath are existing hard links referring to the same file, then rename() does nothing".
		// Where case is folded that is the file itself, which may get its name in another case.
		if (to?.ino === from.ino && !this.#semantics.foldsNames) return;
		const replaced = to?.ino === from.ino ? undefined : to;
		if (replaced !== undefined) this.#checkReplaceable(replaced.ino, isDirectory);
		this.#options.mutate(false, () => this.#move(fromDirectory, from, toDirectory, toName, replaced));
	}

	async commit(ino: number): Promise<void> {
		this.getattr(ino);
		await this.#options.sync();
	}

	#checkDirectory(ino: number): void {
		const { type } = this.getattr(ino);
		if (type !== "directory") throw new FileError("ENOTDIR", `inode ${ino} is a ${type}`);
	}

	#checkNotPlain(what: string): void {
		if (this.#semantics.plainFilesOnly) throw new FileError("EPERM", `FAT knows no ${what}`);
	}

	#checkSize(offset: number, length: number): void {
		checkRange(offset, length);
		const { maxFileSize } = this.#semantics;
		if (offset + length > maxFileSize) throw new FileError("EFBIG", `${offset + length} bytes, at most ${maxFileSize}`);
	}

	#checkFree(directory: number, name: string): void {
		this.#semantics.checkNewName(name);
		if (this.#entries.find(directory, name) !== undefined) throw new FileError("EEXIST");
	}

	#checkNotInside(moved: number, directory: number): void {
		let at = directory;
		for (let depth = 0; at !== this.root; depth++) {
			if (at === moved) throw new FileError("EINVAL", "a directory cannot be moved into itself");
			if (depth > DEPTH_MAX) throw new FileError("EIO", `directory ${directory} is inside of itself`);
			at = this.parent(at);
		}
	}

	#checkReplaceable(ino: number, byDirectory: boolean): void {
		const isDirectory = this.getattr(ino).type === "directory";
		if (isDirectory && !byDirectory) throw new FileError("EISDIR");
		if (!isDirectory && byDirectory) throw new FileError("ENOTDIR");
		if (isDirectory) this.#checkEmpty(ino);
	}

	#checkEmpty(directory: number): void {
		if (!this.readdir(directory, 0, () => false)) throw new FileError("ENOTEMPTY");
	}

	#takesRoom(ino: number, offset: number, length: number): boolean {
		const isCopied = this.#volume.find(ino) !== undefined;
		return !isCopied || this.#content.missingBlocks(ino, offset, length) > 0;
	}

	#found(directory: number, name: string): Found {
		const found = this.#entries.find(directory, name);
		if (found === undefined) throw new FileError("ENOENT");
		return found;
	}

	/** The row of an inode about to be changed. */
	#change(ino: number): LayerNode {
		const isFirst = this.#volume.find(ino) === undefined;
		const node = this.#volume.change(ino);
		if (isFirst && node.type === "file" && this.#options.wholeCopyUp(ino)) this.#content.copyWhole(node);
		return node;
	}

	#setattr(ino: number, changes: AttributeChanges): void {
		const node = this.#change(ino);
		const now = this.#counters.nextTime();
		if (changes.size !== undefined) {
			this.#content.truncate(node, changes.size);
			node.mtime = now;
		}
		node.mode = changedMode(node, changes);
		node.uid = changes.uid ?? node.uid;
		node.gid = changes.gid ?? node.gid;
		if (changes.atime !== undefined) node.atime = changes.atime === "now" ? now : changes.atime;
		if (changes.mtime !== undefined) node.mtime = changes.mtime === "now" ? now : changes.mtime;
		node.ctime = now;
	}

	#add(
		directory: number,
		name: string,
		type: FileType,
		file: NewFile,
		more: { target?: Buffer; major?: number; minor?: number },
	): number {
		this.#checkDirectory(directory);
		this.#checkFree(directory, name);
		return this.#options.mutate(true, () => {
			const node = this.#newNode(directory, type, file, more);
			if (type === "directory") this.#addSubdirectories(directory, 1);
			this.#entries.enter(directory, name, node.ino, undefined);
			const parent = this.#volume.change(directory);
			parent.mtime = parent.ctime = node.ctime;
			return node.ino;
		});
	}

	#newNode(
		directory: number,
		type: FileType,
		file: NewFile,
		more: { target?: Buffer; major?: number; minor?: number },
	): LayerNode {
		const now = this.#counters.nextTime();
		const { mode, uid, gid } = this.#semantics.newFile(file, this.getattr(this.root));
		const node: LayerNode = {
			...{ ino: this.#counters.nextIno(), type, mode: mode & 0o7777, uid, gid, atime: now, mtime: now, ctime: now },
			nlink: type === "directory" ? 2 : 1,
			major: more.major ?? 0,
			minor: more.minor ?? 0,
			size: type === "directory" ? 4096 : (more.target?.length ?? 0),
			baseUsed: type === "directory" ? 4096 : 0,
			parent: type === "directory" ? directory : 0,
			target: more.target ?? null,
			through: 0,
			blocks: 0,
			attributes: undefined,
		};
		this.#volume.insert(node);
		return node;
	}

	#move(fromDirectory: number, from: Found, toDirectory: number, toName: string, replaced: Found | undefined): void {
		const node = this.#change(from.ino);
		if (replaced !== undefined) this.#drop(replaced.ino, toDirectory);
		this.#entries.leave(fromDirectory, from);
		this.#entries.enter(toDirectory, toName, from.ino, replaced);
		if (node.type === "directory") {
			this.#addSubdirectories(fromDirectory, -1);
			this.#addSubdirectories(toDirectory, 1);
			node.parent = toDirectory;
		}
		node.ctime = this.#directoryChanged(fromDirectory);
		const to = this.#volume.change(toDirectory);
		to.mtime = to.ctime = node.ctime;
	}

	/** Drops the inode that another takes the name of. */
	#drop(ino: number, directory: number): void {
		if (this.getattr(ino).type === "directory") this.#removeDirectory(ino, directory);
		else this.#unlink(ino).ctime = this.#counters.nextTime();
	}

	/** Takes one name from an inode, and the inode away with its last one. */
	#unlink(ino: number): LayerNode {
		const isLast = this.getattr(ino).nlink <= 1;
		const node = isLast ? this.#volume.change(ino) : this.#change(ino);
		node.nlink--;
		if (isLast) this.#content.drop(node);
		return node;
	}

	#removeDirectory(ino: number, parent: number): void {
		this.#addSubdirectories(parent, -1);
		this.#volume.deleteEntries(ino);
		this.#volume.change(ino).nlink = 0;
	}

	/** ext4 says 1 for directories with more subdirectories than it can count. */
	#addSubdirectories(directory: number, count: number): void {
		const node = this.#volume.change(directory);
		if (node.nlink > 1) node.nlink = Math.max(2, node.nlink + count);
	}

	#directoryChanged(directory: number): LayerNode["ctime"] {
		const node = this.#volume.change(directory);
		node.mtime = node.ctime = this.#counters.nextTime();
		return node.ctime;
	}
}
