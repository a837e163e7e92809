/** The rules of POSIX that every writable tree applies in the same way. */
import { type Attributes, FileError } from "../base/index.ts";
import type { AttributeChanges } from "./tree.ts";

/** The largest file that a tree holds: 16 TiB, as ext4 with blocks of 4 KiB. */
export const FILE_SIZE_MAX = 2 ** 44;

/** ext4's limit of names per inode. */
export const LINK_MAX = 65_000;

const SETUID = 0o4000;
const SETGID = 0o2000;
const GROUP_EXECUTE = 0o010;

/**
 * The mode of an inode after `changes`. A new owner or group without a new mode takes the setuid bit away, and the
 * setgid bit where it means setgid, as Linux does for every chown of what is not a directory. NFS clients leave that to
 * the server.
 */
export function changedMode(attributes: Pick<Attributes, "type" | "mode">, changes: AttributeChanges): number {
	if (changes.mode !== undefined) return changes.mode & 0o7777;
	const { type, mode } = attributes;
	if ((changes.uid === undefined && changes.gid === undefined) || type === "directory") return mode;
	return mode & ~SETUID & (mode & GROUP_EXECUTE ? ~SETGID : ~0);
}

/** @throws FileError EISDIR, EINVAL for what has no bytes. */
export function checkIsFile(type: Attributes["type"]): void {
	if (type === "directory") throw new FileError("EISDIR");
	if (type !== "file") throw new FileError("EINVAL", `a ${type} has no content`);
}

/** @throws FileError EINVAL for what is no offset or length, EFBIG when a file cannot be that long. */
export function checkRange(offset: number, length = 0): void {
	if (!Number.isSafeInteger(offset) || offset < 0) throw new FileError("EINVAL", `${offset} is not an offset`);
	if (offset + length > FILE_SIZE_MAX)
		throw new FileError("EFBIG", `${offset + length} bytes, at most ${FILE_SIZE_MAX}`);
}
