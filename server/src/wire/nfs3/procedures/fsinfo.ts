import { writeAttributes } from "../attributes.ts";
import { failWithAttributes, type Nfs3Procedure } from "../call.ts";
import { maxFileSize } from "../changes.ts";
import { maxListing } from "../listing.ts";

/** The most bytes of one READ or WRITE. */
export const maxTransfer = 1 << 20;

/** What a client takes when it was told nothing: large enough to be fast, small enough not to make others wait. */
const preferredTransfer = 256 << 10;
const transferMultiple = 4096;

const FSF3_LINK = 0x01;
const FSF3_SYMLINK = 0x02;
const FSF3_HOMOGENEOUS = 0x08;
const FSF3_CANSETTIME = 0x10;

/**
 *     struct FSINFO3args  { nfs_fh3 fsroot; };
 *     struct FSINFO3resok { post_op_attr obj_attributes; uint32 rtmax; uint32 rtpref; uint32 rtmult;
 *                           uint32 wtmax; uint32 wtpref; uint32 wtmult; uint32 dtpref;
 *                           size3 maxfilesize; nfstime3 time_delta; uint32 properties; };
 */
export const fsinfo: Nfs3Procedure = {
	name: "FSINFO",
	number: 19,
	kind: "query",
	run(call) {
		writeAttributes(call.ok(), call.tree.getattr(call.ino));
		const { out } = call;
		for (const _direction of ["read", "write"]) out.u32(maxTransfer).u32(preferredTransfer).u32(transferMultiple);
		out.u32(maxListing).u64(maxFileSize);
		out.u32(0).u32(1);
		out.u32(FSF3_LINK | FSF3_SYMLINK | FSF3_HOMOGENEOUS | FSF3_CANSETTIME);
		return undefined;
	},
	fail: failWithAttributes,
};
