/** Compliance of changes to files: bytes, attributes, times. */
import assert from "node:assert/strict";
import type { FileTime } from "../base/index.ts";
import type { Subject } from "./compliance.ts";
import { contentOf, find, pattern } from "./compliance-source.ts";
import { assertFails, onTree } from "./compliance-tools.ts";
import { compareTimes } from "./times.ts";
import type { WritableFileTree } from "./tree.ts";

const FILE = { mode: 0o644, uid: 1000, gid: 1001 };

export function testWriting(open: () => Subject<WritableFileTree>): void {
	const test = (name: string, run: (tree: WritableFileTree) => void | Promise<void>) => onTree(open, name, run);

	test("makes files with the owner and mode that were asked for", (tree) => {
		const ino = tree.create(tree.root, "new", { mode: 0o6751, uid: 70_000, gid: 80_000 });
		const { type, mode, uid, gid, nlink, size, atime, mtime, ctime } = tree.getattr(ino);
		assert.deepEqual([type, mode, uid, gid, nlink, size], ["file", 0o6751, 70_000, 80_000, 1, 0]);
		assert.deepEqual([atime, mtime], [ctime, ctime]);
		assert.equal(tree.lookup(tree.root, "new"), ino);
		assertFails("EEXIST", () => tree.create(tree.root, "new", FILE));
		assertFails("EEXIST", () => tree.mkdir(tree.root, "small", FILE));
	});

	test("makes symlinks, devices, FIFOs and sockets", (tree) => {
		const symlink = tree.symlink(tree.root, "link", Buffer.from("../\xff", "latin1"), { ...FILE, mode: 0o777 });
		assert.equal(tree.readlink(symlink).toString("latin1"), "../\xff");
		assert.equal(tree.getattr(symlink).size, 4);
		for (const type of ["block", "character", "fifo", "socket"] as const) {
			const { major, minor, ...made } = tree.getattr(tree.mknod(tree.root, type, type, 259, 1_000_000, FILE));
			assert.equal(made.type, type);
			assert.equal(made.uid, FILE.uid);
			assert.deepEqual([major, minor], type === "block" || type === "character" ? [259, 1_000_000] : [0, 0]);
		}
		assertFails("EINVAL", () => tree.write(tree.lookup(tree.root, "fifo"), 0, Buffer.from("x")));
	});

	test("keeps what is written, over the borders of blocks, with holes that read as zeros", (tree) => {
		const ino = tree.create(tree.root, "sparse", FILE);
		const expected = Buffer.alloc(300_005);
		for (const [offset, length] of [
			[100_000, 5000],
			[4095, 2],
			[0, 4096],
			[299_999, 6],
			[8192, 8192],
		] as const) {
			const data = pattern(length, offset);
			tree.write(ino, offset, data);
			data.copy(expected, offset);
		}
		assert.ok(contentOf(tree, ino).equals(expected));
		assert.ok(tree.getattr(ino).used < 100_000);
		tree.write(ino, 2 ** 33, Buffer.from("far"));
		assert.equal(tree.getattr(ino).size, 2 ** 33 + 3);
		const far = Buffer.alloc(8);
		assert.equal(tree.read(ino, 2 ** 33 - 2, far), 5);
		assert.equal(far.toString("latin1", 0, 5), "\0\0far");
	});

	test("changes parts of a file that was there, and nothing else of it", (tree) => {
		const ino = find(tree, "uneven");
		const expected = Buffer.concat([contentOf(tree, ino), Buffer.from("!")]);
		tree.write(ino, expected.length - 1, Buffer.from("!"));
		for (const [offset, length] of [
			[0, 1],
			[5000, 100],
			[8191, 2],
			[12_288, 4096],
		] as const) {
			const data = pattern(length, offset + 9);
			tree.write(ino, offset, data);
			data.copy(expected, offset);
		}
		assert.ok(contentOf(tree, ino).equals(expected));
	});

	test("cuts a file and does not bring back what was cut", (tree) => {
		for (const path of ["uneven", "blocks", "small"]) {
			const ino = find(tree, path);
			const before = contentOf(tree, ino);
			for (const size of [before.length - 1, 4097, 3, 0]) {
				if (size > tree.getattr(ino).size) continue;
				tree.setattr(ino, { size });
				tree.setattr(ino, { size: before.length + 5000 });
				const expected = Buffer.alloc(before.length + 5000);
				before.copy(expected, 0, 0, size);
				assert.ok(contentOf(tree, ino).equals(expected), `${path} cut to ${size}`);
				tree.setattr(ino, { size });
			}
		}
	});

	test("cuts what was just written", (tree) => {
		const ino = tree.create(tree.root, "cut", FILE);
		tree.write(ino, 0, pattern(10_000));
		tree.setattr(ino, { size: 5000 });
		tree.write(ino, 9000, Buffer.from("z"));
		const expected = Buffer.alloc(9001);
		pattern(10_000).copy(expected, 0, 0, 5000);
		expected.write("z", 9000);
		assert.ok(contentOf(tree, ino).equals(expected));
	});

	test("refuses offsets and sizes that no file can have", (tree) => {
		const ino = find(tree, "small");
		for (const offset of [-1, 1.5, Number.NaN]) {
			assertFails("EINVAL", () => tree.write(ino, offset, Buffer.from("x")));
			assertFails("EINVAL", () => tree.setattr(ino, { size: offset }));
		}
		assertFails("EFBIG", () => tree.write(ino, 2 ** 50, Buffer.from("x")));
		assertFails("EFBIG", () => tree.setattr(ino, { size: 2 ** 50 }));
		assertFails("EISDIR", () => tree.write(tree.root, 0, Buffer.from("x")));
		assertFails("EISDIR", () => tree.setattr(tree.root, { size: 0 }));
		assertFails("EINVAL", () => tree.setattr(find(tree, "symlink"), { size: 0 }));
		assert.equal(contentOf(tree, ino).toString(), "hello\n");
	});

	test("sets each attribute and leaves the others", (tree) => {
		const ino = find(tree, "uneven");
		tree.setattr(ino, { mode: 0o4711 });
		tree.setattr(ino, { uid: 5, gid: 6, mode: 0o4711 });
		const mtime = { sec: -5, nsec: 7 };
		tree.setattr(ino, { mtime, atime: { sec: 2 ** 33, nsec: 999_999_999 } });
		const after = tree.getattr(ino);
		assert.deepEqual([after.mode, after.uid, after.gid], [0o4711, 5, 6]);
		assert.deepEqual([after.mtime, after.atime], [mtime, { sec: 2 ** 33, nsec: 999_999_999 }]);
		tree.setattr(ino, { mtime: "now" });
		assert.ok(tree.getattr(ino).mtime.sec > 0);
		assert.equal(tree.getattr(ino).atime.sec, 2 ** 33);
	});

	test("takes setuid and setgid away with a new owner, as Linux does", (tree) => {
		const ino = tree.create(tree.root, "set", { ...FILE, mode: 0o6755 });
		tree.setattr(ino, { uid: 1 });
		assert.equal(tree.getattr(ino).mode, 0o755);
		tree.setattr(ino, { mode: 0o6645 });
		tree.setattr(ino, { gid: 1 });
		assert.equal(tree.getattr(ino).mode, 0o2645, "setgid without group execution is no setgid");
		const directory = tree.mkdir(tree.root, "setgid", { ...FILE, mode: 0o2755 });
		tree.setattr(directory, { gid: 9 });
		assert.equal(tree.getattr(directory).mode, 0o2755);
	});

	test("gives every change a later ctime, and mtime to changes of content", (tree) => {
		const ino = find(tree, "small");
		let last: FileTime = { sec: 0, nsec: 0 };
		const changes: [() => void, boolean][] = [
			[() => tree.write(ino, 0, Buffer.from("j")), true],
			[() => tree.write(ino, 0, Buffer.from("j")), true],
			[() => tree.setattr(ino, { mode: 0o644 }), false],
			[() => tree.setattr(ino, { size: 3 }), true],
			[() => tree.link(ino, tree.root, "again"), false],
			[() => tree.rename(tree.root, "again", tree.root, "other"), false],
			[() => tree.remove(tree.root, "other"), false],
		];
		for (const [change, isContent] of changes) {
			const before = tree.getattr(ino);
			change();
			const { ctime, mtime } = tree.getattr(ino);
			assert.ok(compareTimes(ctime, last) > 0);
			assert.equal(compareTimes(mtime, before.mtime) !== 0, isContent);
			last = ctime;
		}
	});

	test("changes the times of directories with their entries", (tree) => {
		let last: FileTime = { sec: 0, nsec: 0 };
		const check = (change: () => void) => {
			change();
			const { mtime, ctime } = tree.getattr(tree.root);
			assert.deepEqual(mtime, ctime);
			assert.ok(compareTimes(mtime, last) > 0);
			last = mtime;
		};
		check(() => tree.create(tree.root, "a", FILE));
		check(() => tree.mkdir(tree.root, "b", FILE));
		check(() => tree.rename(tree.root, "a", find(tree, "b"), "a"));
		check(() => tree.rename(find(tree, "b"), "a", tree.root, "c"));
		check(() => tree.link(find(tree, "c"), tree.root, "d"));
		check(() => tree.remove(tree.root, "c"));
		check(() => tree.rmdir(tree.root, "b"));
	});

	test("does not touch what an empty write is for", (tree) => {
		const ino = find(tree, "small");
		const before = tree.getattr(ino);
		tree.write(ino, 100, Buffer.alloc(0));
		assert.deepEqual(tree.getattr(ino), before);
	});

	test("says ESTALE for a file whose last name is gone, whatever is asked", async (tree) => {
		for (const path of ["small", "symlink", "vacant"]) {
			const ino = find(tree, path);
			if (path === "vacant") tree.rmdir(tree.root, path);
			else tree.remove(tree.root, path);
			assertFails("ESTALE", () => tree.getattr(ino));
			assertFails("ESTALE", () => tree.setattr(ino, { mode: 0 }));
			assertFails("ESTALE", () => tree.write(ino, 0, Buffer.from("x")));
			assertFails("ESTALE", () => tree.link(ino, tree.root, "back"));
			assertFails("ESTALE", () => tree.create(ino, "x", FILE));
			assertFails("ESTALE", () => tree.readdir(ino, 0, () => true));
			await assert.rejects(tree.commit(ino), { code: "ESTALE" });
		}
	});

	test("never gives an inode number twice", (tree) => {
		const seen = new Set<number>();
		for (let round = 0; round < 50; round++) {
			const ino = tree.create(tree.root, "again", FILE);
			assert.ok(!seen.has(ino) && ino < 2 ** 31);
			seen.add(ino);
			tree.remove(tree.root, "again");
		}
	});

	test("commits", async (tree) => {
		const ino = tree.create(tree.root, "durable", FILE);
		tree.write(ino, 0, pattern(100_000));
		await Promise.all([tree.commit(ino), tree.commit(ino), tree.commit(tree.root)]);
		assert.ok(contentOf(tree, ino).equals(pattern(100_000)));
	});
}
