import { FileError } from "../../../base/index.ts";
import { wccOf, writeWcc } from "../attributes.ts";
import { failWithWcc, type Nfs3Procedure } from "../call.ts";
import { NFS3_OK } from "../status.ts";

/**
 *     struct COMMIT3args  { nfs_fh3 file; offset3 offset; count3 count; };
 *     struct COMMIT3resok { wcc_data file_wcc; writeverf3 verf; };
 *
 * The whole file is committed, whatever range was asked for.
 */
export const commit: Nfs3Procedure = {
	name: "COMMIT",
	number: 21,
	kind: "query",
	run(call) {
		const { node, exported } = call;
		call.args.u64("offset");
		call.args.u32("count");
		const file = node.tree.getattr(node.ino);
		if (file.type !== "file") throw new FileError(file.type === "directory" ? "EISDIR" : "EINVAL");
		const before = wccOf(file);
		call.firstBefore = before;
		return call.afterCommit((out) => {
			writeWcc(out.u32(NFS3_OK), before, node);
			out.fixed(exported.writeVerifier);
		});
	},
	fail: failWithWcc,
};
