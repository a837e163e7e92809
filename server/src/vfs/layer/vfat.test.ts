import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nameFromUtf8 } from "../../base/index.ts";
import { contentOf, find, findIfThere } from "../compliance-source.ts";
import { assertFails, list, names } from "../compliance-tools.ts";
import { MemoryTree } from "../memory-tree.ts";
import type { FileTree, WritableFileTree } from "../tree.ts";
import { openLayer } from "./testing.ts";

const ROOT_OWNED = { mode: 0o755, uid: 0, gid: 0 };

/** A base that finds names in any case, and by a short name, as FAT does. */
function fatLike(): FileTree {
	const tree = new MemoryTree();
	const file = tree.create(tree.root, "Config.txt", ROOT_OWNED);
	tree.write(file, 0, Buffer.from("arm_64bit=1\n"));
	tree.create(tree.root, "initramfs_2712", ROOT_OWNED);
	const overlays = tree.mkdir(tree.root, "overlays", ROOT_OWNED);
	tree.create(overlays, "README", ROOT_OWNED);
	return new Proxy(tree, {
		get(target, property) {
			if (property === "lookup") return (directory: number, name: string) => lookup(target, directory, name);
			const value: unknown = Reflect.get(target, property);
			return typeof value === "function" ? value.bind(target) : value;
		},
	});
}

function lookup(tree: MemoryTree, directory: number, name: string): number {
	if (name.toUpperCase() === "INITRA~1") return tree.lookup(directory, "initramfs_2712");
	const entry = list(tree, directory).find((candidate) => candidate.name.toUpperCase() === name.toUpperCase());
	return tree.lookup(directory, entry?.name ?? name);
}

function test(name: string, run: (tree: WritableFileTree, reopen: () => WritableFileTree) => void): void {
	it(name, () => {
		const subject = openLayer(fatLike(), { semantics: "vfat" });
		try {
			run(subject.layer.tree(1), () => subject.reopen().tree(1));
		} finally {
			subject.close();
		}
	});
}

describe("a layer over FAT", () => {
	test("finds names in any case and keeps the case they were made with", (tree, reopen) => {
		const ino = tree.create(tree.root, "Kernel8.IMG", ROOT_OWNED);
		tree.write(find(tree, "CONFIG.TXT"), 0, Buffer.from("ARM"));
		for (const now of [tree, reopen()]) {
			assert.equal(find(now, "kernel8.img"), ino);
			assert.equal(contentOf(now, find(now, "config.TXT")).toString(), "ARM_64bit=1\n");
			assert.deepEqual(names(now, now.root), ["Config.txt", "Kernel8.IMG", "initramfs_2712", "overlays"]);
		}
	});

	test("folds letters beyond ASCII", (tree) => {
		const ino = tree.create(tree.root, nameFromUtf8("größe.txt"), ROOT_OWNED);
		assert.equal(find(tree, nameFromUtf8("GRÖßE.TXT")), ino);
		assert.equal(findIfThere(tree, nameFromUtf8("GRÖSSE.TXT")), undefined);
	});

	test("knows one file per name, whatever its case", (tree) => {
		assertFails("EEXIST", () => tree.create(tree.root, "CONFIG.txt", ROOT_OWNED));
		tree.remove(tree.root, "CONFIG.txt");
		assert.equal(findIfThere(tree, "Config.txt"), undefined);
		assert.equal(findIfThere(tree, "config.txt"), undefined);
		tree.create(tree.root, "config.TXT", ROOT_OWNED);
		assert.deepEqual(names(tree, tree.root), ["config.TXT", "initramfs_2712", "overlays"]);
	});

	test("replaces a file by rename, as a kernel upgrade does", (tree, reopen) => {
		const fresh = tree.create(tree.root, "config.txt.new", ROOT_OWNED);
		tree.write(fresh, 0, Buffer.from("new"));
		tree.rename(tree.root, "config.txt.new", tree.root, "CONFIG.TXT");
		for (const now of [tree, reopen()]) {
			assert.equal(contentOf(now, find(now, "config.txt")).toString(), "new");
			assert.deepEqual(names(now, now.root), ["CONFIG.TXT", "initramfs_2712", "overlays"]);
		}
	});

	test("changes the case of a name", (tree, reopen) => {
		const ino = find(tree, "config.txt");
		tree.rename(tree.root, "config.txt", tree.root, "CONFIG.TXT");
		tree.rename(tree.root, "overlays", tree.root, "Overlays");
		for (const now of [tree, reopen()]) {
			assert.equal(find(now, "config.txt"), ino);
			assert.deepEqual(names(now, now.root), ["CONFIG.TXT", "Overlays", "initramfs_2712"]);
		}
	});

	test("removes a file by its short name", (tree) => {
		tree.remove(tree.root, "INITRA~1");
		assert.equal(findIfThere(tree, "initramfs_2712"), undefined);
		assert.equal(findIfThere(tree, "INITRA~1"), undefined);
		assert.deepEqual(names(tree, tree.root), ["Config.txt", "overlays"]);
	});

	test("replaces a file by its short name", (tree) => {
		tree.rename(tree.root, "config.txt", tree.root, "INITRA~1");
		assert.equal(findIfThere(tree, "initramfs_2712"), undefined);
		assert.deepEqual(names(tree, tree.root), ["INITRA~1", "overlays"]);
	});

	test("has no links, symlinks and special files", (tree) => {
		const ino = find(tree, "config.txt");
		assertFails("EPERM", () => tree.link(ino, tree.root, "other"));
		assertFails("EPERM", () => tree.symlink(tree.root, "other", Buffer.from("config.txt"), ROOT_OWNED));
		assertFails("EPERM", () => tree.mknod(tree.root, "other", "fifo", 0, 0, ROOT_OWNED));
	});

	test("has the mount's owner and mode, and takes what changes nothing", (tree) => {
		const ino = tree.create(tree.root, "mine", { mode: 0o600, uid: 1000, gid: 1000 });
		const { mode, uid, gid } = tree.getattr(ino);
		assert.deepEqual([mode, uid, gid], [0o755, 0, 0]);
		tree.setattr(ino, { uid: 0, gid: 0, mode: 0o755 });
		assertFails("EPERM", () => tree.setattr(ino, { uid: 1000 }));
		assertFails("EPERM", () => tree.setattr(ino, { mode: 0o4755 }));
		tree.setattr(ino, { mode: 0o640 });
		assert.equal(tree.getattr(ino).mode, 0o755, "what FAT cannot hold is left alone, as Linux does");
		tree.setattr(ino, { mode: 0o555 });
		assert.equal(tree.getattr(ino).mode, 0o555, "the read-only attribute");
		tree.setattr(ino, { mode: 0o777 });
		assert.equal(tree.getattr(ino).mode, 0o755);
	});

	test("refuses names and sizes that FAT cannot hold", (tree) => {
		for (const name of ["a:b", "what?", "star*", "a|b", "tab\t", "dot.", "\xff\xfe"]) {
			assertFails("EINVAL", () => tree.create(tree.root, name, ROOT_OWNED));
		}
		assertFails("EFBIG", () => tree.setattr(find(tree, "config.txt"), { size: 2 ** 32 }));
		assertFails("EFBIG", () => tree.write(find(tree, "config.txt"), 2 ** 32 - 1, Buffer.from("x")));
	});
});
