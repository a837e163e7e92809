import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { BlockFault } from "../../../base/index.ts";
import { FileSource } from "../../block/file.ts";
import { MemorySource } from "../../block/memory.ts";
import {
	askDebugfs,
	assertSameTree,
	contentOf,
	find,
	makeExtImage,
	makeSourceTree,
	patternBytes,
	replayOnDisk,
	writeWithDebugfs,
} from "../../testdata/index.ts";
import { ExtFileSystem } from "../filesystem.ts";

const dir = mkdtempSync(join(tmpdir(), "disk-journal-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const BLOCK = 4096;
const source = join(dir, "source");
makeSourceTree(source, { huge: false });
const empty = join(dir, "empty");
mkdirSync(empty);

function open(image: string): ExtFileSystem {
	return ExtFileSystem.open(FileSource.open(image), { fsid: 1 });
}

/** Numbers of the blocks in which two images differ. */
function changedBlocks(before: string, behind: string): number[] {
	const [a, b] = [readFileSync(before), readFileSync(behind)];
	const numbers = Array.from({ length: a.length / BLOCK }, (_, number) => number);
	return numbers.filter((number) => {
		const at = number * BLOCK;
		return a.compare(b, at, at + BLOCK, at, at + BLOCK) !== 0;
	});
}

function blocksOf(image: string, numbers: readonly number[]): Buffer {
	const bytes = readFileSync(image);
	return Buffer.concat(numbers.map((number) => bytes.subarray(number * BLOCK, (number + 1) * BLOCK)));
}

/** debugfs takes no more than 8,191 bytes a line, so a long list is several transactions. */
function journalCommands(numbers: readonly number[], content: Buffer): string[] {
	const commands: string[] = [];
	for (let at = 0; at < numbers.length; at += 300) {
		const part = join(dir, `transaction-${at}`);
		writeFileSync(part, content.subarray(at * BLOCK, (at + 300) * BLOCK));
		commands.push(`jw -b ${numbers.slice(at, at + 300).join(",")} ${part}`);
	}
	return commands;
}

const VARIANTS = [
	{ name: "no checksums", features: "^metadata_csum", open: "jo" },
	{ name: "no checksums, 32 bits", features: "^metadata_csum,^64bit", open: "jo" },
	{ name: "checksums v2", features: "64bit", open: "jo -c -v 2" },
	{ name: "checksums v2, 32 bits", features: "^64bit", open: "jo -c -v 2" },
	{ name: "checksums v3", features: "64bit", open: "jo -c -v 3" },
	{ name: "checksums v3, 32 bits", features: "^64bit", open: "jo -c -v 3" },
];

for (const variant of VARIANTS) {
	test(`${variant.name}: a tree that is only in the journal yet`, () => {
		// The journal of an empty image gets all blocks in which a copy with files differs from it.
		const { features } = variant;
		const before = makeExtImage(dir, { size: "64M", features, blockSize: BLOCK, name: "before.img" });
		const behind = join(dir, "behind.img");
		copyFileSync(before, behind);
		writeWithDebugfs(behind, copyCommands());
		const numbers = changedBlocks(before, behind);
		assert.ok(numbers.length > 700);
		writeWithDebugfs(before, [variant.open, ...journalCommands(numbers, blocksOf(behind, numbers)), "jc"]);

		const tree = open(before);
		assert.match(tree.findings.join(), /journal/);
		assert.deepEqual(contentOf(tree, find(tree, "large")), readFileSync(join(source, "large")));
		assert.deepEqual(contentOf(tree, find(tree, "dir/small")), readFileSync(join(source, "size-1025")));
		assert.equal(open(behind).findings.length, 0);

		replayOnDisk(before);
		assert.deepEqual(open(before).findings, []);
		assert.deepEqual(contentOf(open(before), find(tree, "large")), contentOf(tree, find(tree, "large")));
	});
}

function copyCommands(): string[] {
	return [`write ${join(source, "large")} large`, "mkdir dir", `write ${join(source, "size-1025")} dir/small`];
}

/** An image with one file of 8 blocks, and the numbers of those. */
function imageWithFile(): { image: string; blocks: number[] } {
	const content = join(dir, "content");
	writeFileSync(content, patternBytes(8 * BLOCK, 5));
	const image = makeExtImage(dir, { size: "32M", blockSize: BLOCK, commands: [`write ${content} file`] });
	const blocks = askDebugfs(image, "blocks file").trim().split(/\s+/).map(Number);
	assert.equal(blocks.length, 8);
	return { image, blocks };
}

function payload(name: string, ...blocks: Buffer[]): string {
	const path = join(dir, name);
	writeFileSync(path, Buffer.concat(blocks));
	return path;
}

test("newer transactions win, revoked blocks keep what is on the disk, escaped blocks get their magic back", () => {
	const { image, blocks } = imageWithFile();
	const magic = Buffer.concat([Buffer.from("c03b3998", "hex"), patternBytes(BLOCK - 4, 9)]);
	const first = payload("first", ...[11, 12, 13, 14].map((seed) => patternBytes(BLOCK, seed)));
	const second = payload("second", patternBytes(BLOCK, 21), magic);
	const third = payload("third", patternBytes(BLOCK, 31));
	writeWithDebugfs(image, [
		"jo -c",
		`jw -b ${blocks.slice(0, 4).join(",")} ${first}`,
		`jw -b ${blocks[0]},${blocks[4]} ${second}`,
		`jw -r ${blocks[1]},${blocks[2]}`,
		`jw -b ${blocks[2]} ${third}`,
		`jw -c -b ${blocks[5]} ${third}`,
		"jc",
	]);
	const tree = open(image);
	const got = contentOf(tree, find(tree, "file"));
	const original = patternBytes(8 * BLOCK, 5);
	const expected = Buffer.concat([
		patternBytes(BLOCK, 21),
		original.subarray(BLOCK, 2 * BLOCK),
		patternBytes(BLOCK, 31),
		patternBytes(BLOCK, 14),
		magic,
		original.subarray(5 * BLOCK),
	]);
	assert.ok(got.equals(expected));
	const odd = Buffer.alloc(3 * BLOCK);
	tree.read(find(tree, "file"), 3 * BLOCK + 4095, odd);
	assert.ok(odd.equals(expected.subarray(3 * BLOCK + 4095, 6 * BLOCK + 4095)));
	for (const at of [0, 1, 2, 3, 4]) {
		const part = Buffer.alloc(3);
		tree.read(find(tree, "file"), 4 * BLOCK + at, part);
		assert.ok(part.equals(magic.subarray(at, at + 3)));
	}
	replayOnDisk(image);
	assert.ok(contentOf(open(image), find(tree, "file")).equals(expected));
});

test("a block whose checksum in the journal is wrong is named", () => {
	const { image, blocks } = imageWithFile();
	writeWithDebugfs(image, ["jo -c", `jw -b ${blocks[0]} ${payload("x", patternBytes(BLOCK, 77))}`, "jc"]);
	const bytes = readFileSync(image);
	const at = bytes.indexOf(patternBytes(BLOCK, 77));
	assert.ok(at > 0);
	bytes.writeUInt8(bytes.readUInt8(at + 100) ^ 1, at + 100);
	assert.throws(() => ExtFileSystem.open(new MemorySource(bytes), { fsid: 1 }), {
		code: "malformed-ext4",
		message: new RegExp(`checksum of block ${blocks[0]} is wrong`),
	});
});

test("a journal on another device is named", () => {
	const { image, blocks } = imageWithFile();
	writeWithDebugfs(image, ["jo", `jw -b ${blocks[0]} ${payload("y", patternBytes(BLOCK, 1))}`, "jc"]);
	writeWithDebugfs(image, ["ssv journal_inum 0"]);
	assert.throws(() => open(image), { code: "unsupported-ext4", message: /another device/ });
});

test("fast commits behind the log are named, those of an older transaction are not", () => {
	const content = payload("fast", patternBytes(BLOCK, 3));
	// A log of fewer than 1,024 blocks would leave none for fast commits.
	const extra = ["-J", "size=16"];
	const image = makeExtImage(dir, { size: "64M", blockSize: BLOCK, features: "fast_commit,^metadata_csum", extra });
	writeWithDebugfs(image, ["jo", `jw -b 9000 ${content}`, "jc"]);
	const bytes = readFileSync(image);
	const start = bytes.indexOf(Buffer.from("c03b3998", "hex"));
	// The kernel sets JBD2_FEATURE_INCOMPAT_FAST_COMMIT with the first one that it writes.
	bytes.writeUInt32BE(bytes.readUInt32BE(start + 0x28) | 0x20, start + 0x28);
	const reserved = bytes.readUInt32BE(start + 0x54) || 256;
	const first = bytes.readUInt32BE(start + 0x10) - reserved;
	const at = Number(askDebugfs(image, `bmap <8> ${first}`)) * BLOCK;
	const open = () => ExtFileSystem.open(new MemorySource(bytes), { fsid: 1 }).findings.join("; ");
	assert.doesNotMatch(open(), /fast commits/);
	// struct ext4_fc_tl: fc_tag EXT4_FC_TAG_HEAD, fc_len; struct ext4_fc_head: fc_features, fc_tid.
	bytes.writeUInt16LE(9, at);
	bytes.writeUInt16LE(8, at + 2);
	const next = bytes.readUInt32BE(start + 0x18) + 1;
	bytes.writeUInt32LE(next - 1, at + 8);
	assert.doesNotMatch(open(), /fast commits/);
	bytes.writeUInt32LE(next, at + 8);
	assert.match(open(), /1 transactions .* fast commits, which are left out/);
});

test("bytes that come late change nothing", () => {
	const { image, blocks } = imageWithFile();
	writeWithDebugfs(image, ["jo -c", `jw -b ${blocks[0]} ${payload("z", patternBytes(BLOCK, 42))}`, "jc"]);
	const bytes = readFileSync(image);
	const memory = new MemorySource(bytes);
	const seen = new Set<number>();
	const late = {
		size: bytes.length,
		read(offset: number, target: Uint8Array) {
			const chunk = Math.floor(offset / BLOCK);
			if (!seen.has(chunk)) {
				seen.add(chunk);
				throw new BlockFault(Promise.resolve());
			}
			memory.read(offset, target);
		},
	};
	const again = <T>(run: () => T): T => {
		for (;;) {
			try {
				return run();
			} catch (error) {
				if (!(error instanceof BlockFault)) throw error;
			}
		}
	};
	const tree = again(() => ExtFileSystem.open(late, { fsid: 1 }));
	const ino = again(() => find(tree, "file"));
	const got = again(() => contentOf(tree, ino));
	assert.ok(got.subarray(0, BLOCK).equals(patternBytes(BLOCK, 42)));
});

test("a clean image of the whole source tree needs no replay", () => {
	const image = makeExtImage(dir, { size: "64M", sourceDir: source, type: "ext3" });
	assertSameTree(open(image), source, { ignore: ["lost+found"] });
	assertSameTree(open(makeExtImage(dir, { size: "16M", sourceDir: empty })), empty, { ignore: ["lost+found"] });
});
