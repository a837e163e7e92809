export * from "./patch.ts";
export * from "./tree.ts";
