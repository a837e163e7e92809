import { readSattr3, readTime, writeWcc } from "../attributes.ts";
import { failWithWcc, type Nfs3Procedure } from "../call.ts";
import { permittedChanges } from "../changes.ts";
import { NFS3ERR_NOT_SYNC, Nfs3Failure } from "../status.ts";

/**
 *     union sattrguard3 switch (bool check) { case TRUE: nfstime3 obj_ctime; };
 *     struct SETATTR3args  { nfs_fh3 object; sattr3 new_attributes; sattrguard3 guard; };
 *     struct SETATTR3resok { wcc_data obj_wcc; };
 */
export const setattr: Nfs3Procedure = {
	name: "SETATTR",
	number: 2,
	kind: "stored",
	run(call) {
		const { args, tree, ino } = call;
		const wanted = readSattr3(args);
		const guard = args.bool("check") ? readTime(args) : undefined;
		const file = tree.getattr(ino);
		if (guard !== undefined && (guard.sec !== file.ctime.sec || guard.nsec !== file.ctime.nsec)) {
			throw new Nfs3Failure(NFS3ERR_NOT_SYNC, "the file was changed since the guard's ctime");
		}
		tree.setattr(ino, permittedChanges(call.rpc, file, wanted));
		writeWcc(call.ok(), call.firstBefore, call.node);
		return undefined;
	},
	fail: failWithWcc,
};
