import { FileError } from "../../../base/index.ts";
import { postOpAttrBytes, writeAttributes } from "../attributes.ts";
import { failWithAttributes, type Nfs3Procedure } from "../call.ts";
import { requireRead } from "../permissions.ts";
import { maxTransfer } from "./fsinfo.ts";

/** status, file_attributes, count, eof, the length of data, and its padding. */
const headBytes = 4 + postOpAttrBytes + 12 + 3;

/**
 *     struct READ3args  { nfs_fh3 file; offset3 offset; count3 count; };
 *     struct READ3resok { post_op_attr file_attributes; count3 count; bool eof; opaque data<>; };
 *
 * The tree reads straight into the reply, behind its headers.
 */
export const read: Nfs3Procedure = {
	name: "READ",
	number: 6,
	kind: "query",
	run(call) {
		const { tree, ino, args, out } = call;
		const offset = args.u64("offset");
		const count = Math.min(args.u32("count"), maxTransfer);
		const file = tree.getattr(ino);
		if (file.type !== "file") throw new FileError(file.type === "directory" ? "EISDIR" : "EINVAL");
		requireRead(call.rpc, file);
		const length = offset >= file.size ? 0 : Math.min(count, file.size - offset);
		out.reserve(headBytes + length);
		call.ok();
		writeAttributes(out, file);
		const head = out.position;
		out
			.u32(length)
			.bool(offset + length >= file.size)
			.u32(length);
		const got = length === 0 ? 0 : tree.read(ino, offset, out.space(length));
		const meter = call.first?.meter;
		if (meter !== undefined) meter.bytesRead += got;
		if (got < length) {
			out.truncate(head);
			out.u32(got).bool(true).u32(got);
			out.space(got);
		}
		return undefined;
	},
	fail: failWithAttributes,
};
