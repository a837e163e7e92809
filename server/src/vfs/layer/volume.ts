/**
 * The rows of one volume of a layer, in memory while they are in use. Entries and runs are written to the database as they
 * change, inodes once at the end of the transaction. When a transaction is undone, what it touched is forgotten here and
 * read again from the database.
 */
import { type Attributes, FileError } from "../../base/index.ts";
import type { FileTree } from "../tree.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { LayerDatabase } from "./database.ts";
import { DirectoryRows } from "./directory-rows.ts";
import type { EntryRow, LayerNode } from "./rows.ts";
import { RunMap } from "./run-map.ts";

const NODES_CACHED = 16_384;
const DIRECTORY_ROWS_CACHED = 65_536;
const RUNS_CACHED = 65_536;

export interface VolumeOptions {
	readonly fsid: number;
	readonly base: FileTree;
	readonly maxBaseIno: number;
}

export class Volume {
	readonly fsid: number;
	readonly base: FileTree;
	/** Counts the changes of inodes. */
	changes = 0;
	readonly #maxBaseIno: number;
	readonly #db: LayerDatabase;
	/** The base's inodes that have a row here. What is neither here nor above `maxBaseIno` is as the base has it. */
	readonly #touched: Set<number>;
	readonly #nodes = new BoundedCache<LayerNode>(NODES_CACHED);
	readonly #directories = new BoundedCache<DirectoryRows>(DIRECTORY_ROWS_CACHED, (rows) => rows.size + 8);
	readonly #runs = new BoundedCache<RunMap>(RUNS_CACHED, (runs) => runs.length + 8);
	readonly #changedNodes = new Map<number, LayerNode>();
	readonly #changedDirectories = new Set<number>();
	readonly #changedRuns = new Set<number>();
	readonly #newlyTouched: number[] = [];

	constructor(db: LayerDatabase, { fsid, base, maxBaseIno }: VolumeOptions) {
		this.fsid = fsid;
		this.base = base;
		this.#maxBaseIno = maxBaseIno;
		this.#db = db;
		this.#touched = new Set(db.nodes(fsid, maxBaseIno));
	}

	isBase(ino: number): boolean {
		return ino <= this.#maxBaseIno;
	}

	/** The inodes of the base that have a row; a copy, because it grows. */
	touched(): number[] {
		return [...this.#touched];
	}

	/** The row of an inode; undefined when it is as the base has it. @throws FileError ESTALE when it is gone. */
	find(ino: number): LayerNode | undefined {
		if (ino <= this.#maxBaseIno && !this.#touched.has(ino)) return undefined;
		const node = this.#nodes.get(ino) ?? this.#load(ino);
		if (node === undefined || node.nlink === 0) throw new FileError("ESTALE", `there is no inode ${ino}`);
		return node;
	}

	/** What `getattr` says. */
	attributes(ino: number): Attributes {
		const node = this.find(ino);
		if (node === undefined) return this.base.getattr(ino);
		node.attributes ??= attributesOf(this.fsid, node);
		return node.attributes;
	}

	/**
	 * The row of an inode that is about to be changed, made from what the base says when there was none. One whose `nlink`
	 * becomes 0 is gone.
	 */
	change(ino: number): LayerNode {
		const node = this.find(ino) ?? this.#copyUp(ino);
		node.attributes = undefined;
		this.changes++;
		this.#changedNodes.set(ino, node);
		return node;
	}

	insert(node: LayerNode): void {
		this.changes++;
		this.#nodes.set(node.ino, node);
		this.#changedNodes.set(node.ino, node);
	}

	directory(ino: number): DirectoryRows {
		let rows = this.#directories.get(ino);
		if (rows === undefined) {
			rows = new DirectoryRows(this.#db.entries(this.fsid, ino));
			this.#directories.set(ino, rows);
		}
		return rows;
	}

	putEntry(directory: number, row: EntryRow): void {
		this.#changedDirectories.add(directory);
		this.directory(directory).put(row);
		this.#db.putEntry(this.fsid, directory, row);
		this.#directories.grew(1);
	}

	/** Puts another file behind a row that is there already. */
	replaceEntry(directory: number, row: EntryRow, name: string, ino: number): void {
		this.#changedDirectories.add(directory);
		this.#db.putEntry(this.fsid, directory, { ...row, name, ino });
		this.directory(directory).replace(row, name, ino);
	}

	deleteEntry(directory: number, key: string): void {
		this.#changedDirectories.add(directory);
		this.#db.deleteEntry(this.fsid, directory, key);
		this.directory(directory).delete(key);
	}

	/** Forgets all rows of a directory that is removed. */
	deleteEntries(directory: number): void {
		this.#changedDirectories.add(directory);
		if (this.directory(directory).size > 0) this.#db.deleteEntries(this.fsid, directory);
		this.#directories.delete(directory);
	}

	runs(ino: number): RunMap {
		let runs = this.#runs.get(ino);
		if (runs === undefined) {
			runs = new RunMap(this.#db.runs(this.fsid, ino));
			this.#runs.set(ino, runs);
		}
		return runs;
	}

	/** The runs of an inode that is about to be changed. */
	changeRuns(ino: number): RunMap {
		this.#changedRuns.add(ino);
		return this.runs(ino);
	}

	/** Writes the changed inodes, as the last thing before the commit. */
	flush(): void {
		for (const [ino, node] of this.#changedNodes) {
			if (node.nlink === 0 && !this.isBase(ino)) this.#db.deleteNode(this.fsid, ino);
			else this.#db.putNode(this.fsid, node);
		}
	}

	committed(): void {
		this.#changedNodes.clear();
		this.#changedDirectories.clear();
		this.#changedRuns.clear();
		this.#newlyTouched.length = 0;
	}

	rolledBack(): void {
		for (const ino of this.#changedNodes.keys()) this.#nodes.delete(ino);
		for (const ino of this.#changedDirectories) this.#directories.delete(ino);
		for (const ino of this.#changedRuns) this.#runs.delete(ino);
		for (const ino of this.#newlyTouched) this.#touched.delete(ino);
		this.committed();
	}

	#load(ino: number): LayerNode | undefined {
		const node = this.#changedNodes.get(ino) ?? this.#db.node(this.fsid, ino);
		if (node !== undefined) this.#nodes.set(ino, node);
		return node;
	}

	#copyUp(ino: number): LayerNode {
		const { type, mode, nlink, uid, gid, major, minor, size, used, atime, mtime, ctime } = this.base.getattr(ino);
		const node: LayerNode = {
			...{ ino, type, mode, nlink, uid, gid, major, minor, size, atime, mtime, ctime },
			through: type === "file" ? size : 0,
			baseUsed: used,
			blocks: 0,
			parent: type === "directory" ? this.base.parent(ino) : 0,
			target: type === "symlink" ? this.base.readlink(ino) : null,
			attributes: undefined,
		};
		this.#touched.add(ino);
		this.#newlyTouched.push(ino);
		this.#nodes.set(ino, node);
		return node;
	}
}

function attributesOf(fsid: number, node: LayerNode): Attributes {
	const { ino, type, mode, nlink, uid, gid, size, major, minor, atime, mtime, ctime } = node;
	return { ino, fsid, type, mode, nlink, uid, gid, size, used: usedBytes(node), major, minor, atime, mtime, ctime };
}

function usedBytes({ type, blocks, baseUsed, size }: LayerNode): number {
	if (type !== "file") return baseUsed;
	// A block that was copied up also counts in the base's share, hence the bound.
	return Math.min(blocks * 4096 + baseUsed, Math.ceil(size / 4096) * 4096);
}
