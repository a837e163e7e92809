import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FileError } from "../base/index.ts";
import { MemoryTree } from "./memory-tree.ts";
import { listDirectory, listDirectoryAt, readFile, readFileAt, readTextAt, resolvePath } from "./path.ts";

const PLAIN = { mode: 0o644, uid: 0, gid: 0 };

function link(tree: MemoryTree, directory: number, name: string, target: string): number {
	return tree.symlink(directory, name, Buffer.from(target), PLAIN);
}

/** /usr/lib/a.txt, /lib -> usr/lib, /abs -> /usr/lib/a.txt, /loop -> loop, /up -> ../../usr */
function sampleTree(): { tree: MemoryTree; usr: number; file: number } {
	const tree = new MemoryTree();
	const usr = tree.mkdir(tree.root, "usr", PLAIN);
	const lib = tree.mkdir(usr, "lib", PLAIN);
	const file = tree.create(lib, "a.txt", PLAIN);
	tree.write(file, 0, Buffer.from("grün"));
	link(tree, tree.root, "lib", "usr/lib");
	link(tree, tree.root, "abs", "/usr/lib/a.txt");
	link(tree, tree.root, "loop", "loop");
	link(tree, tree.root, "up", "../../usr");
	return { tree, usr, file };
}

describe("resolvePath", () => {
	it("walks through directories, repeated slashes and dots", () => {
		const { tree, file } = sampleTree();
		assert.equal(resolvePath(tree, "/usr//lib/./a.txt"), file);
		assert.equal(resolvePath(tree, "/"), tree.root);
	});

	it("follows relative and absolute links inside the tree", () => {
		const { tree, usr, file } = sampleTree();
		assert.equal(resolvePath(tree, "/lib/a.txt"), file);
		assert.equal(resolvePath(tree, "/abs"), file);
		assert.equal(resolvePath(tree, "/up"), usr);
		assert.equal(resolvePath(tree, "/../../usr"), usr);
	});

	it("gives the link itself when the last one is not to be followed", () => {
		const { tree } = sampleTree();
		const ino = resolvePath(tree, "/lib", { followLast: false });
		assert.ok(ino !== undefined);
		assert.equal(tree.getattr(ino).type, "symlink");
	});

	it("says that nothing is there for missing names, files on the way, and circles", () => {
		const { tree } = sampleTree();
		assert.equal(resolvePath(tree, "/nothing"), undefined);
		assert.equal(resolvePath(tree, "/usr/lib/a.txt/b"), undefined);
		assert.equal(resolvePath(tree, "/loop"), undefined);
		assert.equal(resolvePath(tree, `/${"x".repeat(300)}`), undefined);
	});

	it("lets errors of the tree through", () => {
		const { tree } = sampleTree();
		tree.lookup = () => {
			throw new FileError("EIO");
		};
		assert.throws(() => resolvePath(tree, "/usr"), { code: "EIO" });
	});

	it("ends for every path", () => {
		const { tree } = sampleTree();
		const name = fc.constantFrom("usr", "lib", "a.txt", "..", ".", "", "loop", "up", "abs", "é");
		fc.assert(
			fc.property(fc.array(name), (names) => {
				const ino = resolvePath(tree, `/${names.join("/")}`);
				assert.ok(ino === undefined || tree.getattr(ino).ino === ino);
			}),
		);
	});
});

describe("reading by path", () => {
	it("reads text as UTF-8 through links", () => {
		const { tree } = sampleTree();
		assert.equal(readTextAt(tree, "/abs"), "grün");
	});

	it("reads no more than the caller can hold", () => {
		const { tree, file } = sampleTree();
		assert.equal(readFileAt(tree, "/abs", 4), undefined);
		assert.throws(() => readFile(tree, file, 4), { code: "EFBIG" });
		assert.equal(readFile(tree, file, 5).length, 5);
	});

	it("gives nothing for a directory or a missing file", () => {
		const { tree } = sampleTree();
		assert.equal(readFileAt(tree, "/usr", 100_000), undefined);
		assert.equal(readFileAt(tree, "/none", 100), undefined);
	});

	it("lists a directory, also through a link, and nothing for a file", () => {
		const { tree, usr } = sampleTree();
		assert.deepEqual(
			listDirectory(tree, usr).map((entry) => entry.name),
			["lib"],
		);
		assert.deepEqual(
			listDirectoryAt(tree, "/lib").map((entry) => entry.name),
			["a.txt"],
		);
		assert.deepEqual(listDirectoryAt(tree, "/abs"), []);
	});
});
