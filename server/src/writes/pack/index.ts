/** Maps and packs: what a disk is written from. */

export type { PackProgress, PackResult } from "./make-pack.ts";
export { encodeMap, type ImageMap, type MapChunk, nameOf } from "./map.ts";
export { PackError, type PackErrorCode } from "./pack-error.ts";
export { type Build, type PackFile, PackShelf } from "./pack-shelf.ts";
export { type ByteRange, parseRange } from "./range.ts";
