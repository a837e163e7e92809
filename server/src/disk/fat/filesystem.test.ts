import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FileError } from "../../base/index.ts";
import { FileSource } from "../block/file.ts";
import { MemorySource } from "../block/memory.ts";
import type { FatImageOptions } from "../testdata/index.ts";
import {
	assertSameTree,
	contentOf,
	copyIntoFat,
	entriesOf,
	FAT_SERIAL,
	find,
	makeFatImage,
	patternBytes,
	runTool,
} from "../testdata/index.ts";
import { FatFileSystem } from "./filesystem.ts";

const dir = mkdtempSync(join(tmpdir(), "disk-fat-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const source = join(dir, "source");
makeSource(source);

/** What a boot partition has, and what readers of FAT get wrong. */
function makeSource(root: string): void {
	mkdirSync(join(root, "overlays", "deep", "deeper"), { recursive: true });
	mkdirSync(join(root, "EMPTY"));
	for (const size of [0, 1, 511, 512, 513, 5000, 100_000]) {
		writeFileSync(join(root, `size-${size}.bin`), patternBytes(size, size + 1));
	}
	for (const name of ["KERNEL8.IMG", "cmdline.txt", "Config.txt", "lower.TXT", "UPPER.txt", "noext", "a.b.c"]) {
		writeFileSync(join(root, name), name);
	}
	writeFileSync(join(root, "bcm2711-rpi-4-b.dtb"), "dtb");
	writeFileSync(join(root, "overlays", "Straße-日本語-€.dtbo"), "unicode");
	writeFileSync(join(root, "overlays", `${"n".repeat(251)}.txt`), "255");
	writeFileSync(join(root, "overlays", "exactly13char"), "13");
	writeFileSync(join(root, "overlays", "exactly-26-characters-long"), "26");
	for (let number = 0; number < 200; number++) {
		writeFileSync(join(root, "overlays", "deep", `an overlay with number ${number}.dtbo`), String(number));
	}
	writeFileSync(join(root, "overlays", "deep", "deeper", "x"), "x");
	utimesSync(join(root, "cmdline.txt"), 1_000_000_000, 1_000_000_000);
}

function open(image: string): FatFileSystem {
	return FatFileSystem.open(FileSource.open(image), { fsid: 3 });
}

const VARIANTS: readonly (FatImageOptions & { bits: 12 | 16 | 32 })[] = [
	{ bits: 12, sizeKiB: 4096 },
	{ bits: 12, sizeKiB: 4096, sectorsPerCluster: 8 },
	{ bits: 16, sizeKiB: 16_384 },
	{ bits: 16, sizeKiB: 16_384, sectorsPerCluster: 1, extra: ["-S", "2048"] },
	{ bits: 32, sizeKiB: 65_536 },
	{ bits: 32, sizeKiB: 300_000, sectorsPerCluster: 8 },
	{ bits: 32, sizeKiB: 300_000, sectorsPerCluster: 1, extra: ["-S", "4096"] },
];

for (const variant of VARIANTS) {
	const { bits, sizeKiB, sectorsPerCluster, extra } = variant;
	test(`FAT${bits}, ${sizeKiB} KiB, ${sectorsPerCluster ?? "default"} ${extra ?? ""}: the tree equals its source`, () => {
		const tree = open(makeFatImage(dir, { ...variant, sourceDir: source }));
		assertSameTree(tree, source, { plain: true });
		assert.equal(tree.variant, bits);
		assert.equal(tree.serial, FAT_SERIAL);
		assert.equal(tree.label, "BOOTFS");
	});
}

test("names are found whatever their case, by their 8.3 alias too, and are kept as they are", () => {
	const tree = open(makeFatImage(dir, { sizeKiB: 4096, sourceDir: source }));
	for (const name of ["config.txt", "CONFIG.TXT", "cOnFiG.tXt", "config.txt."]) {
		assert.equal(find(tree, name), find(tree, "Config.txt"), name);
	}
	assert.equal(find(tree, "BCM271~1.DTB"), find(tree, "bcm2711-rpi-4-b.dtb"));
	assert.equal(find(tree, "overlays/STRAßE-日本語-€.DTBO"), find(tree, "overlays/Straße-日本語-€.dtbo"));
	assert.throws(() => find(tree, "overlays/STRASSE-日本語-€.dtbo"), { code: "ENOENT" });
	assert.throws(() => tree.lookup(1, "n".repeat(256)), { code: "ENAMETOOLONG" });
});

test("attributes are those of a vfat that root mounted", () => {
	const image = makeFatImage(dir, { sizeKiB: 4096, sourceDir: source });
	runTool("mattrib", ["-i", image, "+r", "::cmdline.txt"]);
	const tree = open(image);
	const root = tree.getattr(tree.root);
	assert.deepEqual([root.type, root.mode, root.nlink, root.ino, root.fsid], ["directory", 0o755, 4, 1, 3]);
	const file = tree.getattr(find(tree, "size-513.bin"));
	assert.deepEqual([file.type, file.mode, file.nlink, file.uid, file.gid], ["file", 0o755, 1, 0, 0]);
	assert.equal(file.used % 512, 0);
	assert.ok(file.used >= 513);
	const overlays = tree.getattr(find(tree, "overlays"));
	assert.equal(overlays.nlink, 3);
	const readOnly = tree.getattr(find(tree, "cmdline.txt"));
	assert.equal(readOnly.mode, 0o555);
	assert.deepEqual(readOnly.mtime, { sec: 1_000_000_000, nsec: 0 });
	assert.ok([file, overlays, readOnly].every(({ ino }) => ino > 1 && ino < 2 ** 30));
});

test("wrong questions get their POSIX answers", () => {
	const tree = open(makeFatImage(dir, { sizeKiB: 4096, sourceDir: source }));
	const code = (run: () => unknown) => {
		try {
			run();
		} catch (error) {
			if (error instanceof FileError) return error.code;
			throw error;
		}
		return "none";
	};
	const file = find(tree, "cmdline.txt");
	assert.equal(
		code(() => tree.lookup(file, "x")),
		"ENOTDIR",
	);
	assert.equal(
		code(() => tree.readlink(file)),
		"EINVAL",
	);
	assert.equal(
		code(() => tree.read(tree.root, 0, Buffer.alloc(1))),
		"EISDIR",
	);
	assert.equal(
		code(() => tree.read(file, -1, Buffer.alloc(1))),
		"EINVAL",
	);
	for (const ino of [0, 2, 5.5, -1, 2 ** 29, Number.NaN])
		assert.equal(
			code(() => tree.getattr(ino)),
			"ESTALE",
		);
});

test("an inode number leads to its file in a reader that has seen nothing yet", () => {
	const image = makeFatImage(dir, { sizeKiB: 65_536, bits: 32, sourceDir: source });
	const ino = find(open(image), "overlays/deep/deeper/x");
	const parent = find(open(image), "overlays/deep/deeper");
	assert.equal(contentOf(open(image), ino).toString(), "x");
	assert.equal(open(image).parent(parent), find(open(image), "overlays/deep"));
	assert.equal(open(image).parent(find(open(image), "overlays")), 1);
});

test("deleted files are gone, and what was written in their place is there", () => {
	const image = makeFatImage(dir, { sizeKiB: 4096, sourceDir: source });
	runTool("mdel", ["-i", image, "::a.b.c", "::bcm2711-rpi-4-b.dtb"]);
	const tree = open(image);
	assert.throws(() => find(tree, "bcm2711-rpi-4-b.dtb"), { code: "ENOENT" });
	const more = join(dir, "more");
	mkdirSync(more, { recursive: true });
	writeFileSync(join(more, "a new file with a long name"), "new");
	copyIntoFat(image, more);
	assert.equal(contentOf(open(image), find(open(image), "a new file with a long name")).toString(), "new");
});

test("a file in pieces", () => {
	const image = makeFatImage(dir, { sizeKiB: 1024, bits: 12, sectorsPerCluster: 1 });
	const pieces = join(dir, "pieces");
	mkdirSync(pieces, { recursive: true });
	for (let number = 0; number < 40; number++) writeFileSync(join(pieces, `f${number}`), patternBytes(4000, number));
	copyIntoFat(image, pieces);
	runTool("mdel", ["-i", image, ...Array.from({ length: 20 }, (_, number) => `::f${number * 2}`)]);
	const big = patternBytes(700_000, 99);
	writeFileSync(join(dir, "big"), big);
	runTool("mcopy", ["-i", image, join(dir, "big"), "::big"]);
	const tree = open(image);
	assert.ok(contentOf(tree, find(tree, "big")).equals(big));
	const part = Buffer.alloc(100_000);
	assert.equal(tree.read(find(tree, "big"), 650_001, part), 49_999);
	assert.ok(part.subarray(0, 49_999).equals(big.subarray(650_001)));
});

test("a long name that does not belong to its entry is not believed", () => {
	const image = makeFatImage(dir, { sizeKiB: 4096, sourceDir: source });
	const bytes = readFileSync(image);
	const at = bytes.indexOf("BCM271~1DTB", 0, "latin1");
	assert.ok(at > 0);
	bytes.write("OTHER   DTB", at, "latin1");
	const tree = FatFileSystem.open(new MemorySource(bytes), { fsid: 1 });
	assert.ok(entriesOf(tree, 1).some(({ name }) => name === "OTHER.DTB"));
	assert.throws(() => find(tree, "bcm2711-rpi-4-b.dtb"), { code: "ENOENT" });
});

test("a name that begins with the byte of deleted entries is kept in disguise", () => {
	const bytes = readFileSync(makeFatImage(dir, { sizeKiB: 4096, sourceDir: source }));
	const at = bytes.indexOf("KERNEL8 IMG", 0, "latin1");
	bytes.writeUInt8(0x05, at);
	const tree = FatFileSystem.open(new MemorySource(bytes), { fsid: 1 });
	assert.equal(contentOf(tree, find(tree, "σERNEL8.IMG")).toString(), "KERNEL8.IMG");
});

test("free space is what mdir says, with and without FSInfo", () => {
	const image = makeFatImage(dir, { sizeKiB: 65_536, bits: 32, sourceDir: source });
	const listing = runTool("mdir", ["-i", image, "::"]).toString();
	const free = Number(/([\d ]+) bytes free/.exec(listing)?.[1]?.replaceAll(" ", ""));
	assert.equal(open(image).statfs().freeBytes, free);
	const bytes = readFileSync(image);
	bytes.writeUInt32LE(0xffffffff, 512 + 488);
	assert.equal(FatFileSystem.open(new MemorySource(bytes), { fsid: 1 }).statfs().freeBytes, free);
});

test("a chain of clusters that goes round, or stops early, is named", () => {
	const bytes = readFileSync(makeFatImage(dir, { sizeKiB: 16_384, bits: 16, sectorsPerCluster: 1, sourceDir: source }));
	const fat = bytes.readUInt16LE(14) * 512;
	const entry = bytes.indexOf("OVERLAYS", 0, "latin1");
	const deep = bytes.readUInt16LE(entry + 26);
	const tree = () => FatFileSystem.open(new MemorySource(bytes), { fsid: 1 });
	const saved = bytes.readUInt16LE(fat + deep * 2);
	bytes.writeUInt16LE(deep, fat + deep * 2);
	assert.throws(() => entriesOf(tree(), find(tree(), "overlays")), { code: "malformed-fat" });
	bytes.writeUInt16LE(saved, fat + deep * 2);
	const file = bytes.readUInt16LE(bytes.indexOf("SIZE-1~", 0, "latin1") + 26);
	assert.ok(file > 0);
	const large = find(tree(), "size-100000.bin");
	const first = bytes.readUInt16LE(large * 32 + 26);
	bytes.writeUInt16LE(0xffff, fat + first * 2);
	assert.throws(() => contentOf(tree(), large), { code: "malformed-fat", message: /chain has 1 clusters/ });
});
