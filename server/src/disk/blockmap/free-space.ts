/** What of an image need not be sent: the free space of the file systems that can be asked and believed. */
import { errorText, isNetbootError } from "../../base/index.ts";
import { SliceSource } from "../block/slice.ts";
import type { BlockSource } from "../block/source.ts";
import type { Partition, PartitionTable } from "../partition.ts";
import { readPartitions } from "../partitions.ts";
import type { FileSystemKind } from "../probe.ts";
import { recognise } from "../probe.ts";
import { freeOfExt } from "./ext.ts";
import { freeOfFat } from "./fat.ts";
import { BLOCK, FreeBlocks } from "./free-blocks.ts";

export interface PartitionSpace {
	/** As Linux counts; 0: the image is one file system without a table. */
	readonly index: number;
	readonly fileSystem: FileSystemKind;
	/** Bytes. */
	readonly size: number;
	readonly freeBytes: number;
	/** Why all of it counts as used, where it does. */
	readonly doubt?: string;
}

export interface FreeSpace {
	readonly free: FreeBlocks;
	readonly partitions: readonly PartitionSpace[];
}

/** Both ends of a disk with a GPT: 34 sectors, of at most 4 KiB. */
const TABLE_BYTES = 34 * 4096;

/**
 * Finds the free blocks of an image. What is unclean, contradicts itself, overlaps another partition or is unknown counts
 * as used, and so does what is in no partition: nothing here makes an image fail.
 *
 * @throws UnsupportedError when the image is beyond all sizes, BlockFault.
 */
export function findFreeSpace(source: BlockSource): FreeSpace {
	const free = new FreeBlocks(source.size);
	const table = readTable(source);
	const all = table.kind === "none" ? [whole(source)] : table.partitions;
	const partitions = all.map((each) => spaceOf(source, each, overlapping(each, all), free));
	if (table.kind !== "none") {
		free.use(0, TABLE_BYTES);
		free.use(Math.max(0, source.size - TABLE_BYTES), source.size);
	}
	return { free, partitions };
}

function whole(source: BlockSource): Partition {
	return { index: 0, start: 0, size: source.size, type: "", partuuid: "" };
}

/** A disk with a table that nobody can read has no partitions for us, and so no free space. */
function readTable(source: BlockSource): PartitionTable {
	try {
		return readPartitions(source);
	} catch (error) {
		if (!isNetbootError(error)) throw error;
		return { kind: "mbr", diskId: "", partitions: [], findings: [error.message] };
	}
}

function overlapping(one: Partition, all: readonly Partition[]): Partition | undefined {
	return all.find(
		(other) => other !== one && one.start < other.start + other.size && other.start < one.start + one.size,
	);
}

function spaceOf(
	source: BlockSource,
	partition: Partition,
	overlap: Partition | undefined,
	free: FreeBlocks,
): PartitionSpace {
	const { index, start, size } = partition;
	const slice = new SliceSource(source, start, size);
	const fileSystem = recognise(slice);
	const doubt =
		overlap === undefined
			? ask(slice, fileSystem, (from, to) => free.free(start + from, start + to))
			: `it overlaps partition ${overlap.index}`;
	if (doubt !== undefined && overlap === undefined) free.use(start, start + size);
	if (doubt !== undefined) return { index, fileSystem, size, freeBytes: 0, doubt };
	const freeBytes = BLOCK * free.count(Math.ceil(start / BLOCK), Math.floor((start + size) / BLOCK));
	return { index, fileSystem, size, freeBytes };
}

/** @returns why the file system is not believed, undefined when it is. */
function ask(
	source: BlockSource,
	fileSystem: FileSystemKind,
	pass: (start: number, end: number) => void,
): string | undefined {
	try {
		if (fileSystem === "ext") freeOfExt(source, pass);
		else if (fileSystem === "fat") freeOfFat(source, pass);
		else return "its free space cannot be told";
		return undefined;
	} catch (error) {
		if (!isNetbootError(error)) throw error;
		return errorText(error);
	}
}
