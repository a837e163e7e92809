export * from "./memory-tree.ts";
export * from "./names.ts";
export * from "./patch.ts";
export * from "./path.ts";
export * from "./times.ts";
export * from "./tree.ts";
