/** The disk readers may not know this room, yet must be what it calls a file tree. The compiler checks that here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExtFileSystem, FatFileSystem } from "../disk/index.ts";
import type { FileTree } from "./tree.ts";

const METHODS: readonly (keyof FileTree)[] = [
	"getattr",
	"generation",
	"lookup",
	"parent",
	"readlink",
	"read",
	"readdir",
	"statfs",
];

type Opener = (...args: Parameters<typeof ExtFileSystem.open>) => FileTree;
const openers: readonly (readonly [Opener, object])[] = [
	[ExtFileSystem.open, ExtFileSystem.prototype],
	[FatFileSystem.open, FatFileSystem.prototype],
];

test("the disk readers are file trees", () => {
	for (const [open, prototype] of openers) {
		assert.equal(typeof open, "function");
		for (const method of METHODS) assert.ok(method in prototype, method);
	}
});
