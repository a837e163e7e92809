/** What a new file begins with, out of the `sattr3` that came with the call. */
import type { Attributes } from "../../base/index.ts";
import { FileError } from "../../base/index.ts";
import type { RpcCall } from "../rpc/index.ts";
import { maxFileSize } from "./changes.ts";
import { ownershipIn } from "./permissions.ts";
import type { NfsAttributeChanges, NfsNewFile } from "./port.ts";

export interface NewFilePlan {
	readonly file: NfsNewFile;
	/** What is to be set once the file is there. */
	readonly others: NfsAttributeChanges | undefined;
}

/** Only root chooses owner and group; anybody else's new files are his own. */
export function newFileFor(
	call: RpcCall,
	directory: Attributes,
	wanted: NfsAttributeChanges,
	kind: "directory" | "other",
): NewFilePlan {
	const own = ownershipIn(call, directory, wanted.mode ?? 0, kind);
	const root = call.uid === 0;
	const file = {
		mode: own.mode,
		uid: root ? (wanted.uid ?? own.uid) : own.uid,
		gid: root ? (wanted.gid ?? own.gid) : own.gid,
	};
	return { file, others: kind === "directory" ? timesOf(wanted) : withSize(wanted) };
}

function timesOf({ atime, mtime }: NfsAttributeChanges): NfsAttributeChanges | undefined {
	if (atime === undefined && mtime === undefined) return undefined;
	return { ...(atime !== undefined && { atime }), ...(mtime !== undefined && { mtime }) };
}

function withSize(wanted: NfsAttributeChanges): NfsAttributeChanges | undefined {
	const { size = 0 } = wanted;
	if (size > maxFileSize) throw new FileError("EFBIG");
	return size === 0 ? timesOf(wanted) : { ...timesOf(wanted), size };
}
