import type { Attributes } from "../../../base/index.ts";
import { writeAttributes } from "../attributes.ts";
import { failWithAttributes, type Nfs3Procedure } from "../call.ts";
import { MAY_EXECUTE, MAY_READ, MAY_WRITE, permissionsOf } from "../permissions.ts";

const ACCESS3_READ = 0x01;
const ACCESS3_LOOKUP = 0x02;
const ACCESS3_MODIFY = 0x04;
const ACCESS3_EXTEND = 0x08;
const ACCESS3_DELETE = 0x10;
const ACCESS3_EXECUTE = 0x20;
const changes = ACCESS3_MODIFY | ACCESS3_EXTEND | ACCESS3_DELETE;

/**
 *     struct ACCESS3args  { nfs_fh3 object; uint32 access; };
 *     struct ACCESS3resok { post_op_attr obj_attributes; uint32 access; };
 */
export const access: Nfs3Procedure = {
	name: "ACCESS",
	number: 4,
	kind: "query",
	run(call) {
		const asked = call.args.u32("access");
		const file = call.tree.getattr(call.ino);
		const permissions = permissionsOf(call.rpc, file);
		const granted = file.type === "directory" ? directoryAccess(permissions) : fileAccess(permissions);
		writeAttributes(call.ok(), file);
		call.out.u32(asked & granted & (call.tree.writable || isNode(file) ? ~0 : ~changes));
		return undefined;
	},
	fail: failWithAttributes,
};

function directoryAccess(permissions: number): number {
	const search = (permissions & MAY_EXECUTE) !== 0;
	return (
		((permissions & MAY_READ) === 0 ? 0 : ACCESS3_READ) |
		(search ? ACCESS3_LOOKUP : 0) |
		(search && (permissions & MAY_WRITE) !== 0 ? changes : 0)
	);
}

function fileAccess(permissions: number): number {
	return (
		((permissions & MAY_READ) === 0 ? 0 : ACCESS3_READ) |
		((permissions & MAY_EXECUTE) === 0 ? 0 : ACCESS3_EXECUTE) |
		((permissions & MAY_WRITE) === 0 ? 0 : ACCESS3_MODIFY | ACCESS3_EXTEND)
	);
}

/** Writing to a device, FIFO or socket does not change the volume that its node is on. */
function isNode({ type }: Attributes): boolean {
	return type !== "file" && type !== "directory" && type !== "symlink";
}
