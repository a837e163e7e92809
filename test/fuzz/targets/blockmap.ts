/** What is free in an image whose bitmaps, counts, tables and structures say something else than they did. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
	BLOCK,
	type BlockSource,
	CHUNK,
	CHUNK_BLOCKS,
	type ChunkPlan,
	type FreeBlocks,
	findFreeSpace,
	type PartitionSpace,
	planChunk,
	readPartitions,
} from "../../../server/src/disk/index.ts";
import { makeDiskImage, makeExtImage, makeFatImage } from "../../../server/src/disk/testdata/index.ts";
import { isRefusal, withoutParticulars } from "../outcome.ts";
import { isMetadata, makeSource } from "./disk.ts";
import { diskTarget, Patient } from "./patient.ts";

/** What is told of a file system as a whole is believed only without these checks, so most have no checksums. */
const EXT_VARIANTS = [
	{ features: "^metadata_csum,^has_journal", blockSize: 1024, size: "20M" },
	{ features: "^metadata_csum,^has_journal,^flex_bg,^64bit", blockSize: 4096, size: "12M" },
	{ features: "^metadata_csum,^has_journal,uninit_bg,meta_bg,^resize_inode", blockSize: 1024, size: "20M" },
	{ features: "^metadata_csum,^has_journal,bigalloc", blockSize: 4096, size: "12M" },
	{ features: "^has_journal", blockSize: 4096, size: "12M" },
] as const;

const FAT_VARIANTS = [
	{ bits: 12, sizeKiB: 2800, sectorsPerCluster: 2 },
	{ bits: 16, sizeKiB: 6000, sectorsPerCluster: 1 },
	{ bits: 32, sizeKiB: 34_000, sectorsPerCluster: 1 },
] as const;

function makePatients(dir: string): Patient[] {
	const sourceDir = makeSource(dir);
	const images = [
		...EXT_VARIANTS.map((each) => readFileSync(makeExtImage(dir, { ...each, sourceDir, extra: ["-N", "64"] }))),
		...FAT_VARIANTS.map((each) => readFileSync(makeFatImage(dir, { ...each, sourceDir }))),
	];
	const boot = makeFatImage(dir, { sizeKiB: 2800, sourceDir });
	const root = makeExtImage(dir, { size: "4M", sourceDir, features: "^metadata_csum,^has_journal" });
	for (const table of ["mbr", "gpt"] as const) images.push(readFileSync(makeDiskImage(dir, { boot, root, table })));
	return images.map((bytes) => new Patient(bytes, 512, isMetadata));
}

export const blockmap = diskTarget(
	"blockmap",
	makePatients,
	(source, seen) => {
		const { free, partitions } = findFreeSpace(source);
		for (const partition of partitions) {
			seen.add(`${partition.fileSystem} ${withoutParticulars(partition.doubt ?? "believed")}`);
			checkPartition(source, free, partition);
		}
		checkChunks(source, free);
	},
	// A chunk, what of it travels, and the bitmaps of all groups.
	{ allowance: 3 * CHUNK, shortRuns: 100 },
);

/** What is not believed is in use, whole. */
function checkPartition(
	source: BlockSource,
	free: FreeBlocks,
	{ index, size, freeBytes, doubt }: PartitionSpace,
): void {
	assert.ok(freeBytes >= 0 && freeBytes <= size, `${freeBytes} bytes free of ${size}`);
	if (doubt === undefined) return;
	assert.equal(freeBytes, 0);
	const start = startOf(source, index);
	assert.ok(free.isUsed(start, Math.min(start + size, source.size)), `partition ${index} is in use: ${doubt}`);
}

function startOf(source: BlockSource, index: number): number {
	try {
		return readPartitions(source).partitions.find((each) => each.index === index)?.start ?? 0;
	} catch (error) {
		if (isRefusal(error)) return 0;
		throw error;
	}
}

/** The structures of all of the images are in these. */
const CHECKED = 3 * CHUNK;

/** Of every block that is in use the target gets what the image has. */
function checkChunks(source: BlockSource, free: FreeBlocks): void {
	for (let start = 0; start < Math.min(source.size, CHECKED); start += CHUNK) {
		const bytes = Buffer.alloc(Math.ceil(Math.min(CHUNK, source.size - start) / BLOCK) * BLOCK);
		source.read(start, bytes.subarray(0, Math.min(bytes.length, source.size - start)));
		const number = start / CHUNK;
		const written = played(planChunk(bytes, number, free), bytes.length);
		for (let block = 0; block < bytes.length / BLOCK; block++) {
			if (free.isFree(number * CHUNK_BLOCKS + block)) continue;
			const [from, to] = [block * BLOCK, (block + 1) * BLOCK];
			assert.ok(written.subarray(from, to).equals(bytes.subarray(from, to)), `block ${block} of chunk ${number}`);
		}
	}
}

/** The chunk on a target that was full of something else. */
function played({ data, zero, payload }: ChunkPlan, length: number): Buffer {
	const target = Buffer.alloc(length, 0xee);
	let at = 0;
	for (const [first, count] of data) at += payload.copy(target, first * BLOCK, at, at + count * BLOCK);
	assert.equal(at, payload.length);
	for (const [first, count] of zero) target.fill(0, first * BLOCK, (first + count) * BLOCK);
	return target;
}
