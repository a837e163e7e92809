/** Walking a tree by path, as a process inside of it would: symbolic links lead through the tree, never out of it. */
import { type DirectoryEntry, FileError, nameFromUtf8 } from "../base/index.ts";
import type { FileTree } from "./tree.ts";

/** As many symbolic links as Linux follows in one path before it says ELOOP. */
const MAX_LINKS = 40;

/** A directory longer than this is not one that we were meant to list. */
const MAX_ENTRIES = 100_000;

/** Failures that say "there is nothing at this path"; all others are for the caller. */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

/** Calls `look` and gives undefined when it finds nothing there. */
function unlessAbsent<T>(look: () => T): T | undefined {
	try {
		return look();
	} catch (error) {
		if (error instanceof FileError && ABSENT.has(error.code)) return undefined;
		throw error;
	}
}

/**
 * Finds the inode at an absolute path. Links are followed inside the tree (an absolute target starts at the tree's
 * root, `..` stops there); with `followLast: false` a link at the end is given itself.
 *
 * @param path in UTF-8.
 * @returns undefined when nothing is there, or the links go in circles.
 */
export function resolvePath(tree: FileTree, path: string, options: { followLast?: boolean } = {}): number | undefined {
	const followLast = options.followLast ?? true;
	const rest = componentsOf(nameFromUtf8(path)).reverse();
	let links = 0;
	let at = tree.root;
	for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
		const directory = at;
		const next = step(tree, directory, name);
		if (next === undefined) return undefined;
		at = next;
		if (tree.getattr(at).type !== "symlink" || (rest.length === 0 && !followLast)) continue;
		links += 1;
		if (links > MAX_LINKS) return undefined;
		const target = tree.readlink(at).toString("latin1");
		at = target.startsWith("/") ? tree.root : directory;
		rest.push(...componentsOf(target).reverse());
	}
	return at;
}

function componentsOf(path: string): string[] {
	return path.split("/").filter((name) => name !== "" && name !== ".");
}

function step(tree: FileTree, directory: number, name: string): number | undefined {
	return unlessAbsent(() => (name === ".." ? tree.parent(directory) : tree.lookup(directory, name)));
}

/**
 * The content of a file.
 *
 * @param limit bytes; what a caller is ready to hold in memory.
 * @throws FileError EFBIG when the file is larger, EISDIR or EINVAL when it is no file.
 */
export function readFile(tree: FileTree, ino: number, limit: number): Buffer {
	const { size } = tree.getattr(ino);
	if (size > limit) throw new FileError("EFBIG", `inode ${ino} has ${size} bytes, expected at most ${limit}`);
	const content = Buffer.alloc(size);
	return content.subarray(0, tree.read(ino, 0, content));
}

/**
 * The content of the file at a path, links followed.
 *
 * @returns undefined when there is no file, or one of more than `limit` bytes.
 */
export function readFileAt(tree: FileTree, path: string, limit: number): Buffer | undefined {
	const ino = resolvePath(tree, path);
	if (ino === undefined) return undefined;
	const { type, size } = tree.getattr(ino);
	return type === "file" && size <= limit ? readFile(tree, ino, limit) : undefined;
}

/** A text file at a path as UTF-8; undefined when there is none, or one of more than `limit` bytes (1 MiB). */
export function readTextAt(tree: FileTree, path: string, limit = 1024 * 1024): string | undefined {
	return readFileAt(tree, path, limit)?.toString("utf8");
}

/** All entries of a directory in their order. @throws FileError ENOTDIR, EFBIG for one that is beyond all measure. */
export function listDirectory(tree: FileTree, directory: number): DirectoryEntry[] {
	const entries: DirectoryEntry[] = [];
	const done = tree.readdir(directory, 0, (entry) => entries.push(entry) < MAX_ENTRIES);
	if (!done) throw new FileError("EFBIG", `directory ${directory} has ${MAX_ENTRIES} entries or more`);
	return entries;
}

/** The entries of the directory at a path, links followed; none when there is no directory. */
export function listDirectoryAt(tree: FileTree, path: string): DirectoryEntry[] {
	const ino = resolvePath(tree, path);
	if (ino === undefined || tree.getattr(ino).type !== "directory") return [];
	return listDirectory(tree, ino);
}
