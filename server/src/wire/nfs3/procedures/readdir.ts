import { writeAttributes } from "../attributes.ts";
import { failWithAttributes, type Nfs3Procedure } from "../call.ts";
import { cookieVerifier, entryBytes, listDirectory, listingBytes, maxListing, readPosition } from "../listing.ts";
import { MAY_READ, requireDirectory } from "../permissions.ts";
import { NFS3ERR_TOOSMALL, Nfs3Failure } from "../status.ts";

/**
 *     struct READDIR3args  { nfs_fh3 dir; cookie3 cookie; cookieverf3 cookieverf; count3 count; };
 *     struct entry3        { fileid3 fileid; filename3 name; cookie3 cookie; entry3 *nextentry; };
 *     struct READDIR3resok { post_op_attr dir_attributes; cookieverf3 cookieverf; entry3 *entries; bool eof; };
 */
export const readdir: Nfs3Procedure = {
	name: "READDIR",
	number: 16,
	kind: "query",
	run(call) {
		const { args, out } = call;
		const position = readPosition(args);
		const limit = Math.min(args.u32("count"), maxListing);
		const directory = call.tree.getattr(call.ino);
		requireDirectory(call.rpc, directory, MAY_READ);
		writeAttributes(call.ok(), directory);
		out.fixed(cookieVerifier);
		let used = listingBytes;
		let entries = 0;
		const eof = listDirectory(call.exported, call.node, position, (name, ino, cookie) => {
			used += entryBytes(name);
			if (used > limit) return false;
			out.u32(1).u64(ino).string(name).u64(cookie);
			entries++;
			return true;
		});
		if (used > limit && entries === 0) throw new Nfs3Failure(NFS3ERR_TOOSMALL, `count ${limit} holds no entry`);
		out.bool(false).bool(eof);
		return undefined;
	},
	fail: failWithAttributes,
};
