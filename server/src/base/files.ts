/**
 * The words in which every room speaks of files: the disk readers give them, the trees pass them on, the NFS server puts
 * them on the wire. They are POSIX's words.
 *
 * Names are byte strings: one character per byte (latin1), because a file name on ext4 and in NFS is bytes, not text.
 * `nameFromUtf8` and `nameToUtf8` convert at the borders where a person or another protocol brings text.
 */

export type FileType = "file" | "directory" | "symlink" | "block" | "character" | "fifo" | "socket";

/** Nanoseconds do not fit a number together with the seconds, so a time is a pair. */
export interface FileTime {
	/** Seconds since 1970, may be negative. */
	readonly sec: number;
	/** 0 to 999,999,999. */
	readonly nsec: number;
}

/** `struct stat`, less what nobody asks. */
export interface Attributes {
	readonly ino: number;
	/** Which mount the file is on: a number that differs between the volumes of one root. */
	readonly fsid: number;
	readonly type: FileType;
	/** The 12 permission bits: rwx for three, setuid, setgid, sticky. */
	readonly mode: number;
	readonly nlink: number;
	readonly uid: number;
	readonly gid: number;
	/** Bytes. */
	readonly size: number;
	/** Bytes that the file takes on its disk. */
	readonly used: number;
	/** Device numbers of a block or character node; 0 otherwise. */
	readonly major: number;
	readonly minor: number;
	readonly atime: FileTime;
	readonly mtime: FileTime;
	readonly ctime: FileTime;
}

/** One name in a directory. */
export interface DirectoryEntry {
	readonly name: string;
	readonly ino: number;
	/** Names this entry for the life of the directory: reading goes on behind it. Above 0 and below 2^31. */
	readonly cookie: number;
}

/** `struct statvfs`, in bytes and inodes. */
export interface FileSystemStatistics {
	readonly totalBytes: number;
	readonly freeBytes: number;
	/** What a user who is not root may still use. */
	readonly availableBytes: number;
	readonly totalInodes: number;
	readonly freeInodes: number;
}

/** The failures that a file operation can have, by their POSIX names. */
export type FileErrorCode =
	| "EPERM"
	| "ENOENT"
	| "EIO"
	| "EACCES"
	| "EEXIST"
	| "EXDEV"
	| "ENODEV"
	| "ENOTDIR"
	| "EISDIR"
	| "EINVAL"
	| "EFBIG"
	| "ENOSPC"
	| "EROFS"
	| "EMLINK"
	| "ENAMETOOLONG"
	| "ENOTEMPTY"
	| "EDQUOT"
	| "ESTALE"
	| "ENOTSUP"
	/** The image changed under the tree: what was mounted is no longer there to be read; ask again after a reboot. */
	| "EAGAIN";

/** A file operation failed in a way that its caller is to be told. */
export class FileError extends Error {
	readonly code: FileErrorCode;

	constructor(code: FileErrorCode, message?: string) {
		const limit = Error.stackTraceLimit;
		// A booting Pi looks for thousands of files that are not there: where that was found out is of no interest, and
		// noting it would take longer than the search.
		if (code === "ENOENT") Error.stackTraceLimit = 0;
		super(message ?? code);
		Error.stackTraceLimit = limit;
		this.name = "FileError";
		this.code = code;
	}
}

/** A name for people or another protocol, in UTF-8, as the byte string that trees use. */
export function nameFromUtf8(text: string): string {
	return Buffer.from(text, "utf8").toString("latin1");
}

/** The byte string of a tree as text; bytes that are not UTF-8 become U+FFFD. */
export function nameToUtf8(name: string): string {
	return Buffer.from(name, "latin1").toString("utf8");
}
