export { ArrivingPart } from "./arriving-part.ts";
export * from "./build.ts";
export { type BuildOrigin, originOf } from "./file-part.ts";
export { type FileStamp, sameContent, sameStamp, stampOf } from "./identity.ts";
export { ImageFile, type ImageFileOptions, type ImageIo, type ReadGuard, systemIo } from "./image-file.ts";
export * from "./trees.ts";
