/** Maps of images that the real tools made: what they leave out is free for the tools too, and what they send is a disk in order. */
import assert from "node:assert/strict";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { MemorySource } from "../block/memory.ts";
import {
	askDebugfs,
	checkExtImage,
	type ExtImageOptions,
	makeDiskImage,
	makeExtImage,
	makeFatImage,
	patternBytes,
	runTool,
	writeWithDebugfs,
} from "../testdata/index.ts";
import { BLOCK, CHUNK, CHUNK_BLOCKS, FreeBlocks, findFreeSpace, planChunk } from "./index.ts";

const dir = mkdtempSync(join(tmpdir(), "blockmap-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const files = join(dir, "files");
mkdirSync(join(files, "folder"), { recursive: true });
for (const size of [0, 1, 5000, 70_000, 1_500_000]) {
	writeFileSync(join(files, `size-${size}`), patternBytes(size, size + 1));
	writeFileSync(join(files, "folder", `zeros-${size}`), Buffer.alloc(size));
}

const STALE = patternBytes(997, 12_345);

const space = (bytes: Buffer) => findFreeSpace(new MemorySource(bytes));

/** A map of the image, played back onto a disk full of something else. */
function writeTo(dirty: Buffer, image: Buffer): { sent: number; zeroed: number } {
	const { free } = space(image);
	let sent = 0;
	let zeroed = 0;
	for (let start = 0; start < image.length; start += CHUNK) {
		const plan = planChunk(image.subarray(start, start + CHUNK), start / CHUNK, free);
		let at = 0;
		for (const [first, count] of plan.data) {
			plan.payload.copy(dirty, start + first * BLOCK, at, at + count * BLOCK);
			at += count * BLOCK;
		}
		for (const [first, count] of plan.zero) {
			dirty.fill(0, start + first * BLOCK, start + (first + count) * BLOCK);
			zeroed += count * BLOCK;
		}
		assert.equal(at, plan.payload.length);
		sent += at;
	}
	return { sent, zeroed };
}

function writtenCopy(name: string, image: Buffer): { path: string; sent: number; zeroed: number } {
	const path = join(dir, name);
	const dirty = Buffer.alloc(image.length, STALE);
	const counts = writeTo(dirty, image);
	writeFileSync(path, dirty);
	return { path, ...counts };
}

/** What debugfs reads of each file. */
function contents(image: string): string[] {
	const names = ["size-1", "size-5000", "size-70000", "size-1500000", "folder/zeros-1500000"];
	return names.map((name) => runTool("debugfs", ["-R", `cat /${name}`, image]).toString("base64"));
}

/** Of 32 MiB: several of them in a small image. */
const SMALL_GROUPS = ["-g", "8192"];

const LAYOUTS: Readonly<Record<string, Omit<ExtImageOptions, "name" | "sourceDir">>> = {
	"ext4 as mke2fs makes it": { size: "72M", blockSize: 4096, extra: SMALL_GROUPS },
	"ext4 with blocks of 1 KiB": { size: "60M", blockSize: 1024 },
	"ext4 with uninit_bg and descriptors of 32 bytes": {
		size: "72M",
		blockSize: 4096,
		extra: SMALL_GROUPS,
		features: "^64bit,^metadata_csum,uninit_bg",
	},
	"ext4 without checksums and flex_bg": {
		size: "72M",
		blockSize: 4096,
		extra: SMALL_GROUPS,
		features: "^metadata_csum,^flex_bg",
	},
	"ext4 with meta_bg and blocks of 1 KiB": { size: "48M", blockSize: 1024, features: "meta_bg,^resize_inode" },
	"ext4 with bigalloc": { size: "72M", blockSize: 4096, features: "bigalloc" },
	"ext4 with bigalloc and blocks of 1 KiB": { size: "60M", blockSize: 1024, features: "bigalloc,^resize_inode" },
	"ext4 with sparse_super2": {
		size: "72M",
		blockSize: 4096,
		extra: SMALL_GROUPS,
		features: "sparse_super2,^resize_inode",
	},
	ext3: { size: "48M", type: "ext3" },
	ext2: { size: "72M", type: "ext2", blockSize: 4096, extra: SMALL_GROUPS },
};

describe("the map of a file system", () => {
	for (const [name, layout] of Object.entries(LAYOUTS)) {
		it(`${name}: what is free is what e2fsprogs counts, and what is sent is whole`, () => {
			const path = makeExtImage(dir, { ...layout, sourceDir: files, name: "one.ext" });
			const image = readFileSync(path);
			const [partition] = space(image).partitions;
			assert.equal(partition?.doubt, undefined);
			const count = (what: string) => Number(new RegExp(`^${what}: +(\\d+)`, "m").exec(askDebugfs(path, "stats"))?.[1]);
			const free = count("Free blocks") * count("Block size");
			assert.ok(partition !== undefined && partition.freeBytes <= free, `${partition?.freeBytes} of ${free}`);
			// Only blocks smaller than ours lose something at the ends of runs.
			if (count("Block size") === BLOCK) assert.equal(partition.freeBytes, free);
			else assert.ok(partition.freeBytes > free * 0.95, `${partition.freeBytes} of ${free}`);

			const copy = writtenCopy("copy.ext", image);
			checkExtImage(copy.path);
			assert.deepEqual(contents(copy.path), contents(path));
			assert.ok(copy.sent < image.length - free + 4_000_000, `${copy.sent} bytes sent`);
		});
	}

	for (const bits of [12, 16, 32] as const) {
		it(`FAT${bits}: what is sent is whole`, () => {
			const path = makeFatImage(dir, { sizeKiB: bits === 12 ? 4096 : 65_536, bits, sourceDir: files });
			const image = readFileSync(path);
			const [partition] = space(image).partitions;
			assert.equal(partition?.doubt, undefined);
			assert.ok(partition !== undefined && partition.freeBytes > image.length - 4_500_000);
			const copy = writtenCopy("copy.fat", image);
			runTool("fsck.fat", ["-n", copy.path]);
			const read = (file: string) => runTool("mtype", ["-i", file, "::size-1500000"]);
			assert.ok(read(copy.path).equals(patternBytes(1_500_000, 1_500_001)));
		});
	}
});

describe("an image from a used card", () => {
	it("sends no more than a fresh one: what free blocks hold does not travel", () => {
		const path = makeExtImage(dir, { size: "48M", sourceDir: files, name: "fresh.ext" });
		const fresh = readFileSync(path);
		const used = Buffer.from(fresh);
		const { free } = space(fresh);
		const stale = patternBytes(BLOCK, 77);
		for (let block = 0; block < free.length; block++) if (free.isFree(block)) stale.copy(used, block * BLOCK);
		const disk = (image: Buffer) => writeTo(Buffer.alloc(image.length), image);
		assert.deepEqual(disk(used), disk(fresh));
	});
});

describe("free space that is not believed", () => {
	const ext = readFileSync(
		makeExtImage(dir, { size: "64M", sourceDir: files, blockSize: 4096, features: "^metadata_csum", name: "d" }),
	);
	const summed = readFileSync(makeExtImage(dir, { size: "64M", sourceDir: files, blockSize: 4096, name: "e" }));
	const fat32 = readFileSync(makeFatImage(dir, { sizeKiB: 65_536, bits: 32, sourceDir: files, name: "f32" }));
	const fat16 = readFileSync(makeFatImage(dir, { sizeKiB: 16_384, bits: 16, sourceDir: files, name: "f16" }));

	function doubtful(image: Buffer, change: (bytes: Buffer) => void): string {
		const broken = Buffer.from(image);
		change(broken);
		const { free, partitions } = space(broken);
		assert.equal(free.count(), 0);
		return partitions[0]?.doubt ?? "none";
	}
	const SUPER = 1024;
	/** The first group's bitmap, where debugfs says that it is. */
	const bitmap = Number(/block bitmap at (\d+)/.exec(askDebugfs(join(dir, "d"), "stats"))?.[1]) * 4096;

	const cases: [string, Buffer, (bytes: Buffer) => void, RegExp][] = [
		[
			"a journal that needs recovery",
			ext,
			(b) => b.writeUInt32LE(b.readUInt32LE(SUPER + 0x60) | 4, SUPER + 0x60),
			/journal/,
		],
		["not unmounted", ext, (b) => b.writeUInt16LE(0, SUPER + 0x3a), /not unmounted/],
		["errors found", ext, (b) => b.writeUInt16LE(3, SUPER + 0x3a), /errors/],
		["an orphan", ext, (b) => b.writeUInt32LE(12, SUPER + 0xe8), /deleted while/],
		["another free count", ext, (b) => b.writeUInt32LE(b.readUInt32LE(SUPER + 0x0c) - 1, SUPER + 0x0c), /counts/],
		["a bit of the bitmap lost", ext, (b) => b.writeUInt8(0xfe, bitmap), /free clusters/],
		["a feature of the future", ext, (b) => b.writeUInt32LE(0x4000_0000, SUPER + 0x5c), /unknown/],
		["a wrong checksum", summed, (b) => b.writeUInt8(0xfe, bitmap), /checksum|free clusters/],
		["a damaged superblock", summed, (b) => b.writeUInt8(b.readUInt8(SUPER) ^ 1, SUPER), /checksum|superblock/],
		["FAT32 not unmounted", fat32, (b) => b.writeUInt32LE(0x07ffffff, 32 * 512 + 4), /not unmounted/],
		["FAT16 not unmounted", fat16, (b) => b.writeUInt16LE(0x7fff, b.readUInt16LE(14) * 512 + 2), /not unmounted/],
		["FAT32 that Linux marked", fat32, (b) => b.writeUInt8(1, 0x41), /dirty/],
		["tables that differ", fat32, (b) => b.writeUInt8(b.readUInt8(32 * 512 + 40) ^ 1, 32 * 512 + 40), /differ/],
	];
	for (const [name, image, change, expected] of cases) {
		it(name, () => assert.match(doubtful(image, change), expected));
	}

	it("bitmaps that give away an inode table, with all counts in agreement", () => {
		const path = join(dir, "given-away");
		writeFileSync(path, ext);
		const table = Number(/inode table at (\d+)/.exec(askDebugfs(path, "stats"))?.[1]);
		const count = (bytes: Buffer) => bytes.readUInt32LE(SUPER + 0x0c) + 1;
		const group = Number(/(\d+) free blocks,/.exec(askDebugfs(path, "stats"))?.[1]);
		const commands = [
			`freeb ${table + 3}`,
			`ssv free_blocks_count ${count(ext)}`,
			`set_bg 0 free_blocks_count ${group + 1}`,
		];
		writeWithDebugfs(path, commands);
		assert.match(
			doubtful(readFileSync(path), () => {}),
			/structure of group 0/,
		);
	});

	it("an unknown file system, and a cut one", () => {
		assert.match(
			doubtful(patternBytes(1_000_000, 3), () => {}),
			/cannot be told/,
		);
		assert.match(
			doubtful(ext.subarray(0, 40_000_000), () => {}),
			/ends at byte/,
		);
	});

	it("never throws, whatever is in the superblock, the descriptors and the table", () => {
		const change = fc.record({ at: fc.nat(140_000), value: fc.nat(255) });
		fc.assert(
			fc.property(fc.constantFrom(ext, fat32), fc.array(change, { minLength: 1, maxLength: 8 }), (image, changes) => {
				const before = changes.map(({ at }) => image[at] ?? 0);
				for (const { at, value } of changes) image[at] = value;
				try {
					space(image);
				} finally {
					for (const [index, { at }] of [...changes.entries()].reverse()) image[at] = before[index] ?? 0;
				}
			}),
			{ numRuns: 60 },
		);
	});
});

describe("a disk with partitions", () => {
	for (const table of ["mbr", "gpt"] as const) {
		it(`${table}: both file systems are whole after it was written`, () => {
			const boot = makeFatImage(dir, { sizeKiB: 40_960, sourceDir: files, name: "boot" });
			const root = makeExtImage(dir, { size: "80M", sourceDir: files, name: "root" });
			const image = readFileSync(makeDiskImage(dir, { boot, root, table, name: `disk-${table}` }));
			const { partitions, free } = space(image);
			assert.deepEqual(
				partitions.map(({ index, fileSystem, doubt }) => [index, fileSystem, doubt]),
				[
					[1, "fat", undefined],
					[2, "ext", undefined],
				],
			);
			assert.ok(free.isUsed(0, 1024 * 1024) && free.isUsed(image.length - 17_000, image.length));
			const copy = writtenCopy(`copy-${table}`, image);
			runTool("sfdisk", ["--verify", "-q", copy.path]);
			for (const [number, bytes] of [40_960 * 1024, 80 * 1024 * 1024].entries()) {
				const start = number === 0 ? 1024 * 1024 : (1024 + 40_960) * 1024;
				const part = join(dir, "part");
				writeFileSync(part, readFileSync(copy.path).subarray(start, start + bytes));
				if (number === 0) runTool("fsck.fat", ["-n", part]);
				else checkExtImage(part);
			}
		});
	}

	it("partitions that overlap are all in use", () => {
		const path = join(dir, "disk-mbr");
		const file = openSync(path, "r+");
		writeSync(file, Buffer.of(1, 8, 0, 0), 0, 4, 446 + 16 + 8);
		closeSync(file);
		const { free, partitions } = space(readFileSync(path));
		assert.equal(free.count(), 0);
		assert.ok(partitions.every(({ doubt }) => /overlaps/.test(doubt ?? "")));
	});
});

type Kind = "data" | "zero" | "free" | "stale";

/** A chunk of these blocks, and which of them are free. */
function makeChunk(kinds: readonly Kind[]): { bytes: Buffer; free: FreeBlocks } {
	const bytes = Buffer.alloc(kinds.length * BLOCK);
	const free = new FreeBlocks(bytes.length);
	for (const [at, kind] of kinds.entries()) {
		if (kind === "data" || kind === "stale") bytes.fill(kind === "data" ? 1 : 9, at * BLOCK, (at + 1) * BLOCK);
		if (kind === "free" || kind === "stale") free.free(at * BLOCK, (at + 1) * BLOCK);
	}
	return { bytes, free };
}

function checkPlan(kinds: readonly Kind[]): void {
	const { bytes, free } = makeChunk(kinds);
	const { data, zero, payload } = planChunk(bytes, 0, free);
	const target = Buffer.alloc(bytes.length, 0xee);
	let at = 0;
	for (const [first, count] of data) at += payload.copy(target, first * BLOCK, at, at + count * BLOCK);
	for (const [first, count] of zero) target.fill(0, first * BLOCK, (first + count) * BLOCK);
	const wanted = { data: [1], zero: [0], free: [0xee, 0], stale: [0xee, 0] };
	for (const [index, kind] of kinds.entries()) {
		const got = target[index * BLOCK] ?? -1;
		assert.ok(wanted[kind].includes(got), `${kind} is ${got}`);
	}
	assert.ok(!payload.includes(9), "nothing stale travels");
}

describe("the blocks of a chunk", () => {
	it("each is data, zero or free, and the payload has the data", () => {
		const block = fc.constantFrom<Kind>("data", "zero", "free", "stale");
		const chunk = fc.array(fc.tuple(block, fc.integer({ min: 1, max: 30 })), { minLength: 1, maxLength: 40 });
		fc.assert(
			fc.property(chunk, (runs) => {
				checkPlan(runs.flatMap(([kind, count]) => Array.from({ length: count }, () => kind)).slice(0, CHUNK_BLOCKS));
			}),
			{ numRuns: 40 },
		);
	});
});
