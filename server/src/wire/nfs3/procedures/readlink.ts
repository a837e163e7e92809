import { FileError } from "../../../base/index.ts";
import { writeAttributes } from "../attributes.ts";
import { failWithAttributes, type Nfs3Procedure } from "../call.ts";

/**
 *     struct READLINK3args  { nfs_fh3 symlink; };
 *     struct READLINK3resok { post_op_attr symlink_attributes; nfspath3 data; };
 */
export const readlink: Nfs3Procedure = {
	name: "READLINK",
	number: 5,
	kind: "query",
	run(call) {
		const attributes = call.tree.getattr(call.ino);
		if (attributes.type !== "symlink") throw new FileError("EINVAL");
		const target = call.tree.readlink(call.ino);
		writeAttributes(call.ok(), attributes);
		call.out.opaque(target);
		return undefined;
	},
	fail: failWithAttributes,
};
