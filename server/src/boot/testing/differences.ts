/** What patches change in a tree, looked at from outside: every path of both trees is compared. */
import { nameToUtf8 } from "../../base/index.ts";
import { type FileTree, listDirectory, readFile } from "../../vfs/index.ts";

/** By path: type, owner, mode and content of everything in a tree. */
function contentsOf(tree: FileTree, ino = tree.root, path = ""): Map<string, string> {
	const contents = new Map<string, string>();
	for (const { name, ino: child } of listDirectory(tree, ino)) {
		const at = `${path}/${nameToUtf8(name)}`;
		const { type, mode, uid, gid, size } = tree.getattr(child);
		const facts = `${type} ${mode.toString(8)} ${uid}:${gid}`;
		if (type === "directory") {
			contents.set(at, facts);
			for (const [inner, text] of contentsOf(tree, child, at)) contents.set(inner, text);
		} else if (type === "symlink") contents.set(at, `${facts} -> ${tree.readlink(child)}`);
		else contents.set(at, `${facts} ${readFile(tree, child, size + 1).toString("latin1")}`);
	}
	return contents;
}

/** The paths at which two trees differ, sorted; `-` before one that is gone, `+` before one that is new. */
export function differences(before: FileTree, after: FileTree): string[] {
	const [old, changed] = [contentsOf(before), contentsOf(after)];
	const gone = [...old.keys()].filter((path) => !changed.has(path)).map((path) => `-${path}`);
	const other = [...changed].flatMap(([path, text]) => {
		if (!old.has(path)) return [`+${path}`];
		return old.get(path) === text ? [] : [path];
	});
	return [...gone, ...other].sort();
}
