export * from "./compare.ts";
export * from "./disk-image.ts";
export * from "./ext-image.ts";
export * from "./fat-image.ts";
export * from "./source-tree.ts";
export * from "./tools.ts";
