import { FileError } from "../../../base/index.ts";
import { writePostOpAttr, writeWcc } from "../attributes.ts";
import type { Nfs3Call, Nfs3Procedure } from "../call.ts";
import { readEntryName } from "../names.ts";
import { MAY_EXECUTE, MAY_WRITE, requireDirectory } from "../permissions.ts";

/**
 *     struct LINK3args   { nfs_fh3 file; diropargs3 link; };
 *     struct LINK3resok  { post_op_attr file_attributes; wcc_data linkdir_wcc; };
 */
export const link: Nfs3Procedure = {
	name: "LINK",
	number: 15,
	kind: "stored",
	run(call) {
		const { tree, ino } = call;
		const directory = call.resolveSecond();
		const name = readEntryName(call.args, "EEXIST");
		requireDirectory(call.rpc, tree.getattr(directory.ino), MAY_WRITE | MAY_EXECUTE);
		if (tree.getattr(ino).type === "directory") throw new FileError("EPERM");
		tree.link(ino, directory.ino, name);
		call.ok();
		writeBoth(call);
		return undefined;
	},
	fail: writeBoth,
};

function writeBoth(call: Nfs3Call): void {
	writePostOpAttr(call.out, call.first?.node);
	writeWcc(call.out, call.secondBefore, call.second?.node);
}
