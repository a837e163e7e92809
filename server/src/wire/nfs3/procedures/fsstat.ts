import { writePostOpAttr } from "../attributes.ts";
import { failWithAttributes, type Nfs3Procedure } from "../call.ts";

/**
 *     struct FSSTAT3args  { nfs_fh3 fsroot; };
 *     struct FSSTAT3resok { post_op_attr obj_attributes; size3 tbytes; size3 fbytes; size3 abytes;
 *                           size3 tfiles; size3 ffiles; size3 afiles; uint32 invarsec; };
 */
export const fsstat: Nfs3Procedure = {
	name: "FSSTAT",
	number: 18,
	kind: "query",
	run(call) {
		const statistics = call.tree.statfs();
		writePostOpAttr(call.ok(), call.node);
		const { totalBytes, freeBytes, availableBytes, totalInodes, freeInodes } = statistics;
		call.out.u64(totalBytes).u64(freeBytes).u64(availableBytes);
		// invarsec 0: nothing is promised about how long these numbers hold.
		call.out.u64(totalInodes).u64(freeInodes).u64(freeInodes).u32(0);
		return undefined;
	},
	fail: failWithAttributes,
};
