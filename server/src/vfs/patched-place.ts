/** Where a patch's path leads in a tree. */
import { BugError, FileError, nameFromUtf8 } from "../base/index.ts";
import { checkNewName } from "./names.ts";
import type { FileTree } from "./tree.ts";

/** As many symbolic links as Linux follows in one path before it says ELOOP. */
const MAX_LINKS = 40;

export interface Place {
	/** The deepest directory on the way that exists. */
	readonly directory: number;
	/** The names from the root to it, free of links. */
	readonly trail: readonly string[];
	/** The directories that are to be made below it. */
	readonly missing: readonly string[];
	readonly name: string;
}

/**
 * Walks to the directory of a path. Links on the way are followed inside the tree, the last name is not looked at.
 *
 * @param path absolute, in UTF-8.
 * @throws FileError ENOTDIR where a file is in the way, EINVAL for links that go in circles, ENOENT for a link to `..` of
 * nothing.
 * @throws BugError for a path that is none.
 */
export function findPlace(tree: FileTree, path: string): Place {
	const rest = componentsOfPatch(path).reverse();
	const name = rest.shift() ?? "";
	const trail: string[] = [];
	let directory = tree.root;
	let links = 0;
	for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
		if (next === "..") {
			directory = tree.parent(directory);
			trail.pop();
			continue;
		}
		const ino = lookupOrNothing(tree, directory, next);
		if (ino === undefined) return { directory, trail, missing: missingNames([next, ...rest.reverse()]), name };
		const { type } = tree.getattr(ino);
		if (type === "directory") {
			directory = ino;
			trail.push(next);
		} else if (type === "symlink") {
			links += 1;
			if (links > MAX_LINKS) throw new FileError("EINVAL", "the symbolic links on the way go in circles");
			const target = tree.readlink(ino).toString("latin1");
			if (target.startsWith("/")) {
				directory = tree.root;
				trail.length = 0;
			}
			rest.push(...components(target).reverse());
		} else {
			throw new FileError("ENOTDIR", `${next} on the way is a ${type}`);
		}
	}
	return { directory, trail, missing: [], name };
}

/** @returns undefined when the directory has no such name. */
export function lookupOrNothing(tree: FileTree, directory: number, name: string): number | undefined {
	try {
		return tree.lookup(directory, name);
	} catch (error) {
		if (error instanceof FileError && error.code === "ENOENT") return undefined;
		throw error;
	}
}

function componentsOfPatch(path: string): string[] {
	const names = components(nameFromUtf8(path));
	if (!path.startsWith("/") || names.length === 0 || names.includes("..")) {
		throw new BugError(`the path of a patch is ${JSON.stringify(path)}, expected an absolute one without ".."`);
	}
	for (const name of names) checkNewName(name);
	return names;
}

function missingNames(names: string[]): string[] {
	if (names.includes("..")) throw new FileError("ENOENT", "a symbolic link on the way leads through nothing");
	return names;
}

function components(path: string): string[] {
	return path.split("/").filter((name) => name !== "" && name !== ".");
}
