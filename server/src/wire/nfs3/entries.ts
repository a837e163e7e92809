/** What procedures ask about the names of a directory. */
import { type Attributes, FileError } from "../../base/index.ts";
import { writePostOpAttr, writeWcc } from "./attributes.ts";
import type { Nfs3Call } from "./call.ts";
import { MAY_EXECUTE, MAY_WRITE, requireDirectory, requireUnsticky } from "./permissions.ts";
import type { NfsExport, NfsNode, NfsTree } from "./port.ts";

/** Where `..` leads, out of a mounted volume too. */
export function parentOf(exported: NfsExport, node: NfsNode): NfsNode {
	const { tree, ino } = node;
	return ino === tree.root ? exported.parent(node) : { tree, ino: tree.parent(ino) };
}

/** The inode that a name leads to, or undefined when there is none. */
export function findEntry(tree: NfsTree, directory: number, name: string): number | undefined {
	try {
		return tree.lookup(directory, name);
	} catch (error) {
		if (error instanceof FileError && error.code === "ENOENT") return undefined;
		throw error;
	}
}

/** The attributes of the call's directory, in which the caller may make and remove names. */
export function writableDirectory(call: Nfs3Call): Attributes {
	const directory = call.tree.getattr(call.ino);
	requireDirectory(call.rpc, directory, MAY_WRITE | MAY_EXECUTE);
	return directory;
}

/** @throws FileError EACCES when something is mounted on a file, which can then not be removed or moved. */
export function requireNoMount(exported: NfsExport, tree: NfsTree, ino: number): void {
	if (exported.cross({ tree, ino }).tree !== tree) throw new FileError("EACCES", "a volume is mounted there");
}

/** Checks that the caller may remove a name of the call's directory. @throws FileError ENOENT, EACCES, EPERM, ENOTDIR. */
export function requireRemovable(call: Nfs3Call, name: string): void {
	const { tree, ino } = call;
	const directory = writableDirectory(call);
	const victim = tree.lookup(ino, name);
	requireUnsticky(call.rpc, directory, tree.getattr(victim));
	requireNoMount(call.exported, tree, victim);
}

/**
 * The results of CREATE, MKDIR, SYMLINK and MKNOD.
 *
 *     post_op_fh3 obj; post_op_attr obj_attributes; wcc_data dir_wcc;
 */
export function writeCreated(call: Nfs3Call, ino: number): void {
	const node = { tree: call.tree, ino };
	const handle = call.exported.handleOf(node);
	const out = call.ok().bool(true).opaque(handle);
	writePostOpAttr(out, node);
	writeWcc(out, call.firstBefore, call.node);
}
