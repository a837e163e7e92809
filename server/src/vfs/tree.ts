/**
 * The file tree: what every root is made of, from the bare image to a device's own copy of it.
 *
 * All methods are synchronous. A method that needs bytes which are not at hand throws a `BlockFault` (see
 * `base/fault.ts`) before it changed anything, and is simply called again. Failures that the caller is to be told are
 * `FileError`s with POSIX codes; a `MalformedError` says that the image itself is broken at that place.
 *
 * Names are byte strings (`base/files.ts`). `.` and `..` are not entries here: `readdir` does not give them and `lookup`
 * does not take them; `parent` answers for `..`.
 */
import type { Attributes, DirectoryEntry, FileSystemStatistics, FileTime, FileType } from "../base/index.ts";

/** A tree that can be read. */
export interface FileTree {
	/** The inode of the root directory. */
	readonly root: number;

	/** Must be fast: asked with every call. @throws FileError ESTALE when there is no such inode. */
	getattr(ino: number): Attributes;

	/** Changes when an inode number is used for another file; part of the file's handle. */
	generation(ino: number): number;

	/** Must be fast. @throws FileError ENOENT, ENOTDIR, ENAMETOOLONG (over 255 bytes). */
	lookup(directory: number, name: string): number;

	/** The directory that holds this directory; the root's parent is the root. @throws FileError ENOTDIR. */
	parent(directory: number): number;

	/** The target of a symbolic link, in bytes. @throws FileError EINVAL when it is none. */
	readlink(ino: number): Buffer;

	/**
	 * Fills `target` with the bytes from `offset` on. Gives how many there were: fewer only at the end of the file.
	 * Holes read as zeros. @throws FileError EISDIR, EINVAL when it is not a file.
	 */
	read(ino: number, offset: number, target: Uint8Array): number;

	/**
	 * Gives the entries behind `cookie` (0 = from the start) to `visit`, in the order of their cookies, until it says
	 * false or there are no more. An entry that exists from before the first call to behind the last is given exactly
	 * once, whatever is created or removed meanwhile.
	 *
	 * @returns true when the end was reached.
	 * @throws FileError ENOTDIR.
	 */
	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean;

	statfs(): FileSystemStatistics;
}

/** What a new file begins with. The caller has already applied setgid directories and permissions. */
export interface NewFile {
	/** The 12 permission bits. */
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
}

/** Attributes to set; those left out stay. Times that are `"now"` are taken from the tree's clock. */
export interface AttributeChanges {
	readonly mode?: number;
	readonly uid?: number;
	readonly gid?: number;
	/** Truncates, or extends with a hole. */
	readonly size?: number;
	readonly atime?: FileTime | "now";
	readonly mtime?: FileTime | "now";
}

export type NodeType = Exclude<FileType, "file" | "directory" | "symlink">;

/**
 * A tree that can be changed. Each change updates mtime and ctime as POSIX says, with times that strictly increase.
 * Every method can also throw FileError ENOSPC, EROFS, ENOENT, ENOTDIR, ENAMETOOLONG, ESTALE.
 */
export interface WritableFileTree extends FileTree {
	/** False for a tree that refuses every change with EROFS. */
	readonly writable: boolean;

	/** @throws FileError EPERM where the file system cannot hold the change (vfat), EISDIR, EINVAL for a size. */
	setattr(ino: number, changes: AttributeChanges): void;

	/** Writes to the operating system's cache; `commit` makes it durable. @throws FileError EFBIG, EISDIR, EINVAL. */
	write(ino: number, offset: number, data: Uint8Array): void;

	/** Each gives the new inode. @throws FileError EEXIST. */
	create(directory: number, name: string, file: NewFile): number;
	mkdir(directory: number, name: string, file: NewFile): number;
	symlink(directory: number, name: string, target: Uint8Array, file: NewFile): number;
	mknod(directory: number, name: string, type: NodeType, major: number, minor: number, file: NewFile): number;

	/** @throws FileError EEXIST, EPERM for a directory, EMLINK. */
	link(ino: number, directory: number, name: string): void;

	/** Removes a name that is not a directory. @throws FileError EISDIR. */
	remove(directory: number, name: string): void;

	/** @throws FileError ENOTEMPTY, EINVAL for `.`. */
	rmdir(directory: number, name: string): void;

	/**
	 * As rename(2): replaces what `toName` names when it is of the same kind, and an empty directory only.
	 * @throws FileError EINVAL (into itself), ENOTEMPTY, EISDIR, ENOTDIR.
	 */
	rename(fromDirectory: number, fromName: string, toDirectory: number, toName: string): void;

	/** Resolves when all that was written to this inode before, and its metadata, is on the disk. Off the loop. */
	commit(ino: number): Promise<void>;
}
