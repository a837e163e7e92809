import { writeFattr3 } from "../attributes.ts";
import type { Nfs3Procedure } from "../call.ts";

/**
 *     struct GETATTR3args  { nfs_fh3 object; };
 *     struct GETATTR3resok { fattr3 obj_attributes; };
 */
export const getattr: Nfs3Procedure = {
	name: "GETATTR",
	number: 1,
	kind: "query",
	run(call) {
		const attributes = call.tree.getattr(call.ino);
		writeFattr3(call.ok(), attributes);
		return undefined;
	},
	fail: () => undefined,
};
