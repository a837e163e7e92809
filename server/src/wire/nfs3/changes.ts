/** What of a wish to change attributes is allowed, and what it changes besides. */
import { type Attributes, FileError } from "../../base/index.ts";
import type { RpcCall } from "../rpc/index.ts";
import { MAY_WRITE, requireOwner, requirePermission, requireWrite, S_ISGID, withoutSetIds } from "./permissions.ts";
import type { NfsAttributeChanges } from "./port.ts";

/** What a number holds exactly; FSINFO tells the client. */
export const maxFileSize = Number.MAX_SAFE_INTEGER;

/**
 * Checks a `sattr3` by the rules of chmod(2), chown(2), truncate(2) and utimensat(2).
 *
 * @returns the changes to make: setuid and setgid fall where POSIX takes them.
 * @throws FileError EPERM, EACCES, EISDIR, EINVAL, EFBIG.
 */
export function permittedChanges(call: RpcCall, file: Attributes, wanted: NfsAttributeChanges): NfsAttributeChanges {
	if (wanted.mode !== undefined) requireOwner(call, file);
	requireChown(call, file, wanted);
	requireTimes(call, file, wanted);
	if (wanted.size !== undefined) requireResize(call, file, wanted.size);
	const mode = resultingMode(call, file, wanted);
	return mode === undefined ? wanted : { ...wanted, mode };
}

/** Only root gives files away; an owner may choose among the groups that he is in. */
function requireChown(call: RpcCall, file: Attributes, { uid, gid }: NfsAttributeChanges): void {
	if (call.uid === 0 || (uid === undefined && gid === undefined)) return;
	const owner = call.uid === file.uid;
	const uidStays = uid === undefined || uid === file.uid;
	const gidAllowed = gid === undefined || gid === file.gid || call.inGroup(gid);
	if (!owner || !uidStays || !gidAllowed) throw new FileError("EPERM");
}

/** Any time that the caller likes is for the owner; the present is for whoever may write. */
function requireTimes(call: RpcCall, file: Attributes, { atime, mtime }: NfsAttributeChanges): void {
	if (typeof atime === "object" || typeof mtime === "object") requireOwner(call, file);
	else if ((atime ?? mtime) === "now" && call.uid !== file.uid) requirePermission(call, file, MAY_WRITE);
}

function requireResize(call: RpcCall, file: Attributes, size: number): void {
	if (file.type === "directory") throw new FileError("EISDIR");
	if (file.type !== "file") throw new FileError("EINVAL");
	requireWrite(call, file);
	if (size > maxFileSize) throw new FileError("EFBIG");
}

/** The mode to set, or undefined when it stays. */
function resultingMode(call: RpcCall, file: Attributes, wanted: NfsAttributeChanges): number | undefined {
	const root = call.uid === 0;
	let mode = wanted.mode ?? file.mode;
	if (wanted.mode !== undefined && !root && !call.inGroup(wanted.gid ?? file.gid)) mode &= ~S_ISGID;
	const chown = wanted.uid !== undefined || wanted.gid !== undefined;
	// Linux takes the bits with every chown of a file, root's too, but leaves them when root truncates or writes.
	if (file.type !== "directory" && (chown || (wanted.size !== undefined && !root))) mode = withoutSetIds(mode);
	return wanted.mode === undefined && mode === file.mode ? undefined : mode;
}
