/** The files that patches make: their attributes and times. */
import { createHash } from "node:crypto";
import type { Attributes, FileTime } from "../base/index.ts";
import type { PatchFile } from "./patch.ts";

/** A file of the image that a patch changed, or one that it made. */
export interface PatchedNode {
	readonly attributes: Attributes;
	/** The bytes of a file, the target of a link; undefined where the image's own hold, and for directories. */
	readonly content: Buffer | undefined;
}

/** What `file` looks like with this inode number, made of what was there or of the directory that it appears in. */
export function nodeOf(file: PatchFile, ino: number, before: Attributes): PatchedNode {
	const content = contentOf(file);
	const size = content?.length ?? 4096;
	const owner = file.type === "symlink" ? { mode: 0o777, uid: 0, gid: 0 } : file;
	const time = timeOf(before, [file.type, owner.mode, owner.uid, owner.gid, content ?? ""]);
	const attributes: Attributes = {
		ino,
		fsid: before.fsid,
		type: file.type,
		mode: owner.mode & 0o7777,
		nlink: file.type === "directory" ? 2 : 1,
		uid: owner.uid,
		gid: owner.gid,
		size,
		used: Math.ceil(size / 4096) * 4096,
		major: 0,
		minor: 0,
		atime: time,
		mtime: time,
		ctime: time,
	};
	return { attributes, content };
}

/** A directory of the image that keeps its content and gets another mode or owner. */
export function directoryWith(file: PatchFile & { type: "directory" }, before: Attributes): PatchedNode {
	const { mode, uid, gid } = file;
	const ctime = timeOf(before, [mode, uid, gid]);
	return { attributes: { ...before, mode: mode & 0o7777, uid, gid, ctime }, content: undefined };
}

/**
 * A time for something that was changed: a second later than it was, so that it is newer, with nanoseconds that come from
 * what it is now. The same patches give the same time after a restart, others another one: a client that kept the old
 * content notices.
 */
export function timeOf(before: Attributes, what: readonly (string | number | Uint8Array)[]): FileTime {
	const hash = createHash("sha256");
	for (const part of what) hash.update(typeof part === "number" ? `${part}\n` : part);
	const later = Math.max(before.mtime.sec, before.ctime.sec);
	return { sec: later + 1, nsec: hash.digest().readUInt32BE(0) % 1_000_000_000 };
}

function contentOf(file: PatchFile): Buffer | undefined {
	if (file.type === "file") return file.content;
	return file.type === "symlink" ? Buffer.from(file.target, "utf8") : undefined;
}
