import { writeWcc } from "../attributes.ts";
import { failWithWcc, type Nfs3Procedure } from "../call.ts";
import { requireRemovable } from "../entries.ts";
import { readEntryName } from "../names.ts";

/**
 *     struct REMOVE3args  { diropargs3 object; };
 *     struct REMOVE3resok { wcc_data dir_wcc; };
 */
export const remove: Nfs3Procedure = {
	name: "REMOVE",
	number: 12,
	kind: "stored",
	run(call) {
		const name = readEntryName(call.args, "EISDIR");
		requireRemovable(call, name);
		call.tree.remove(call.ino, name);
		writeWcc(call.ok(), call.firstBefore, call.node);
		return undefined;
	},
	fail: failWithWcc,
};
