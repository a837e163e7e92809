/** The files that a tree under test holds, and ways to put them there. */
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { FileError, type FileType } from "../base/index.ts";
import type { FileTree, WritableFileTree } from "./tree.ts";

/** One name below the root of the tree under test. Parents stand before what is in them. */
export interface SourceEntry {
	/** Byte strings between slashes, without a slash in front. */
	readonly path: string;
	readonly type: FileType;
	readonly mode: number;
	readonly content?: Buffer;
	readonly target?: string;
	/** The path of the file that this is another name of. */
	readonly linkTo?: string;
	readonly major?: number;
	readonly minor?: number;
}

/** 255 bytes, the longest that a name can be. */
export const LONGEST_NAME = "n".repeat(255);

/** Bytes that are no UTF-8. */
export const BYTE_NAME = "caf\xe9\xff";

/** Bytes that differ from place to place. */
export function pattern(length: number, seed = 1): Buffer {
	const bytes = Buffer.alloc(length);
	for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8) * 7 + seed) & 0xff;
	return bytes;
}

const file = (path: string, content: Buffer, mode = 0o644): SourceEntry => ({ path, type: "file", mode, content });
const directory = (path: string, mode = 0o755): SourceEntry => ({ path, type: "directory", mode });

/** Files, directories and links: what an ordinary user can put into an image. */
export const plainSource: readonly SourceEntry[] = [
	file("empty", Buffer.alloc(0)),
	file("small", Buffer.from("hello\n"), 0o600),
	file("blocks", pattern(3 * 4096)),
	file("uneven", pattern(5 * 4096 + 123, 2), 0o640),
	file("program", pattern(9000, 3), 0o4755),
	directory("directory"),
	directory("directory/inner", 0o700),
	file("directory/inner/file", Buffer.from("inner")),
	file("directory/first", Buffer.from("first")),
	{ path: "directory/second", type: "file", mode: 0o644, linkTo: "directory/first" },
	directory("vacant"),
	directory("sticky", 0o1777),
	directory("names"),
	file(`names/${LONGEST_NAME}`, Buffer.from("long")),
	file(`names/${BYTE_NAME}`, Buffer.from("bytes")),
	directory("crowd"),
	...Array.from({ length: 300 }, (_, index) => file(`crowd/entry-${index}`, Buffer.alloc(0))),
	{ path: "symlink", type: "symlink", mode: 0o777, target: "directory/first" },
	{ path: "long-symlink", type: "symlink", mode: 0o777, target: `/${"t".repeat(200)}` },
];

/** With what only root can make on a host. */
export const fullSource: readonly SourceEntry[] = [
	...plainSource,
	directory("dev"),
	{ path: "dev/null", type: "character", mode: 0o666, major: 1, minor: 3 },
	{ path: "dev/sda", type: "block", mode: 0o660, major: 8, minor: 300 },
	{ path: "dev/fifo", type: "fifo", mode: 0o600 },
	{ path: "dev/socket", type: "socket", mode: 0o700 },
];

/** The inode behind a path. @throws FileError ENOENT, ENOTDIR. */
export function find(tree: FileTree, path: string): number {
	return path.split("/").reduce((at, name) => (name === "" ? at : tree.lookup(at, name)), tree.root);
}

/** The inode behind a path, or undefined when there is none. */
export function findIfThere(tree: FileTree, path: string): number | undefined {
	try {
		return find(tree, path);
	} catch (error) {
		if (error instanceof FileError && error.code === "ENOENT") return undefined;
		throw error;
	}
}

/** The inode of the directory that holds a path, and the name in it. */
export function findParent(tree: FileTree, path: string): [directory: number, name: string] {
	const slash = path.lastIndexOf("/");
	return [find(tree, path.slice(0, Math.max(0, slash))), path.slice(slash + 1)];
}

/** All bytes of a file. */
export function contentOf(tree: FileTree, ino: number): Buffer {
	const bytes = Buffer.alloc(tree.getattr(ino).size);
	const got = tree.read(ino, 0, bytes);
	return bytes.subarray(0, got);
}

/** Makes the source's files in a tree. */
export function fillTree(tree: WritableFileTree, source: readonly SourceEntry[] = fullSource): void {
	for (const entry of source) {
		const [parent, name] = findParent(tree, entry.path);
		if (entry.linkTo !== undefined) tree.link(find(tree, entry.linkTo), parent, name);
		else make(tree, parent, name, entry);
	}
}

function make(tree: WritableFileTree, parent: number, name: string, entry: SourceEntry): void {
	const { type, mode, content = Buffer.alloc(0), target = "", major = 0, minor = 0 } = entry;
	const owner = { mode, uid: 0, gid: 0 };
	if (type === "file") tree.write(tree.create(parent, name, owner), 0, content);
	else if (type === "directory") tree.mkdir(parent, name, owner);
	else if (type === "symlink") tree.symlink(parent, name, Buffer.from(target, "latin1"), owner);
	else tree.mknod(parent, name, type, major, minor, owner);
}

/** Makes the source's files in a directory of the host, for the tools that make images. */
export function writeSource(folder: string, source: readonly SourceEntry[] = plainSource): void {
	const at = (path: string) => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path, "latin1")]);
	for (const { path, type, mode, content, target, linkTo } of source) {
		if (linkTo !== undefined) linkSync(at(linkTo), at(path));
		else if (type === "file") writeFileSync(at(path), content ?? "");
		else if (type === "directory") mkdirSync(at(path));
		else if (type === "symlink") symlinkSync(target ?? "", at(path));
		if (linkTo === undefined && type !== "symlink") chmodSync(at(path), mode);
	}
}
