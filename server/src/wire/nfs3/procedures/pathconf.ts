import { writeAttributes } from "../attributes.ts";
import { failWithAttributes, type Nfs3Procedure } from "../call.ts";

/** EXT4_LINK_MAX */
const maxLinks = 65000;
const maxNameBytes = 255;

/**
 *     struct PATHCONF3args  { nfs_fh3 object; };
 *     struct PATHCONF3resok { post_op_attr obj_attributes; uint32 linkmax; uint32 name_max; bool no_trunc;
 *                             bool chown_restricted; bool case_insensitive; bool case_preserving; };
 */
export const pathconf: Nfs3Procedure = {
	name: "PATHCONF",
	number: 20,
	kind: "query",
	run(call) {
		writeAttributes(call.ok(), call.tree.getattr(call.ino));
		call.out.u32(maxLinks).u32(maxNameBytes).bool(true).bool(true).bool(false).bool(true);
		return undefined;
	},
	fail: failWithAttributes,
};
