/** Trees for tests, written down as a table of paths. */
import { nameFromUtf8 } from "../../base/index.ts";
import { MemoryTree, resolvePath } from "../../vfs/index.ts";

/** The content of a file, a link, an empty directory, or a file with an owner or a mode of its own. */
export type Entry =
	| string
	| Buffer
	| { readonly link: string }
	| { readonly directory: true; readonly mode?: number }
	| { readonly text: string; readonly mode?: number; readonly uid?: number; readonly gid?: number };

export type Entries = Readonly<Record<string, Entry>>;

/** Makes a tree out of absolute paths; directories on the way are made. A later path may replace an earlier one's text. */
export function makeTree(entries: Entries): MemoryTree {
	const tree = new MemoryTree();
	for (const [path, entry] of Object.entries(entries)) add(tree, path, entry);
	return tree;
}

const OWNER = { mode: 0o755, uid: 0, gid: 0 };

function add(tree: MemoryTree, path: string, entry: Entry): void {
	const names = path.split("/").filter((name) => name !== "");
	const last = names.pop() ?? "";
	const directory = names.reduce((parent, name) => childDirectory(tree, parent, name), tree.root);
	addEntry(tree, directory, nameFromUtf8(last), entry);
}

function childDirectory(tree: MemoryTree, parent: number, name: string): number {
	try {
		const ino = tree.lookup(parent, nameFromUtf8(name));
		if (tree.getattr(ino).type !== "symlink") return ino;
		const target = resolvePath(tree, `/${tree.readlink(ino).toString()}`);
		if (target === undefined) throw new Error(`the link ${name} leads nowhere yet: name what it points at first`);
		return target;
	} catch (error) {
		if (!(error instanceof Error) || !("code" in error)) throw error;
		return tree.mkdir(parent, nameFromUtf8(name), OWNER);
	}
}

function addEntry(tree: MemoryTree, directory: number, name: string, entry: Entry): void {
	if (typeof entry === "string" || Buffer.isBuffer(entry)) addFile(tree, directory, name, Buffer.from(entry), 0o644);
	else if ("link" in entry) tree.symlink(directory, name, Buffer.from(entry.link), OWNER);
	else if ("directory" in entry) tree.mkdir(directory, name, { ...OWNER, mode: entry.mode ?? 0o755 });
	else addFile(tree, directory, name, Buffer.from(entry.text), entry.mode ?? 0o644, entry.uid, entry.gid);
}

function addFile(
	tree: MemoryTree,
	directory: number,
	name: string,
	content: Buffer,
	mode: number,
	uid = 0,
	gid = 0,
): void {
	const ino = tree.create(directory, name, { mode, uid, gid });
	tree.write(ino, 0, content);
}
