/** How a file's blocks lie on its disk, and reading through that. Every file system here says it in this way. */
import type { BlockSource } from "./source.ts";

/** A run of a file's blocks that are neighbours on the disk. Reused from call to call: the read path makes no objects. */
export interface Run {
	/** Byte of the source where the first block is, or `HOLE`. */
	position: number;
	/** Blocks of the file that the run holds from the one asked for on; at least 1. */
	count: number;
}

/** What was never written and reads as zeros. */
export const HOLE = -1;

export interface BlockMap {
	/** What this map counts in a cache: its numbers, about. */
	readonly weight: number;

	/** Sets `run` to what holds the file's block `logical`. @throws MalformedError, BlockFault. */
	find(logical: number, run: Run): void;
}

const run: Run = { position: HOLE, count: 0 };
const next: Run = { position: HOLE, count: 0 };

/**
 * Fills `target` with what the map has from byte `offset` of the file on: each contiguous run with one read.
 *
 * @param blockSize bytes of what the map counts.
 */
export function readMapped(
	source: BlockSource,
	blockSize: number,
	map: BlockMap,
	offset: number,
	target: Uint8Array,
): void {
	for (let done = 0; done < target.length; ) {
		const logical = Math.floor((offset + done) / blockSize);
		const within = offset + done - logical * blockSize;
		const wanted = target.length - done;
		findLong(map, blockSize, logical, Math.ceil((within + wanted) / blockSize));
		const length = Math.min(wanted, run.count * blockSize - within);
		const part = length === target.length ? target : target.subarray(done, done + length);
		if (run.position === HOLE) part.fill(0);
		else source.read(run.position + within, part);
		done += length;
	}
}

/** Sets `run`; runs that continue each other on the disk become one, up to `wanted` blocks. */
function findLong(map: BlockMap, blockSize: number, logical: number, wanted: number): void {
	map.find(logical, run);
	while (run.position !== HOLE && run.count < wanted) {
		map.find(logical + run.count, next);
		if (next.position !== run.position + run.count * blockSize) return;
		run.count += next.count;
	}
}
