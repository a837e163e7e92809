import { FileError } from "../../../base/index.ts";
import { maxRecordBytes } from "../../rpc/index.ts";
import { readSattr3 } from "../attributes.ts";
import { failWithWcc, type Nfs3Procedure } from "../call.ts";
import { writableDirectory, writeCreated } from "../entries.ts";
import { readEntryName } from "../names.ts";
import { newFileFor } from "../new-file.ts";

/** PATH_MAX of Linux, less its NUL. */
const maxTargetBytes = 4095;

/** A symbolic link has no permissions of its own. */
const linkMode = 0o777;

/**
 *     struct symlinkdata3   { sattr3 symlink_attributes; nfspath3 symlink_data; };
 *     struct SYMLINK3args   { diropargs3 where; symlinkdata3 symlink; };
 *     struct SYMLINK3resok  { post_op_fh3 obj; post_op_attr obj_attributes; wcc_data dir_wcc; };
 */
export const symlink: Nfs3Procedure = {
	name: "SYMLINK",
	number: 10,
	kind: "stored",
	run(call) {
		const { tree, ino, args } = call;
		const name = readEntryName(args, "EEXIST");
		const { uid, gid } = readSattr3(args);
		const target = args.opaque(maxRecordBytes, "symlink_data");
		if (target.length > maxTargetBytes) throw new FileError("ENAMETOOLONG");
		if (target.length === 0 || target.includes(0)) throw new FileError("EINVAL");
		const wanted = { mode: linkMode, ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
		const { file } = newFileFor(call.rpc, writableDirectory(call), wanted, "other");
		writeCreated(call, tree.symlink(ino, name, target, file));
		return undefined;
	},
	fail: failWithWcc,
};
