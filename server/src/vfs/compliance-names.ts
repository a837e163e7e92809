/** Compliance of changes to names: links, directories, renames, listing while things change. */
import assert from "node:assert/strict";
import type { Subject } from "./compliance.ts";
import { BYTE_NAME, contentOf, find, findIfThere, LONGEST_NAME } from "./compliance-source.ts";
import { assertFails, list, names, onTree } from "./compliance-tools.ts";
import type { WritableFileTree } from "./tree.ts";

const FILE = { mode: 0o644, uid: 0, gid: 0 };
const DIRECTORY = { mode: 0o755, uid: 0, gid: 0 };

export function testNames(open: () => Subject<WritableFileTree>): void {
	const test = (name: string, run: (tree: WritableFileTree) => void) => onTree(open, name, run);
	testLinks(test);
	testDirectories(test);
	testRename(test);
	testListing(test);
}

type Test = (name: string, run: (tree: WritableFileTree) => void) => void;

function testLinks(test: Test): void {
	test("keeps one file behind all of its names", (tree) => {
		const directory = find(tree, "directory");
		const ino = find(tree, "directory/first");
		tree.write(ino, 0, Buffer.from("FIRST"));
		assert.equal(contentOf(tree, find(tree, "directory/second")).toString(), "FIRST");
		tree.link(ino, tree.root, "third");
		assert.equal(tree.getattr(ino).nlink, 3);
		tree.remove(directory, "first");
		tree.remove(directory, "second");
		assert.equal(find(tree, "third"), ino);
		assert.equal(tree.getattr(ino).nlink, 1);
		assert.equal(contentOf(tree, ino).toString(), "FIRST");
		tree.remove(tree.root, "third");
		assertFails("ESTALE", () => tree.getattr(ino));
	});

	test("links symlinks and devices, but no directories", (tree) => {
		const symlink = find(tree, "symlink");
		tree.link(symlink, tree.root, "linked");
		assert.equal(tree.readlink(find(tree, "linked")).toString(), "directory/first");
		assert.equal(tree.getattr(symlink).nlink, 2);
		assertFails("EPERM", () => tree.link(find(tree, "directory"), tree.root, "other"));
		assertFails("EEXIST", () => tree.link(symlink, tree.root, "small"));
		assertFails("ENOTDIR", () => tree.link(symlink, find(tree, "small"), "x"));
	});

	test("removes files, and says what it cannot remove", (tree) => {
		const ino = find(tree, "small");
		tree.remove(tree.root, "small");
		assert.equal(findIfThere(tree, "small"), undefined);
		assert.ok(!names(tree, tree.root).includes("small"));
		assertFails("ENOENT", () => tree.remove(tree.root, "small"));
		assertFails("EISDIR", () => tree.remove(tree.root, "directory"));
		assertFails("ENOTDIR", () => tree.remove(find(tree, "blocks"), "x"));
		const again = tree.create(tree.root, "small", FILE);
		assert.notEqual(again, ino);
		assert.equal(contentOf(tree, again).length, 0);
	});

	test("takes names of 255 bytes and of any bytes but slash and NUL", (tree) => {
		const directory = find(tree, "names");
		for (const name of ["m".repeat(255), "\xfe\x01 \n\\", "\xc3\xa9", "..."]) {
			const ino = tree.create(directory, name, FILE);
			assert.equal(tree.lookup(directory, name), ino);
		}
		assert.equal(names(tree, directory).length, 6);
		tree.rename(directory, BYTE_NAME, directory, "\x80");
		tree.remove(directory, LONGEST_NAME);
		assert.equal(contentOf(tree, find(tree, "names/\x80")).toString(), "bytes");
		assertFails("ENAMETOOLONG", () => tree.create(directory, "x".repeat(256), FILE));
		assertFails("ENAMETOOLONG", () => tree.rename(directory, "\x80", directory, "x".repeat(256)));
		for (const name of ["", ".", "..", "a/b", "a\0b", "\u0100"]) {
			assertFails("EINVAL", () => tree.create(directory, name, FILE));
			assertFails("EINVAL", () => tree.mkdir(directory, name, DIRECTORY));
			assertFails("EINVAL", () => tree.rename(directory, "\x80", directory, name));
		}
	});
}

function testDirectories(test: Test): void {
	test("makes and removes directories and counts their links", (tree) => {
		const before = tree.getattr(tree.root).nlink;
		const directory = tree.mkdir(tree.root, "new", DIRECTORY);
		assert.deepEqual([tree.getattr(tree.root).nlink, tree.getattr(directory).nlink], [before + 1, 2]);
		assert.equal(tree.parent(directory), tree.root);
		const inner = tree.mkdir(directory, "inner", DIRECTORY);
		assert.equal(tree.getattr(directory).nlink, 3);
		assertFails("ENOTEMPTY", () => tree.rmdir(tree.root, "new"));
		tree.rmdir(directory, "inner");
		assertFails("ESTALE", () => tree.parent(inner));
		tree.rmdir(tree.root, "new");
		assert.equal(tree.getattr(tree.root).nlink, before);
	});

	test("removes a directory that was there only when it is empty", (tree) => {
		assertFails("ENOTEMPTY", () => tree.rmdir(tree.root, "directory"));
		assertFails("ENOTDIR", () => tree.rmdir(tree.root, "small"));
		assertFails("ENOENT", () => tree.rmdir(tree.root, "missing"));
		assertFails("EINVAL", () => tree.rmdir(tree.root, "."));
		const directory = find(tree, "directory");
		tree.remove(find(tree, "directory/inner"), "file");
		tree.rmdir(directory, "inner");
		tree.remove(directory, "first");
		assertFails("ENOTEMPTY", () => tree.rmdir(tree.root, "directory"));
		tree.remove(directory, "second");
		tree.rmdir(tree.root, "directory");
		const again = tree.mkdir(tree.root, "directory", DIRECTORY);
		assert.deepEqual(names(tree, again), [], "what was in it must not come back");
	});
}

function testRename(test: Test): void {
	test("moves files between directories", (tree) => {
		const ino = find(tree, "small");
		tree.rename(tree.root, "small", find(tree, "vacant"), "moved");
		assert.equal(find(tree, "vacant/moved"), ino);
		assert.equal(findIfThere(tree, "small"), undefined);
		assert.equal(contentOf(tree, ino).toString(), "hello\n");
		tree.rename(find(tree, "vacant"), "moved", tree.root, "small");
		assert.equal(find(tree, "small"), ino);
		assert.deepEqual(names(tree, find(tree, "vacant")), []);
	});

	test("replaces a file, whose last name goes with it", (tree) => {
		const [replaced, linked] = [find(tree, "blocks"), find(tree, "directory/first")];
		const count = names(tree, tree.root).length;
		tree.rename(tree.root, "small", tree.root, "blocks");
		assert.equal(contentOf(tree, find(tree, "blocks")).toString(), "hello\n");
		assertFails("ESTALE", () => tree.getattr(replaced));
		tree.rename(tree.root, "blocks", find(tree, "directory"), "first");
		assert.equal(tree.getattr(linked).nlink, 1);
		assert.equal(names(tree, tree.root).length, count - 2);
	});

	test("moves a directory with all that is in it", (tree) => {
		const directory = find(tree, "directory");
		const [from, to] = [tree.getattr(tree.root).nlink, tree.getattr(find(tree, "vacant")).nlink];
		tree.rename(tree.root, "directory", find(tree, "vacant"), "here");
		assert.equal(find(tree, "vacant/here"), directory);
		assert.equal(tree.parent(directory), find(tree, "vacant"));
		assert.equal(contentOf(tree, find(tree, "vacant/here/inner/file")).toString(), "inner");
		assert.equal(tree.getattr(tree.root).nlink, from - 1);
		assert.equal(tree.getattr(find(tree, "vacant")).nlink, to + 1);
		tree.create(directory, "new", FILE);
		assert.deepEqual(names(tree, find(tree, "vacant/here")), ["first", "inner", "new", "second"]);
	});

	test("does not move a directory into itself", (tree) => {
		const inner = find(tree, "directory/inner");
		assertFails("EINVAL", () => tree.rename(tree.root, "directory", inner, "x"));
		assertFails("EINVAL", () => tree.rename(tree.root, "directory", find(tree, "directory"), "inner"));
		tree.rename(tree.root, "directory", tree.root, "directory");
		tree.rename(find(tree, "directory"), "inner", tree.root, "out");
		assert.equal(tree.parent(inner), tree.root);
	});

	test("replaces directories when they are empty, and by directories only", (tree) => {
		const [vacant, directory] = [find(tree, "vacant"), find(tree, "directory")];
		assertFails("ENOTEMPTY", () => tree.rename(tree.root, "vacant", tree.root, "directory"));
		assertFails("ENOTEMPTY", () => tree.rename(directory, "inner", tree.root, "directory"));
		assertFails("ENOTDIR", () => tree.rename(tree.root, "vacant", tree.root, "small"));
		assertFails("EISDIR", () => tree.rename(tree.root, "small", tree.root, "vacant"));
		assertFails("ENOENT", () => tree.rename(tree.root, "missing", tree.root, "small"));
		const { nlink } = tree.getattr(tree.root);
		tree.rename(tree.root, "directory", tree.root, "vacant");
		assert.equal(find(tree, "vacant"), directory);
		assertFails("ESTALE", () => tree.getattr(vacant));
		assert.equal(tree.getattr(tree.root).nlink, nlink - 1);
	});

	test("does nothing between two names of one file", (tree) => {
		const directory = find(tree, "directory");
		tree.rename(directory, "first", directory, "second");
		assert.equal(find(tree, "directory/first"), find(tree, "directory/second"));
		assert.equal(tree.getattr(find(tree, "directory/first")).nlink, 2);
	});
}

function testListing(test: Test): void {
	test("gives what is alive throughout exactly once while names come and go", (tree) => {
		const crowd = find(tree, "crowd");
		for (let index = 0; index < 100; index++) tree.create(crowd, `early-${index}`, FILE);
		const alive = names(tree, crowd).filter((name) => !name.endsWith("7"));
		let round = 0;
		const seen = list(tree, crowd, 10, () => {
			tree.create(crowd, `late-${round}`, FILE);
			for (const name of [`entry-${round}7`, `early-${round}7`]) {
				if (findIfThere(tree, `crowd/${name}`) !== undefined) tree.remove(crowd, name);
			}
			round++;
			assert.ok(round < 1000, "a listing comes to its end");
		});
		const count = new Map<string, number>();
		for (const { name } of seen) count.set(name, (count.get(name) ?? 0) + 1);
		for (const name of alive) assert.equal(count.get(name), 1, name);
		for (const [name, times] of count) assert.equal(times, 1, name);
	});

	test("gives a name once whose file is replaced meanwhile", (tree) => {
		const crowd = find(tree, "crowd");
		let round = 0;
		const seen = list(tree, crowd, 25, () => {
			for (const target of [`entry-${round}`, `entry-${299 - round}`]) {
				tree.create(crowd, "temporary", FILE);
				tree.rename(crowd, "temporary", crowd, target);
			}
			round++;
		});
		const given = seen.map(({ name }) => name).filter((name) => name !== "temporary");
		assert.equal(new Set(given).size, given.length);
		assert.equal(given.length, 300);
	});

	test("goes on behind an entry that was removed", (tree) => {
		const crowd = find(tree, "crowd");
		const before = list(tree, crowd);
		const at = before[100];
		assert.ok(at !== undefined);
		tree.remove(crowd, at.name);
		const rest: string[] = [];
		tree.readdir(crowd, at.cookie, ({ name }) => rest.push(name) > 0);
		assert.deepEqual(
			rest,
			before.slice(101).map(({ name }) => name),
		);
	});

	test("never gives a cookie to another name", (tree) => {
		const directory = find(tree, "vacant");
		const cookies = new Set<number>();
		for (let round = 0; round < 50; round++) {
			tree.create(directory, `file-${round % 3}`, FILE);
			const [entry] = list(tree, directory);
			assert.ok(entry !== undefined && !cookies.has(entry.cookie));
			cookies.add(entry.cookie);
			tree.remove(directory, entry.name);
		}
	});
}
