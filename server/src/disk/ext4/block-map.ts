/** How a file's blocks lie on the disk, and reading through that. */
import type { ExtVolume } from "./volume.ts";

/** A run of a file's blocks that are neighbours on the disk. Reused from call to call: the read path makes no objects. */
export interface Run {
	/** Number on the disk of the first block; 0: a hole. */
	physical: number;
	/** Blocks of the file that the run holds from the one asked for on; at least 1. */
	count: number;
}

export interface BlockMap {
	/** What this map counts in a cache: its entries. */
	readonly weight: number;

	/** Sets `run` to what holds the file's block `logical`. @throws MalformedError, BlockFault. */
	find(logical: number, run: Run): void;
}

const run: Run = { physical: 0, count: 0 };
const next: Run = { physical: 0, count: 0 };

/** Fills `target` with what the map has from byte `offset` on: each contiguous run with one read, holes with zeros. */
export function readMapped(volume: ExtVolume, map: BlockMap, offset: number, target: Uint8Array): void {
	const { blockSize, source } = volume;
	for (let done = 0; done < target.length; ) {
		const logical = Math.floor((offset + done) / blockSize);
		const within = offset + done - logical * blockSize;
		const wanted = target.length - done;
		findLong(map, logical, Math.ceil((within + wanted) / blockSize));
		const length = Math.min(wanted, run.count * blockSize - within);
		const part = length === target.length ? target : target.subarray(done, done + length);
		if (run.physical === 0) part.fill(0);
		else source.read(run.physical * blockSize + within, part);
		done += length;
	}
}

/** Sets `run`; runs that continue each other on the disk become one, up to `wanted` blocks. */
function findLong(map: BlockMap, logical: number, wanted: number): void {
	map.find(logical, run);
	while (run.physical !== 0 && run.count < wanted) {
		map.find(logical + run.count, next);
		if (next.physical !== run.physical + run.count) return;
		run.count += next.count;
	}
}
