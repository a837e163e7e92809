export { PACKING_HEAD_BYTES, type Packing, recognisePacking } from "./packing.ts";
export { hasProgram, unpackByProgram } from "./program.ts";
export { unpackedSize } from "./sizes.ts";
export { type Chunks, type StreamPacking, type UnpackOptions, unpackStream } from "./stream.ts";
export { type PackedFile, unpack } from "./unpack.ts";
export { findImageInZip, type ZipEntry } from "./zip.ts";
