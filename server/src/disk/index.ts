/** The room of the disk formats: readers over a `BlockSource`, pure, synchronous, for input that nobody vouches for. */
export { FileSource } from "./block/file.ts";
export { MemorySource } from "./block/memory.ts";
export { SliceSource } from "./block/slice.ts";
export type { BlockSource } from "./block/source.ts";
export * from "./blockmap/index.ts";
export * from "./compress/index.ts";
export type { ExtOptions } from "./ext4/filesystem.ts";
export { ExtFileSystem } from "./ext4/filesystem.ts";
export type { FatOptions } from "./fat/filesystem.ts";
export { FatFileSystem } from "./fat/filesystem.ts";
export type { Partition, PartitionTable } from "./partition.ts";
export { readPartitions } from "./partitions.ts";
export type { FileSystemKind } from "./probe.ts";
export { adviceOn, recognise } from "./probe.ts";
