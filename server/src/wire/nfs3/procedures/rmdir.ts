import { writeWcc } from "../attributes.ts";
import { failWithWcc, type Nfs3Procedure } from "../call.ts";
import { requireRemovable } from "../entries.ts";
import { readEntryName } from "../names.ts";

/**
 *     struct RMDIR3args  { diropargs3 object; };
 *     struct RMDIR3resok { wcc_data dir_wcc; };
 */
export const rmdir: Nfs3Procedure = {
	name: "RMDIR",
	number: 13,
	kind: "stored",
	run(call) {
		const name = readEntryName(call.args, "EINVAL", "ENOTEMPTY");
		requireRemovable(call, name);
		call.tree.rmdir(call.ino, name);
		writeWcc(call.ok(), call.firstBefore, call.node);
		return undefined;
	},
	fail: failWithWcc,
};
