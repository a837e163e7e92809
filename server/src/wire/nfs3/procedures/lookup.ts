import { writeAttributes, writePostOpAttr } from "../attributes.ts";
import { failWithAttributes, type Nfs3Call, type Nfs3Procedure } from "../call.ts";
import { parentOf } from "../entries.ts";
import { readName } from "../names.ts";
import { MAY_EXECUTE, requireDirectory } from "../permissions.ts";
import type { NfsNode } from "../port.ts";

/**
 *     struct LOOKUP3args  { diropargs3 what; };   // nfs_fh3 dir; filename3 name;
 *     struct LOOKUP3resok { nfs_fh3 object; post_op_attr obj_attributes; post_op_attr dir_attributes; };
 */
export const lookup: Nfs3Procedure = {
	name: "LOOKUP",
	number: 3,
	kind: "query",
	run(call) {
		const name = readName(call.args);
		const directory = call.tree.getattr(call.ino);
		requireDirectory(call.rpc, directory, MAY_EXECUTE);
		const node = find(call, name);
		const handle = call.exported.handleOf(node);
		const out = call.ok().opaque(handle);
		writePostOpAttr(out, node);
		writeAttributes(out, directory);
		return undefined;
	},
	fail: failWithAttributes,
};

function find(call: Nfs3Call, name: string): NfsNode {
	const { tree, ino } = call;
	if (name === ".") return call.node;
	if (name === "..") return parentOf(call.exported, call.node);
	return call.exported.cross({ tree, ino: tree.lookup(ino, name) });
}
