import { readSattr3 } from "../attributes.ts";
import { failWithWcc, type Nfs3Procedure } from "../call.ts";
import { writableDirectory, writeCreated } from "../entries.ts";
import { readEntryName } from "../names.ts";
import { newFileFor } from "../new-file.ts";

/**
 *     struct MKDIR3args  { diropargs3 where; sattr3 attributes; };
 *     struct MKDIR3resok { post_op_fh3 obj; post_op_attr obj_attributes; wcc_data dir_wcc; };
 */
export const mkdir: Nfs3Procedure = {
	name: "MKDIR",
	number: 9,
	kind: "stored",
	run(call) {
		const { tree, ino } = call;
		const name = readEntryName(call.args, "EEXIST");
		const wanted = readSattr3(call.args);
		const { file, others } = newFileFor(call.rpc, writableDirectory(call), wanted, "directory");
		const made = tree.mkdir(ino, name, file);
		if (others !== undefined) tree.setattr(made, others);
		writeCreated(call, made);
		return undefined;
	},
	fail: failWithWcc,
};
