import { type Attributes, FileError } from "../../../base/index.ts";
import type { RpcFinish } from "../../rpc/index.ts";
import { maxRecordBytes, XdrError } from "../../rpc/index.ts";
import { writeWcc } from "../attributes.ts";
import { failWithWcc, type Nfs3Call, type Nfs3Procedure } from "../call.ts";
import { maxFileSize } from "../changes.ts";
import { requireWrite, withoutSetIds } from "../permissions.ts";
import { NFS3_OK } from "../status.ts";

/** enum stable_how */
const UNSTABLE = 0;
const FILE_SYNC = 2;

/**
 *     struct WRITE3args  { nfs_fh3 file; offset3 offset; count3 count; stable_how stable; opaque data<>; };
 *     struct WRITE3resok { wcc_data file_wcc; count3 count; stable_how committed; writeverf3 verf; };
 *
 * No stored reply: writing the same bytes to the same place again is harmless.
 */
export const write: Nfs3Procedure = {
	name: "WRITE",
	number: 7,
	kind: "query",
	run(call) {
		const { args } = call;
		const offset = args.u64("offset");
		const count = args.u32("count");
		const stable = args.u32("stable");
		if (stable > FILE_SYNC) throw new XdrError(`stable_how must be 0 to 2, got ${stable}`);
		const data = args.opaque(maxRecordBytes, "data");
		call.prepareChange();
		if (count !== data.length) throw new FileError("EINVAL", `count is ${count}, data has ${data.length} bytes`);
		change(call, offset, data);
		const resok = results(call, count, stable === UNSTABLE ? UNSTABLE : FILE_SYNC);
		if (stable !== UNSTABLE) return call.afterCommit(resok);
		resok(call.out);
		return undefined;
	},
	fail: failWithWcc,
};

function change(call: Nfs3Call, offset: number, data: Buffer): void {
	const { tree, ino, rpc } = call;
	const file = tree.getattr(ino);
	if (file.type !== "file") throw new FileError(file.type === "directory" ? "EISDIR" : "EINVAL");
	requireWrite(rpc, file);
	if (offset + data.length > maxFileSize) throw new FileError("EFBIG");
	if (data.length === 0) return;
	call.exported.transaction(() => {
		tree.write(ino, offset, data);
		const mode = modeAfterWrite(rpc.uid, file);
		if (mode !== file.mode) tree.setattr(ino, { mode });
	});
}

/** A setuid program that somebody else than root writes to is no longer the one that its owner trusted. */
function modeAfterWrite(uid: number, file: Attributes): number {
	return uid === 0 ? file.mode : withoutSetIds(file.mode);
}

function results(call: Nfs3Call, count: number, committed: number): RpcFinish {
	const { firstBefore, node, exported } = call;
	return (out) => {
		writeWcc(out.u32(NFS3_OK), firstBefore, node);
		out.u32(count).u32(committed).fixed(exported.writeVerifier);
	};
}
