/** Compliance of what every tree can do. */
import assert from "node:assert/strict";
import type { Subject } from "./compliance.ts";
import { contentOf, find, type SourceEntry } from "./compliance-source.ts";
import { assertFails, list, names, onTree } from "./compliance-tools.ts";
import type { FileTree } from "./tree.ts";

const GONE = 0x7fff_fff0;

export function testReading(open: () => Subject<FileTree>, source: readonly SourceEntry[]): void {
	const test = (name: string, run: (tree: FileTree) => void) => onTree(open, name, run);
	const ofType = (...types: string[]) => source.filter(({ type }) => types.includes(type));
	const childrenOf = (path: string) => {
		const prefix = path === "" ? "" : `${path}/`;
		const inside = source.filter((entry) => entry.path.startsWith(prefix) && entry.path !== path);
		return inside.map((entry) => entry.path.slice(prefix.length)).filter((name) => !name.includes("/"));
	};

	test("gives type, mode and numbers of every file", (tree) => {
		const { fsid } = tree.getattr(tree.root);
		for (const { path, type, mode, linkTo, major = 0, minor = 0 } of source) {
			const ino = find(tree, path);
			const attributes = tree.getattr(ino);
			assert.equal(attributes.type, type, path);
			assert.deepEqual([attributes.ino, attributes.fsid], [ino, fsid], path);
			if (linkTo === undefined) assert.equal(attributes.mode, mode, path);
			assert.deepEqual([attributes.major, attributes.minor], [major, minor], path);
			assert.ok(ino > 0 && ino < 2 ** 31, path);
		}
	});

	test("counts the names of files and the subdirectories of directories", (tree) => {
		for (const { path, type, linkTo } of source) {
			const { nlink } = tree.getattr(find(tree, path));
			const subdirectories = source.filter((entry) => entry.type === "directory" && entry.path.startsWith(`${path}/`));
			const others = source.filter((entry) => entry.linkTo === (linkTo ?? path)).length;
			if (type === "directory") assert.equal(nlink, 2 + subdirectories.length, path);
			else assert.equal(nlink, 1 + others, path);
		}
	});

	test("gives hard links the same inode", (tree) => {
		for (const { path, linkTo } of source) {
			if (linkTo !== undefined) assert.equal(find(tree, path), find(tree, linkTo));
		}
	});

	test("gives the bytes of every file, from every offset, to its end", (tree) => {
		for (const { path, content } of ofType("file")) {
			if (content === undefined) continue;
			const ino = find(tree, path);
			assert.equal(tree.getattr(ino).size, content.length, path);
			assert.ok(contentOf(tree, ino).equals(content), path);
			for (const [offset, length] of [
				[1, 10],
				[4090, 20],
				[4096, 4096],
				[content.length - 3, 100],
			] as const) {
				if (offset < 0) continue;
				const target = Buffer.alloc(length, 0xee);
				const expected = content.subarray(offset, offset + length);
				assert.equal(tree.read(ino, offset, target), expected.length, `${path} at ${offset}`);
				assert.ok(target.subarray(0, expected.length).equals(expected), `${path} at ${offset}`);
			}
			assert.equal(tree.read(ino, content.length + 5000, Buffer.alloc(10)), 0);
		}
	});

	test("gives the targets of symlinks, and their length as size", (tree) => {
		for (const { path, target = "" } of ofType("symlink")) {
			const ino = find(tree, path);
			assert.equal(tree.readlink(ino).toString("latin1"), target);
			assert.equal(tree.getattr(ino).size, target.length);
		}
	});

	test("lists every directory completely, with the inodes that lookup gives", (tree) => {
		for (const { path } of [{ path: "" }, ...ofType("directory")]) {
			const directory = find(tree, path);
			assert.deepEqual(names(tree, directory), childrenOf(path).sort(), path);
			for (const { name, ino } of list(tree, directory)) assert.equal(tree.lookup(directory, name), ino, name);
		}
	});

	test("goes on behind any cookie, in rising order", (tree) => {
		const directory = find(tree, "crowd");
		const whole = list(tree, directory);
		for (const page of [1, 7, 100]) assert.deepEqual(list(tree, directory, page), whole);
		for (const [index, { cookie }] of whole.entries()) {
			assert.ok(cookie > (whole[index - 1]?.cookie ?? 0) && cookie < 2 ** 31);
		}
		const last = whole.at(-1)?.cookie ?? 0;
		assert.equal(
			tree.readdir(directory, last, () => assert.fail("there is nothing behind the last")),
			true,
		);
	});

	test("knows the parent of every directory", (tree) => {
		assert.equal(tree.parent(tree.root), tree.root);
		for (const { path } of ofType("directory")) {
			assert.equal(tree.parent(find(tree, path)), find(tree, path.split("/").slice(0, -1).join("/")));
		}
	});

	test("says ENOENT for what is not there, dot entries included", (tree) => {
		for (const name of ["missing", ".", "..", "SMALL"]) assertFails("ENOENT", () => tree.lookup(tree.root, name));
		assertFails("ENAMETOOLONG", () => tree.lookup(tree.root, "x".repeat(256)));
	});

	test("says ESTALE for an inode that does not exist, whatever is asked", (tree) => {
		assertFails("ESTALE", () => tree.getattr(GONE));
		assertFails("ESTALE", () => tree.lookup(GONE, "x"));
		assertFails("ESTALE", () => tree.parent(GONE));
		assertFails("ESTALE", () => tree.readlink(GONE));
		assertFails("ESTALE", () => tree.read(GONE, 0, Buffer.alloc(1)));
		assertFails("ESTALE", () => tree.readdir(GONE, 0, () => true));
		assertFails("ESTALE", () => tree.generation(GONE));
	});

	test("says which kind of file an operation wants", (tree) => {
		const [file, directory, symlink] = ["small", "directory", "symlink"].map((path) => find(tree, path));
		for (const ino of [file, symlink]) {
			assertFails("ENOTDIR", () => tree.lookup(ino ?? 0, "x"));
			assertFails("ENOTDIR", () => tree.readdir(ino ?? 0, 0, () => true));
			assertFails("ENOTDIR", () => tree.parent(ino ?? 0));
		}
		for (const ino of [file, directory]) assertFails("EINVAL", () => tree.readlink(ino ?? 0));
		assertFails("EISDIR", () => tree.read(directory ?? 0, 0, Buffer.alloc(1)));
		assertFails("EINVAL", () => tree.read(symlink ?? 0, 0, Buffer.alloc(1)));
	});

	test("gives a generation that stays, and numbers of its disk that make sense", (tree) => {
		const ino = find(tree, "small");
		assert.equal(tree.generation(ino), tree.generation(ino));
		const { totalBytes, freeBytes, availableBytes, totalInodes, freeInodes } = tree.statfs();
		assert.ok(totalBytes >= freeBytes && freeBytes >= 0 && availableBytes >= 0);
		assert.ok(totalInodes >= freeInodes && freeInodes >= 0);
	});
}
