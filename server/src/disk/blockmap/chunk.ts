/** What of 4 MiB of an image travels, what must be zero on the target, and what nobody misses. */
import { BLOCK, type FreeBlocks } from "./free-blocks.ts";

/** Blocks of a chunk: 4 MiB. */
export const CHUNK_BLOCKS = 1024;
export const CHUNK = CHUNK_BLOCKS * BLOCK;

/** What lies between two runs of data and is shorter than this travels too: fewer writes cost less than fewer bytes. Blocks. */
const BRIDGED = 16;

/** First block of the chunk, number of blocks. */
export type Run = readonly [number, number];

export interface ChunkPlan {
	readonly data: readonly Run[];
	/** In use, and zero in the image. */
	readonly zero: readonly Run[];
	/** The data runs one behind the other, in the room that was given; free blocks among them are zeros, whatever the image has there. */
	readonly payload: Buffer;
}

const ZEROS = Buffer.alloc(BLOCK);

/**
 * Sorts the blocks of a chunk.
 *
 * @param bytes of the chunk; the last one of an image is filled up with zeros to a whole block.
 * @param number of the chunk.
 * @param room for the payload; of the size of a chunk.
 */
export function planChunk(
	bytes: Buffer,
	number: number,
	free: FreeBlocks,
	room: Buffer = Buffer.allocUnsafe(bytes.length),
): ChunkPlan {
	const blocks = bytes.length / BLOCK;
	const first = number * CHUNK_BLOCKS;
	const isFree = (block: number) => free.isFree(first + block);
	const isData = (block: number) => !isFree(block) && !ZEROS.equals(bytes.subarray(block * BLOCK, (block + 1) * BLOCK));
	const data = bridge(runsOf(blocks, isData));
	const inData = new Uint8Array(blocks);
	for (const [start, count] of data) inData.fill(1, start, start + count);
	const zero = runsOf(blocks, (block) => inData[block] === 0 && !isFree(block));
	return { data, zero, payload: payloadOf(bytes, data, isFree, room) };
}

function runsOf(blocks: number, belongs: (block: number) => boolean): Run[] {
	const runs: Run[] = [];
	let start = -1;
	for (let block = 0; block <= blocks; block++) {
		const inside = block < blocks && belongs(block);
		if (inside && start === -1) start = block;
		if (inside || start === -1) continue;
		runs.push([start, block - start]);
		start = -1;
	}
	return runs;
}

function bridge(runs: readonly Run[]): Run[] {
	const bridged: Run[] = [];
	for (const run of runs) {
		const last = bridged.at(-1);
		if (last === undefined || run[0] - (last[0] + last[1]) >= BRIDGED) bridged.push(run);
		else bridged[bridged.length - 1] = [last[0], run[0] + run[1] - last[0]];
	}
	return bridged;
}

function payloadOf(bytes: Buffer, data: readonly Run[], isFree: (block: number) => boolean, room: Buffer): Buffer {
	const payload = room.subarray(
		0,
		data.reduce((sum, [, count]) => sum + count * BLOCK, 0),
	);
	let at = 0;
	for (const [start, count] of data) {
		for (let block = start; block < start + count; block++, at += BLOCK) {
			if (isFree(block)) payload.fill(0, at, at + BLOCK);
			else bytes.copy(payload, at, block * BLOCK, (block + 1) * BLOCK);
		}
	}
	return payload;
}
