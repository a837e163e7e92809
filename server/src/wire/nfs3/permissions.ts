/**
 * Who may do what: POSIX's rules by the mode bits, for the uid and gids that AUTH_SYS names. uid 0 is root here too.
 * Clients check at open and close, the server at each call, hence RFC 1813 section 4.4: the owner of a file may always
 * read and write it, and whoever may execute a file may read it.
 */
import { type Attributes, FileError } from "../../base/index.ts";
import type { RpcCall } from "../rpc/index.ts";

export const MAY_READ = 4;
export const MAY_WRITE = 2;
export const MAY_EXECUTE = 1;

export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
const S_IXGRP = 0o010;
const anyExecute = 0o111;

/** The rwx bits (`MAY_READ` and so on) that a caller has on a file. */
export function permissionsOf(call: RpcCall, file: Attributes): number {
	if (call.uid === 0) {
		const execute = file.type === "directory" || (file.mode & anyExecute) !== 0;
		return MAY_READ | MAY_WRITE | (execute ? MAY_EXECUTE : 0);
	}
	if (call.uid === file.uid) return (file.mode >> 6) & 7;
	if (call.inGroup(file.gid)) return (file.mode >> 3) & 7;
	return file.mode & 7;
}

/** @throws FileError EACCES when one of the bits is missing. */
export function requirePermission(call: RpcCall, file: Attributes, bits: number): void {
	if (call.uid !== 0 && (permissionsOf(call, file) & bits) !== bits) throw new FileError("EACCES");
}

/** @throws FileError ENOTDIR, or EACCES when the caller may not do that in this directory. */
export function requireDirectory(call: RpcCall, directory: Attributes, bits: number): void {
	if (directory.type !== "directory") throw new FileError("ENOTDIR");
	requirePermission(call, directory, bits);
}

export function requireRead(call: RpcCall, file: Attributes): void {
	if (call.uid === 0 || call.uid === file.uid) return;
	if ((permissionsOf(call, file) & (MAY_READ | MAY_EXECUTE)) === 0) throw new FileError("EACCES");
}

export function requireWrite(call: RpcCall, file: Attributes): void {
	if (call.uid !== file.uid) requirePermission(call, file, MAY_WRITE);
}

/** Owner and root only. @throws FileError EPERM. */
export function requireOwner(call: RpcCall, file: Attributes): void {
	if (call.uid !== 0 && call.uid !== file.uid) throw new FileError("EPERM");
}

/** In a sticky directory, only the owner of the file or of the directory removes or renames. @throws FileError EPERM. */
export function requireUnsticky(call: RpcCall, directory: Attributes, file: Attributes): void {
	if ((directory.mode & S_ISVTX) === 0 || call.uid === 0) return;
	if (call.uid !== directory.uid && call.uid !== file.uid) throw new FileError("EPERM");
}

/** The mode of a file once somebody else's content or owner makes its setuid and setgid bits a danger. */
export function withoutSetIds(mode: number): number {
	// Without group execution, setgid was the mark of mandatory locking, which Linux keeps.
	return mode & ~S_ISUID & ((mode & S_IXGRP) === 0 ? ~0 : ~S_ISGID);
}

/** Owner, group and mode of what a caller makes in a directory (setgid directories give their group on). */
export function ownershipIn(
	call: RpcCall,
	directory: Attributes,
	mode: number,
	kind: "directory" | "other",
): { mode: number; uid: number; gid: number } {
	if ((directory.mode & S_ISGID) === 0) return { mode, uid: call.uid, gid: call.gid };
	const given = { uid: call.uid, gid: directory.gid };
	if (kind === "directory") return { ...given, mode: mode | S_ISGID };
	const foreign = call.uid !== 0 && !call.inGroup(directory.gid);
	return { ...given, mode: foreign && (mode & S_IXGRP) !== 0 ? mode & ~S_ISGID : mode };
}
