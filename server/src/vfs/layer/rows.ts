/** The rows of a layer's database as the rest of the layer sees them. */
import type { Attributes, FileTime, FileType } from "../../base/index.ts";

/** An inode that was changed or made in the layer. What is not here is as the base has it. */
export interface LayerNode {
	readonly ino: number;
	readonly type: FileType;
	mode: number;
	/** 0: the base's inode of this number was removed. */
	nlink: number;
	uid: number;
	gid: number;
	readonly major: number;
	readonly minor: number;
	/** Bytes. */
	size: number;
	/** The base shows through up to this size, where no run covers it. */
	through: number;
	/** Bytes that the part of the base that shows through takes on its disk; a directory's are its own. */
	baseUsed: number;
	/** Blocks in the pool. */
	blocks: number;
	/** Of a directory: the directory that holds it. */
	parent: number;
	atime: FileTime;
	mtime: FileTime;
	ctime: FileTime;
	/** Of a symlink. */
	readonly target: Buffer | null;
	/** What `getattr` says, while nothing changes. */
	attributes: Attributes | undefined;
}

/** A name that the layer knows something about. */
export interface EntryRow {
	/** What the name is compared by: itself, or its case-folded form on vfat. */
	readonly key: string;
	name: string;
	/** 0: the base's entry of this name is hidden. */
	ino: number;
	/** 0: it stands in the place of the base's entry and has its cookie. */
	readonly cookie: number;
}

/** `count` blocks of a file from block `start` on lie in the pool from block `pool` on. */
export interface Run {
	readonly start: number;
	readonly pool: number;
	count: number;
}

/** The order gives the number in the database: append only. */
export const FILE_TYPES: readonly FileType[] = ["file", "directory", "symlink", "block", "character", "fifo", "socket"];
