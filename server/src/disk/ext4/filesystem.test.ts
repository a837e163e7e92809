import assert from "node:assert/strict";
import { closeSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FileError } from "../../base/index.ts";
import { FileSource } from "../block/file.ts";
import type { ExtImageOptions } from "../testdata/index.ts";
import {
	addHashedDirectory,
	askDebugfs,
	assertSameTree,
	checkExtImage,
	contentOf,
	EXT_UUID,
	entriesOf,
	find,
	makeExtImage,
	makeSourceTree,
	patternBytes,
} from "../testdata/index.ts";
import { ExtFileSystem } from "./filesystem.ts";

const dir = mkdtempSync(join(tmpdir(), "disk-ext4-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const source = join(dir, "source");
makeSourceTree(source);
// mke2fs with inline_data loses a hole at the end of a file.
const sourceWithoutTails = join(dir, "source-without-tails");
makeSourceTree(sourceWithoutTails, { holeAtEnd: false });

function open(image: string): ExtFileSystem {
	return ExtFileSystem.open(FileSource.open(image), { fsid: 7 });
}

const IGNORE = ["lost+found"];

const VARIANTS: readonly (Partial<ExtImageOptions> & { name: string })[] = [
	{ name: "ext2-1k", type: "ext2", blockSize: 1024 },
	{ name: "ext2-rev0-128", type: "ext2", blockSize: 4096, inodeSize: 128 },
	{ name: "ext3-2k", type: "ext3", blockSize: 2048 },
	{ name: "ext4-1k", blockSize: 1024 },
	{ name: "ext4-4k", blockSize: 4096 },
	{ name: "ext4-64k", blockSize: 65_536, size: "256M" },
	{ name: "raspios", features: "^64bit,^huge_file,^metadata_csum" },
	{ name: "meta-bg", blockSize: 1024, features: "meta_bg,^resize_inode,^flex_bg" },
	{ name: "gdt-csum", features: "^metadata_csum,uninit_bg" },
	{ name: "gdt-csum-32", features: "^metadata_csum,uninit_bg,^64bit" },
	{ name: "csum-seed", features: "metadata_csum_seed" },
	{ name: "inline-256", features: "inline_data" },
	{ name: "inline-1024", features: "inline_data", inodeSize: 1024 },
	{ name: "bigalloc", features: "bigalloc", extra: ["-C", "65536"] },
	{ name: "bigalloc-1k", features: "bigalloc", blockSize: 1024, extra: ["-C", "16384"] },
	{ name: "sparse-super2", features: "sparse_super2,^resize_inode" },
	{ name: "no-sparse-super", features: "^sparse_super,^resize_inode,meta_bg", blockSize: 1024 },
	{ name: "plain-names", features: "^filetype,^dir_index" },
	{ name: "large-dir-ea", features: "large_dir,ea_inode" },
];

for (const variant of VARIANTS) {
	test(`${variant.name}: the tree equals its source`, () => {
		const sourceDir = variant.features === "inline_data" ? sourceWithoutTails : source;
		const image = makeExtImage(dir, { size: "96M", sourceDir, ...variant });
		const tree = open(image);
		assertSameTree(tree, sourceDir, { ignore: IGNORE });
		assert.deepEqual(tree.findings, []);
		assert.equal(tree.uuid, EXT_UUID);
		assert.equal(tree.label, "rootfs");
		rmSync(image);
	});
}

test("attributes are those that debugfs shows", () => {
	const image = makeExtImage(dir, {
		size: "32M",
		commands: [
			"mknod null c 1 3",
			"mknod wide b 259 65535",
			"mknod pipe p",
			`write ${join(source, "size-1025")} file`,
			"sif file mode 0104755",
			"sif file uid 65537",
			"sif file gid 131172",
			"sif file generation 0x12345678",
			"sif file mtime @0x80000000",
			"sif file mtime_extra 0x0ee6b281",
			"sif file atime @0xffffffff",
			"sif file atime_extra 0",
		],
	});
	const tree = open(image);
	const file = tree.getattr(find(tree, "file"));
	assert.equal(file.mode, 0o4755);
	assert.equal(file.fsid, 7);
	assert.deepEqual([file.uid, file.gid], [65_537, 100 + 2 * 65_536]);
	assert.equal(tree.generation(file.ino), 0x12345678);
	assert.deepEqual(file.mtime, { sec: -0x80000000 + 0x1_0000_0000, nsec: 0x0ee6b281 >>> 2 });
	assert.deepEqual(file.atime, { sec: -1, nsec: 0 });
	assert.equal(file.used, 2048);
	const nodes = ["null", "wide", "pipe"].map((name) => tree.getattr(find(tree, name)));
	assert.deepEqual(
		nodes.map(({ type, major, minor }) => [type, major, minor]),
		[
			["character", 1, 3],
			["block", 259, 65_535],
			["fifo", 0, 0],
		],
	);
	assert.throws(() => tree.read(find(tree, "pipe"), 0, Buffer.alloc(1)), { code: "EINVAL" });
	assert.throws(() => tree.readdir(file.ino, 0, () => true), { code: "ENOTDIR" });
	assert.throws(() => tree.readlink(file.ino), { code: "EINVAL" });
});

test("wrong questions get their POSIX answers", () => {
	const tree = open(makeExtImage(dir, { size: "16M", commands: ["mkdir d"] }));
	const code = (run: () => unknown) => {
		try {
			run();
		} catch (error) {
			if (error instanceof FileError) return error.code;
			throw error;
		}
		return "none";
	};
	assert.equal(
		code(() => tree.lookup(2, "nothing")),
		"ENOENT",
	);
	assert.equal(
		code(() => tree.lookup(2, "n".repeat(256))),
		"ENAMETOOLONG",
	);
	assert.equal(
		code(() => tree.lookup(2, "..")),
		"ENOENT",
	);
	assert.equal(
		code(() => tree.read(2, 0, Buffer.alloc(1))),
		"EISDIR",
	);
	for (const ino of [0, 1, 8, 500, 2 ** 31, -1, 2.5, Number.NaN]) {
		assert.equal(
			code(() => tree.getattr(ino)),
			"ESTALE",
			String(ino),
		);
	}
	assert.equal(tree.parent(2), 2);
	assert.equal(tree.parent(find(tree, "d")), 2);
});

test("a directory of 20,000 entries, hashed, is listed from any cookie", () => {
	const names = Array.from({ length: 20_000 }, (_, number) => `entry-${number}`);
	const image = makeExtImage(dir, { size: "32M", blockSize: 1024 });
	addHashedDirectory(image, dir, "many", names);
	assert.match(askDebugfs(image, "stat many"), /Flags: 0x81000/);
	const tree = open(image);
	const many = find(tree, "many");
	const entries = entriesOf(tree, many);
	assert.deepEqual(entries.map(({ name }) => name).sort(), names.toSorted());
	assert.ok(entries.every(({ cookie }, at) => cookie < 2 ** 30 && cookie > (entries[at - 1]?.cookie ?? 0)));
	for (const { name, ino } of entries) assert.equal(tree.lookup(many, name), ino);
	assert.equal(tree.getattr(find(tree, "target")).nlink, 20_001);
	const start = entries[12_345]?.cookie ?? 0;
	const rest: string[] = [];
	const visit = ({ name }: { name: string }) => rest.push(name) < 100;
	assert.equal(tree.readdir(many, start, visit), false);
	const expected = entries.slice(12_346, 12_446).map(({ name }) => name);
	assert.deepEqual(rest, expected);
});

test("a directory with more links than fit its counter has 1", () => {
	const image = makeExtImage(dir, { size: "16M", commands: ["mkdir d", "sif d links_count 1"] });
	const tree = open(image);
	assert.equal(tree.getattr(find(tree, "d")).nlink, 1);
});

test("extended attributes, in the inode, in a block and in an inode of their own", () => {
	const value = patternBytes(200, 1).toString("hex");
	const large = patternBytes(3000, 3).toString("hex");
	const image = makeExtImage(dir, {
		size: "32M",
		features: "ea_inode",
		commands: [
			`write ${join(source, "size-1")} file`,
			"ea_set file user.small hello",
			`ea_set file security.big ${value}`,
			`ea_set file user.huge ${large}`,
		],
	});
	const xattrs = open(image).xattrs(find(open(image), "file"));
	assert.deepEqual([...xattrs.keys()].sort(), ["security.big", "user.huge", "user.small"]);
	assert.equal(xattrs.get("user.small")?.toString(), "hello");
	assert.equal(xattrs.get("security.big")?.toString(), value);
	assert.equal(xattrs.get("user.huge")?.toString(), large);
});

test("inline data reaches into the attribute area, and is no attribute itself", () => {
	const tree = open(
		makeExtImage(dir, { size: "32M", sourceDir: sourceWithoutTails, features: "inline_data", inodeSize: 512 }),
	);
	const ino = find(tree, "size-130");
	assert.equal(tree.getattr(ino).used, 0);
	assert.deepEqual(contentOf(tree, ino), patternBytes(130, 131));
	const part = Buffer.alloc(50);
	assert.equal(tree.read(ino, 100, part), 30);
	assert.deepEqual(part.subarray(0, 30), patternBytes(130, 131).subarray(100));
	assert.equal(tree.xattrs(ino).size, 0);
});

test("a tree of extents with three levels", () => {
	const image = makeExtImage(dir, { size: "96M", sourceDir: source, blockSize: 1024 });
	assert.match(askDebugfs(image, "dump_extents fragmented"), /2\/ 2/);
	const tree = open(image);
	const bytes = Buffer.alloc(20);
	assert.equal(tree.read(find(tree, "fragmented"), 8192 * 1234, bytes), 20);
	assert.equal(bytes.toString("latin1"), `data at ${8192 * 1234}`.padEnd(20, "\0"));
});

test("a block map of three levels, with data at each border and holes between", () => {
	// 12 direct blocks, 256 by one level, 65,536 by two, 16,777,216 by three.
	const borders = [12, 12 + 256, 12 + 256 + 65_536].map((block) => block * 1024);
	const end = (12 + 256 + 65_536 + 16_777_216) * 1024;
	const pieces = [...borders.map((border) => border - 1500), borders[2] ?? 0, end / 2, end - 400_000];
	const folder = join(dir, "three-levels");
	mkdirSync(folder);
	const file = openSync(join(folder, "file"), "w");
	for (const [seed, at] of pieces.entries()) writeSync(file, patternBytes(400_000, seed), 0, 400_000, at);
	closeSync(file);
	const image = makeExtImage(dir, { size: "8M", type: "ext2", blockSize: 1024, sourceDir: folder });
	assert.match(askDebugfs(image, "stat file"), /TIND/);
	const tree = open(image);
	const ino = find(tree, "file");
	assert.equal(tree.getattr(ino).size, end);
	const written = openSync(join(folder, "file"), "r");
	const expected = Buffer.alloc(500_000);
	const got = Buffer.alloc(500_000);
	for (const at of [0, ...pieces.map((piece) => piece - 50_000).filter((start) => start > 0), end - 100]) {
		const length = readSync(written, expected, 0, expected.length, at);
		assert.equal(tree.read(ino, at, got), length);
		assert.ok(got.subarray(0, length).equals(expected.subarray(0, length)), `at ${at}`);
	}
	closeSync(written);
	rmSync(folder, { recursive: true });
});

test("unwritten blocks read as zeros", () => {
	const image = makeExtImage(dir, {
		size: "32M",
		commands: [`write ${join(source, "size-1")} file`, "fallocate file 1 20", "sif file size 80000"],
	});
	assert.match(askDebugfs(image, "dump_extents file"), /Uninit/);
	const tree = open(image);
	const bytes = contentOf(tree, find(tree, "file"));
	assert.equal(bytes.length, 80_000);
	assert.deepEqual(bytes.subarray(0, 1), patternBytes(1, 2));
	assert.ok(bytes.subarray(1).every((byte) => byte === 0));
});

test("statfs counts what dumpe2fs counts", () => {
	const image = makeExtImage(dir, { size: "96M", sourceDir: source, blockSize: 4096 });
	const { freeBytes, totalInodes, freeInodes, availableBytes } = open(image).statfs();
	const stats = askDebugfs(image, "stats");
	const number = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(stats)?.[1]);
	assert.equal(freeBytes, number("Free blocks") * 4096);
	assert.equal(availableBytes, (number("Free blocks") - number("Reserved block count")) * 4096);
	assert.deepEqual([totalInodes, freeInodes], [number("Inode count"), number("Free inodes")]);
});

test("every build has an identity of its own", () => {
	const image = makeExtImage(dir, { size: "16M" });
	const first = open(image).superblockIdentity;
	assert.equal(open(image).superblockIdentity, first);
	makeExtImage(dir, { size: "16M", label: "other" });
	assert.notEqual(open(image).superblockIdentity, first);
});

test("an external journal is no file system", () => {
	const journal = makeExtImage(dir, { size: "16M", extra: ["-O", "journal_dev"] });
	assert.throws(() => open(journal), { code: "unsupported-ext4", message: /journal_dev/ });
});

test("encryption, casefold and verity are findings; an encrypted file is refused by name", () => {
	const image = makeExtImage(dir, {
		size: "16M",
		features: "encrypt,casefold,verity",
		commands: ["mkdir secret", "sif secret flags 0x80800"],
	});
	const tree = open(image);
	assert.equal(tree.findings.length, 3);
	assert.equal(tree.getattr(find(tree, "secret")).type, "directory");
	assert.throws(() => entriesOf(tree, find(tree, "secret")), { code: "unsupported-ext4", message: /encrypted/ });
});

test("an image that is cut off is a finding, and what is there can be read", () => {
	const image = makeExtImage(dir, { size: "32M", sourceDir: join(source, "a") });
	const whole = FileSource.open(image);
	const tree = ExtFileSystem.open(
		{ size: 31 * 1024 * 1024, read: (offset, target) => whole.read(offset, target) },
		{ fsid: 1 },
	);
	assert.match(tree.findings.join(), /cut off/);
	assert.deepEqual(contentOf(tree, find(tree, "b/c/d/deep")).toString(), "deep\n");
	checkExtImage(image);
});
