/**
 * Each number of each structure, broken once: set to the values that hurt, while everything else is as it should be.
 * Whatever comes of it, reading ends within a bounded number of steps, and only with errors of ours. `test/fuzz` breaks
 * several at a time, at random.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { FileError, isNetbootError } from "../base/index.ts";
import type { BlockSource } from "./block/source.ts";
import { checkRange } from "./block/source.ts";
import { ExtFileSystem } from "./ext4/filesystem.ts";
import { FatFileSystem } from "./fat/filesystem.ts";
import { readPartitions } from "./partitions.ts";
import type { ReadableTree } from "./testdata/index.ts";
import {
	addHashedDirectory,
	askDebugfs,
	entriesOf,
	makeDiskImage,
	makeExtImage,
	makeFatImage,
	writeWithDebugfs,
} from "./testdata/index.ts";

const dir = mkdtempSync(join(tmpdir(), "disk-corrupt-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const source = join(dir, "source");
mkdirSync(join(source, "sub", "subsub"), { recursive: true });
for (let number = 0; number < 12; number++) {
	writeFileSync(join(source, "sub", `a long name, file number ${number}`), "x".repeat(90));
}
writeFileSync(join(source, "file"), Buffer.alloc(300_000, 7));
writeFileSync(join(source, "sparse"), "a");
truncateSync(join(source, "sparse"), 200_000);

const MAX_READS = 5000;

/** Counts what is read, so that a walk in circles ends here. */
function counted(bytes: Buffer, size = bytes.length): BlockSource {
	let reads = 0;
	return {
		size,
		read(offset, target) {
			if (++reads > MAX_READS) throw new Error(`more than ${MAX_READS} reads`);
			checkRange(offset, target.length, size);
			target.set(bytes.subarray(offset, offset + target.length));
		},
	};
}

function tolerate<T>(run: () => T): T | undefined {
	try {
		return run();
	} catch (error) {
		if (error instanceof FileError) return undefined;
		if (!isNetbootError(error) || !/^(malformed|unsupported)-/.test(error.code)) throw error;
		return undefined;
	}
}

const target = Buffer.alloc(70_000);

type Tree = ReadableTree & { xattrs?(ino: number): unknown; statfs(): unknown };

/** Asks everything of every file that can be reached; gives how many those are. */
function walk(tree: Tree): number {
	tolerate(() => tree.statfs());
	const seen = new Set<number>();
	const queue = [tree.root];
	for (let ino = queue.pop(); ino !== undefined && seen.size < 100; ino = queue.pop()) {
		if (seen.has(ino)) continue;
		seen.add(ino);
		const at = ino;
		const attributes = tolerate(() => tree.getattr(at));
		tolerate(() => tree.xattrs?.(at));
		if (attributes?.type === "symlink") tolerate(() => tree.readlink(at));
		if (attributes?.type === "file") tolerate(() => tree.read(at, 0, target));
		if (attributes?.type === "file") tolerate(() => tree.read(at, Math.max(0, attributes.size - 5000), target));
		if (attributes?.type !== "directory") continue;
		tolerate(() => tree.parent(at));
		for (const entry of tolerate(() => entriesOf(tree, at)) ?? []) queue.push(entry.ino);
	}
	return seen.size;
}

type Run = (source: BlockSource) => void;

const readExt: Run = (bytes) => {
	const tree = tolerate(() => ExtFileSystem.open(bytes, { fsid: 1 }));
	if (tree !== undefined) walk(tree);
};

const readFat: Run = (bytes) => {
	const tree = tolerate(() => FatFileSystem.open(bytes, { fsid: 1 }));
	if (tree !== undefined) walk(tree);
};

const readTable: Run = (bytes) => {
	for (const { start, size } of tolerate(() => readPartitions(bytes))?.partitions ?? []) {
		assert.ok(start >= 0 && size >= 0 && start + size <= bytes.size);
	}
};

/** What a number of so many bytes is set to, given what it was: 0, 1, all ones, one more and less, the sign. */
function breakages(width: number, had: number): number[] {
	const all = 2 ** (8 * width);
	const values = [0, 1, all - 1, (had + 1) % all, (had + all - 1) % all, all / 2];
	return [...new Set(values)].filter((value) => value !== had);
}

interface Breaking {
	/** Numbers of these bytes; 2 and 4 unless told. */
	readonly widths?: readonly number[];
	readonly bigEndian?: boolean;
}

const BYTES = { widths: [1, 2, 4] };

/** Breaks each number in [from, to) once. Gives how many runs it took. */
function breakEach(
	bytes: Buffer,
	from: number,
	to: number,
	run: Run,
	{ widths = [2, 4], bigEndian = false }: Breaking = {},
) {
	let runs = 0;
	for (const width of widths) {
		for (let at = from; at + width <= to; at += width) {
			const had = bigEndian ? bytes.readUIntBE(at, width) : bytes.readUIntLE(at, width);
			const write = (value: number) =>
				bigEndian ? bytes.writeUIntBE(value, at, width) : bytes.writeUIntLE(value, at, width);
			for (const value of breakages(width, had)) {
				write(value);
				runs++;
				attemptAt(() => run(counted(bytes)), `offset ${at}, ${width} bytes, value ${value}`);
			}
			write(had);
		}
	}
	return runs;
}

/** Says where it was when something fails that must not. */
function attemptAt(run: () => void, place: string): void {
	try {
		run();
	} catch (error) {
		throw new Error(`${place}: ${error instanceof Error ? error.message : error}`, { cause: error });
	}
}

/** Cuts the image at each boundary of a block, where something begins or ends. */
function truncateEach(bytes: Buffer, blockSize: number, run: Run): void {
	const step = Math.max(1, Math.floor(bytes.length / blockSize / 300));
	for (let block = 0; block * blockSize < bytes.length; block += block < 64 ? 1 : step) {
		for (const size of [block * blockSize, block * blockSize + 1, (block + 1) * blockSize - 1]) {
			attemptAt(() => run(counted(bytes, size)), `cut at ${size}`);
		}
	}
}

const BLOCK = 1024;

/** Byte of the image where debugfs says that something is. */
function blockOf(image: string, question: string, pattern: RegExp): number {
	const found = pattern.exec(askDebugfs(image, question))?.[1];
	assert.ok(found !== undefined, `${question}: ${askDebugfs(image, question)}`);
	return Number(found) * BLOCK;
}

function inodeAt(image: string, path: string): number {
	const found = /block (\d+), offset 0x([0-9a-f]+)/.exec(askDebugfs(image, `imap ${path}`));
	assert.ok(found !== null, path);
	return Number(found[1]) * BLOCK + Number.parseInt(found[2] ?? "", 16);
}

function read(image: string): Buffer {
	return readFileSync(image);
}

describe("an ext file system with one number broken", () => {
	const extra = ["-N", "64", "-m", "0"];
	const common = { size: "2M", sourceDir: source, blockSize: BLOCK, extra } as const;
	const commands = [`ea_set file user.a ${"v".repeat(300)}`, "symlink fast t", `symlink slow ${"t".repeat(100)}`];
	const ext2 = makeExtImage(dir, { ...common, type: "ext2", features: "^metadata_csum", commands, name: "ext2" });
	const ext4 = makeExtImage(dir, { ...common, features: "^metadata_csum,^has_journal", commands, name: "ext4" });
	const inline = makeExtImage(dir, {
		...common,
		features: "^metadata_csum,^has_journal,inline_data",
		commands,
		name: "inline",
	});

	it("the superblock and the group descriptors", () => {
		const bytes = read(ext4);
		assert.ok(breakEach(bytes, 1024, 1024 + 0x280, readExt) > 1500);
		breakEach(bytes, 2048, 2048 + 64, readExt);
	});

	const INODES = [
		[ext2, ["<2>", "file", "sparse"]],
		[ext4, ["sub", "sub/subsub", "file", "fast", "slow"]],
		[inline, ["<2>", "sub", "sub/subsub", "fast"]],
	] as const;

	it("inodes of every kind", () => {
		for (const [image, paths] of INODES) {
			const bytes = read(image);
			for (const path of paths) {
				const at = inodeAt(image, path);
				breakEach(bytes, at, at + 160, readExt);
			}
		}
	});

	it("directory blocks", () => {
		const bytes = read(ext4);
		const at = blockOf(ext4, "blocks sub", /(\d+)/);
		assert.ok(breakEach(bytes, at, at + 160, readExt, BYTES) > 1500);
	});

	it("extent nodes", () => {
		// Ten pieces need more than the four extents that an inode holds.
		writeWithDebugfs(
			ext4,
			[1, 4, 7, 10, 13, 16].map((block) => `punch file ${block} ${block}`),
		);
		assert.match(askDebugfs(ext4, "dump_extents file"), /1\/ 1/);
		const bytes = read(ext4);
		const at = blockOf(ext4, "ex file", /0\/ 1 +1\/ +\d+ +\d+ - +\d+ +(\d+)/);
		assert.equal(bytes.readUInt16LE(at), 0xf30a);
		breakEach(bytes, at, at + 96, readExt);
	});

	it("indirect blocks", () => {
		const bytes = read(ext2);
		const at = blockOf(ext2, "stat file", /\(IND\):(\d+)/);
		breakEach(bytes, at, at + 40, readExt);
		const double = blockOf(ext2, "stat file", /\(DIND\):(\d+)/);
		breakEach(bytes, double, double + 16, readExt);
	});

	it("a block of extended attributes", () => {
		const bytes = read(ext2);
		const at = blockOf(ext2, "stat file", /File ACL: (\d+)/);
		assert.equal(bytes.readUInt32LE(at), 0xea020000);
		breakEach(bytes, at, at + 64, readExt, BYTES);
	});

	it("the index of a hashed directory, with and without checksums", () => {
		for (const features of ["^metadata_csum,^has_journal", "^has_journal"]) {
			const image = makeExtImage(dir, { size: "2M", blockSize: BLOCK, extra, features, name: "hashed" });
			addHashedDirectory(
				image,
				dir,
				"many",
				Array.from({ length: 200 }, (_, number) => `entry-${number}`),
			);
			const bytes = read(image);
			const at = blockOf(image, "blocks many", /(\d+)/);
			breakEach(bytes, at, at + 64, readExt);
		}
	});

	for (const open of ["jo", "jo -c -v 2", "jo -c -v 3"]) {
		it(`a journal that was opened with "${open}"`, () => {
			const content = join(dir, "content");
			writeFileSync(content, Buffer.alloc(4096, 9));
			const image = makeExtImage(dir, {
				...common,
				size: "6M",
				features: "^metadata_csum",
				extra: [...extra, "-J", "size=1"],
				name: "journal",
			});
			writeWithDebugfs(image, [
				open,
				`jw -b 4000,4001,4002,4003 ${content}`,
				"jw -r 4001",
				`jw -b 4001 ${content}`,
				"jc",
			]);
			const bytes = read(image);
			const start = bytes.indexOf(Buffer.from("c03b3998", "hex"));
			const openOnly: Run = (part) => void tolerate(() => ExtFileSystem.open(part, { fsid: 1 }));
			breakEach(bytes, start, start + 256, openOnly, { bigEndian: true });
			// Descriptor, revoke and commit blocks.
			for (let block = 1; block < 12; block++) {
				const at = start + block * BLOCK;
				if (bytes.readUInt32BE(at) === 0xc03b3998) breakEach(bytes, at, at + 80, openOnly, { bigEndian: true });
			}
		});
	}

	it("or cut off anywhere", () => {
		truncateEach(read(ext4), BLOCK, readExt);
	});

	/** The whole image with a change of these 32-bit numbers. */
	const changed = (image: string, changes: readonly (readonly [at: number, value: number])[]) => {
		const bytes = read(image);
		for (const [at, value] of changes) bytes.writeUInt32LE(value, at);
		return counted(bytes);
	};

	it("or with a directory that holds itself and its parent", () => {
		const at = blockOf(ext4, "blocks sub/subsub", /(\d+)/);
		const inode = (path: string) => Number(/Inode: +(\d+)/.exec(askDebugfs(ext4, `stat ${path}`))?.[1]);
		for (const ino of [inode("sub/subsub"), inode("sub"), 2]) {
			const bytes = read(ext4);
			// `..` is the last entry of an empty directory: it gives up its room to a new one.
			bytes.writeUInt16LE(12, at + 12 + 4);
			bytes.writeUInt32LE(ino, at + 24);
			bytes.writeUInt16LE(BLOCK - 24, at + 24 + 4);
			bytes.write("\x04\x02loop", at + 24 + 6, "latin1");
			const tree = ExtFileSystem.open(counted(bytes), { fsid: 1 });
			assert.ok(walk(tree) > 15);
		}
	});

	it("or with a tree of extents that leads back into itself", () => {
		const node = blockOf(ext4, "ex file", /0\/ 1 +1\/ +\d+ +\d+ - +\d+ +(\d+)/);
		const bytes = read(ext4);
		bytes.writeUInt16LE(1, node + 6);
		bytes.writeUInt32LE(node / BLOCK, node + 12 + 4);
		const tree = ExtFileSystem.open(counted(bytes), { fsid: 1 });
		const file = tree.lookup(2, "file");
		assert.throws(() => tree.read(file, 0, target), { code: "malformed-ext4", message: /eh_depth/ });
	});

	it("or with indirect blocks that lead back to themselves", () => {
		for (const level of ["IND", "DIND"]) {
			const at = blockOf(ext2, "stat file", new RegExp(`\\(${level}\\):(\\d+)`));
			const numbers = Array.from({ length: 256 }, (_, index) => [at + 4 * index, at / BLOCK] as const);
			walk(ExtFileSystem.open(changed(ext2, numbers), { fsid: 1 }));
		}
	});
});

describe("a FAT file system with one number broken", () => {
	for (const bits of [12, 16, 32] as const) {
		const sizeKiB = { 12: 1024, 16: 6000, 32: 34_000 }[bits];
		const image = makeFatImage(dir, { sizeKiB, bits, sectorsPerCluster: 1, sourceDir: source, name: `fat${bits}` });

		it(`FAT${bits}: boot sector, FSInfo, table, entries and long names`, () => {
			const bytes = read(image);
			const reserved = bytes.readUInt16LE(14) * 512;
			const fatSize = (bytes.readUInt16LE(22) || bytes.readUInt32LE(36)) * 512;
			const root = reserved + 2 * fatSize;
			const run: Run = bits === 32 ? readTopOfFat : readFat;
			breakEach(bytes, 11, 90, run, BYTES);
			if (bits === 32) breakEach(bytes, 512 + 484, 1024, run);
			// The first entries are the chains of the root and of the first files.
			breakEach(bytes, reserved, reserved + 24, run, BYTES);
			breakEach(bytes, root, root + 160, run, BYTES);
			const sub = bytes.indexOf("..         ", root) - 32;
			assert.ok(sub > 0);
			breakEach(bytes, sub, sub + 160, run, BYTES);
		});
	}

	/** FAT32 has so large a table that counting its free clusters each time would take too long. */
	const readTopOfFat: Run = (bytes) => {
		const tree = tolerate(() => FatFileSystem.open(bytes, { fsid: 1 }));
		if (tree !== undefined) walk(treeWithoutCounts(tree));
	};

	it("or with chains and directories that come back to themselves", () => {
		const bytes = read(join(dir, "fat16"));
		const fatStart = bytes.readUInt16LE(14) * 512;
		const sub = bytes.indexOf("..         ", fatStart) - 32;
		const cluster = bytes.readUInt16LE(sub + 26);
		const tree = () => FatFileSystem.open(counted(bytes), { fsid: 1 });
		const whole = walk(tree());
		// A directory in it is the directory itself, then its parent.
		const inner = bytes.indexOf("SUBSUB     ", sub);
		for (const loop of [cluster, 0]) {
			bytes.writeUInt16LE(loop, inner + 26);
			assert.ok(walk(tree()) >= whole - 1);
		}
		bytes.writeUInt16LE(cluster, fatStart + 2 * cluster);
		const looping = tree();
		assert.throws(() => entriesOf(looping, looping.lookup(looping.root, "sub")), { code: "malformed-fat" });
	});

	it("or cut off anywhere", () => {
		truncateEach(read(join(dir, "fat12")), 512, readFat);
	});
});

/** The tree, but asked for no statistics. */
function treeWithoutCounts(tree: FatFileSystem): Tree {
	return {
		root: tree.root,
		getattr: (ino) => tree.getattr(ino),
		lookup: (directory, name) => tree.lookup(directory, name),
		parent: (directory) => tree.parent(directory),
		readlink: (ino) => tree.readlink(ino),
		read: (ino, offset, part) => tree.read(ino, offset, part),
		readdir: (directory, cookie, visit) => tree.readdir(directory, cookie, visit),
		statfs: () => undefined,
	};
}

describe("a partition table with one number broken", () => {
	const boot = makeFatImage(dir, { sizeKiB: 1024, name: "boot" });
	const root = makeExtImage(dir, { size: "1M", extra: ["-N", "16"], name: "root" });

	for (const table of ["mbr", "gpt"] as const) {
		it(`${table}: each of its fields, at both ends of the disk`, () => {
			const bytes = read(makeDiskImage(dir, { boot, root, table }));
			breakEach(bytes, 440, 512, readTable, BYTES);
			if (table === "mbr") return;
			breakEach(bytes, 512, 512 + 92, readTable);
			breakEach(bytes, 1024, 1024 + 256, readTable);
			bytes.fill(0, 512, 1024);
			breakEach(bytes, bytes.length - 512, bytes.length - 512 + 92, readTable);
			truncateEach(bytes, 512, readTable);
		});
	}
});
