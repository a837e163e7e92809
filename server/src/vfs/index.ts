export * from "./directory-tree.ts";
export * from "./handles.ts";
export * from "./image/index.ts";
export * from "./layer/index.ts";
export * from "./memory-tree.ts";
export * from "./names.ts";
export * from "./patch.ts";
export {
	type AppliedPatch,
	PATCHED_FIRST,
	PATCHED_LAST,
	PatchedTree,
	type SkippedPatch,
} from "./patched-tree.ts";
export * from "./path.ts";
export * from "./read-only-tree.ts";
export * from "./root.ts";
export * from "./times.ts";
export * from "./tree.ts";
