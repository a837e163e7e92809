/** Which blocks of an image hold data, which must read as zero, and which nobody misses. */
export { CHUNK, CHUNK_BLOCKS, type ChunkPlan, planChunk, type Run } from "./chunk.ts";
export { BLOCK, FreeBlocks } from "./free-blocks.ts";
export { type FreeSpace, findFreeSpace, type PartitionSpace } from "./free-space.ts";
