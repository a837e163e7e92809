/** Short questions about a tree that may hold anything. What is broken or missing counts as not there. */
import { FileError, isNetbootError, nameToUtf8 } from "../../base/index.ts";
import { readTextAt, resolvePath } from "../path.ts";
import type { FileTree } from "../tree.ts";

export function isDirectory(tree: FileTree, path: string): boolean {
	return typeOf(tree, path) === "directory";
}

/** Whether there is something of that name, also a symbolic link that leads nowhere in this tree. */
export function exists(tree: FileTree, path: string): boolean {
	return asked(() => resolvePath(tree, path, { followLast: false })) !== undefined;
}

/** The text of a file of at most `limit` bytes. */
export function readText(tree: FileTree, path: string, limit: number): string | undefined {
	return asked(() => readTextAt(tree, path, limit));
}

/** The names in the root directory of a volume, as text. */
export function rootNames(tree: FileTree, limit = 10_000): string[] {
	const names: string[] = [];
	asked(() =>
		tree.readdir(tree.root, 0, (entry) => {
			names.push(nameToUtf8(entry.name));
			return names.length < limit;
		}),
	);
	return names;
}

function typeOf(tree: FileTree, path: string) {
	return asked(() => {
		const ino = resolvePath(tree, path);
		return ino === undefined ? undefined : tree.getattr(ino).type;
	});
}

/** A fault must go up, and so must a disk that fails or an image that changed; a broken structure is an answer. */
function asked<T>(question: () => T): T | undefined {
	try {
		return question();
	} catch (error) {
		if (error instanceof FileError && error.code !== "EAGAIN") return undefined;
		if (isNetbootError(error) && /^(malformed|unsupported)-/.test(error.code)) return undefined;
		throw error;
	}
}
