import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { whenReady } from "../../base/index.ts";
import { makeExtImage } from "../../disk/testdata/index.ts";
import { readingSuite } from "../compliance.ts";
import { plainSource, type SourceEntry, writeSource } from "../compliance-source.ts";
import { PatchedTree } from "../patched-tree.ts";
import { ImageBuild } from "./build.ts";

/** What makes the image a root. */
const etc: SourceEntry = { path: "etc", type: "directory", mode: 0o755 };
const source = [...plainSource, etc];

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "build-compliance-"));
fs.mkdirSync(path.join(folder, "source"));
writeSource(path.join(folder, "source"), source);
const build = await ImageBuild.open(makeExtImage(folder, { size: "8M", sourceDir: path.join(folder, "source") }));
await whenReady(() => build.source?.read(0, Buffer.alloc(8 << 20)));
after(async () => {
	await build.close();
	fs.rmSync(folder, { recursive: true });
});

function root() {
	const { root } = build.trees();
	if (root === undefined) throw new Error(build.trees().findings.join());
	return root.tree;
}

readingSuite("the root of an image's build", () => ({ tree: root() }), source);
readingSuite("patches over an image's build", () => ({ tree: new PatchedTree(root(), []) }), source);
