/** Images with some of their metadata changed: whatever it says, reading ends, and only with errors of ours. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { FileError, isNetbootError } from "../base/index.ts";
import { MemorySource } from "./block/memory.ts";
import { ExtFileSystem } from "./ext4/filesystem.ts";
import { FatFileSystem } from "./fat/filesystem.ts";
import type { ReadableTree } from "./testdata/index.ts";
import { entriesOf, makeExtImage, makeFatImage, writeWithDebugfs } from "./testdata/index.ts";

const dir = mkdtempSync(join(tmpdir(), "disk-fuzz-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const source = join(dir, "source");
mkdirSync(join(source, "sub", "subsub"), { recursive: true });
for (let number = 0; number < 30; number++)
	writeFileSync(join(source, "sub", `a file with number ${number}`), "x".repeat(90));
writeFileSync(join(source, "file"), Buffer.alloc(60_000, 7));

/** Does something that may fail in the ways that it may fail. */
function tolerate<T>(run: () => T): T | undefined {
	try {
		return run();
	} catch (error) {
		if (!isNetbootError(error) && !(error instanceof FileError)) throw error;
		return undefined;
	}
}

/** Asks everything of a tree, of a bounded number of files: a broken one may contain itself. */
function walk(tree: ReadableTree, more?: (ino: number) => void): number {
	const queue = [tree.root];
	const seen = new Set<number>();
	const target = Buffer.alloc(70_000);
	for (let ino = queue.pop(); ino !== undefined && seen.size < 100; ino = queue.pop()) {
		if (seen.has(ino)) continue;
		seen.add(ino);
		const at = ino;
		const attributes = tolerate(() => tree.getattr(at));
		tolerate(() => tree.parent(at));
		tolerate(() => tree.readlink(at));
		tolerate(() => tree.read(at, 0, target));
		tolerate(() => tree.read(at, Math.max(0, (attributes?.size ?? 0) - 10), target));
		tolerate(() => more?.(at));
		for (const entry of tolerate(() => entriesOf(tree, at)) ?? []) {
			assert.ok(entry.cookie > 0 && entry.name.length > 0 && !entry.name.includes("/"));
			queue.push(entry.ino);
		}
	}
	return seen.size;
}

/** Blocks of an image that are not empty: changes elsewhere would not be noticed. */
function interesting(image: Buffer, blockSize: number): number[] {
	const zeros = Buffer.alloc(blockSize);
	const numbers = Array.from({ length: Math.floor(image.length / blockSize) }, (_, number) => number);
	return numbers.filter((number) => !image.subarray(number * blockSize, (number + 1) * blockSize).equals(zeros));
}

interface Change {
	readonly block: number;
	readonly offset: number;
	readonly value: number;
	readonly width: number;
}

const VALUES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** Overwrites 1, 2 or 4 bytes with a number that is likely to hurt, or with any. */
function changes(blocks: readonly number[], blockSize: number): fc.Arbitrary<Change[]> {
	const change = fc.record({
		block: fc.constantFrom(...blocks),
		offset: fc.nat(blockSize - 4).map((at) => at & ~1),
		value: fc.oneof(fc.constantFrom(...VALUES), fc.integer({ min: 0, max: 0xffffffff }), fc.nat(300)),
		width: fc.constantFrom(1, 2, 4),
	});
	return fc.array(change, { minLength: 1, maxLength: 6 });
}

function apply(image: Buffer, blockSize: number, list: readonly Change[]): Buffer {
	const bytes = Buffer.from(image);
	for (const { block, offset, value, width } of list) {
		bytes.writeUIntLE(width === 4 ? value : value % 2 ** (8 * width), block * blockSize + offset, width);
	}
	return bytes;
}

/** Without checksums a change reaches the parser; with them it must be noticed or harmless. */
const EXT_VARIANTS = [
	{ name: "ext2", type: "ext2", features: "^metadata_csum" },
	{ name: "extents", type: "ext4", features: "^metadata_csum,^has_journal" },
	{ name: "inline", type: "ext4", features: "^metadata_csum,^has_journal,inline_data,ea_inode" },
	{ name: "checksums", type: "ext4", features: "^has_journal" },
] as const;

for (const variant of EXT_VARIANTS) {
	test(`${variant.name}: a changed image gives errors of ours`, () => {
		const image = makeExtImage(dir, {
			size: "2M",
			sourceDir: source,
			blockSize: 1024,
			...variant,
			extra: ["-N", "64", "-m", "0"],
			commands: [`ea_set file user.name ${"v".repeat(300)}`, "symlink slow ".concat("t".repeat(100)), "symlink fast t"],
		});
		const bytes = readFileSync(image);
		const open = (content: Buffer) => ExtFileSystem.open(new MemorySource(content), { fsid: 1 });
		const whole = open(bytes);
		assert.ok(walk(whole, (ino) => whole.xattrs(ino)) >= 37);
		// The blocks of the file's own bytes are left alone.
		const blocks = interesting(bytes, 1024).filter((number) => bytes[number * 1024 + 500] !== 7);
		fc.assert(
			fc.property(changes(blocks, 1024), (list) => {
				const tree = tolerate(() => open(apply(bytes, 1024, list)));
				if (tree === undefined) return;
				tolerate(() => tree.statfs());
				walk(tree, (ino) => tree.xattrs(ino));
			}),
			{ numRuns: 400, seed: 1 },
		);
	});
}

test("journal: a changed log gives errors of ours", () => {
	const image = makeExtImage(dir, { size: "8M", sourceDir: source, blockSize: 1024, features: "^metadata_csum" });
	const content = join(dir, "content");
	writeFileSync(content, Buffer.alloc(4096, 9));
	writeWithDebugfs(image, ["jo", `jw -b 4000,4001,4002,4003 ${content}`, "jw -r 4001", `jw -b 4001 ${content}`, "jc"]);
	const bytes = readFileSync(image);
	const start = bytes.indexOf(Buffer.from("c03b3998", "hex"));
	assert.ok(start > 0 && start % 1024 === 0);
	const blocks = Array.from({ length: 12 }, (_, number) => start / 1024 + number);
	fc.assert(
		fc.property(changes(blocks, 1024), (list) => {
			tolerate(() => ExtFileSystem.open(new MemorySource(apply(bytes, 1024, list)), { fsid: 1 }));
		}),
		{ numRuns: 150, seed: 1 },
	);
});

for (const bits of [12, 16, 32] as const) {
	test(`FAT${bits}: a changed image gives errors of ours`, () => {
		const sizeKiB = { 12: 1024, 16: 4096, 32: 34_000 }[bits];
		const image = makeFatImage(dir, { sizeKiB, bits, sectorsPerCluster: 1, sourceDir: source });
		const whole = readFileSync(image);
		const open = (content: Buffer) => FatFileSystem.open(new MemorySource(content), { fsid: 1 });
		assert.ok(walk(open(whole)) >= 34);
		const blocks = interesting(whole, 512).filter((number) => whole[number * 512 + 100] !== 7);
		fc.assert(
			fc.property(changes(blocks, 512), (list) => {
				const tree = tolerate(() => open(apply(whole, 512, list)));
				if (tree === undefined) return;
				tolerate(() => tree.statfs());
				walk(tree);
			}),
			{ numRuns: bits === 32 ? 60 : 300, seed: 1 },
		);
	});
}
