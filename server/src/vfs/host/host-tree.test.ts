import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { FileError } from "../../base/index.ts";
import { runTool } from "../../disk/testdata/index.ts";
import { readingSuite } from "../compliance.ts";
import { contentOf, find, fullSource, plainSource, writeSource } from "../compliance-source.ts";
import { assertFails, list, names } from "../compliance-tools.ts";
import { deviceNumbers } from "./host-attributes.ts";
import { HostTree } from "./host-tree.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "host-tree-"));
after(() => fs.rmSync(dir, { recursive: true }));

let made = 0;
function folder(): string {
	const place = path.join(dir, `tree-${made++}`);
	fs.mkdirSync(place);
	return place;
}

const whole = folder();
writeSource(whole, plainSource);
const isRoot = process.getuid?.() === 0;
/** Node cannot make a socket that stays. */
const source = isRoot ? fullSource.filter(({ type }) => type !== "socket") : plainSource;
if (isRoot) {
	fs.mkdirSync(path.join(whole, "dev"), { mode: 0o755 });
	for (const { path: name, type, mode, major, minor } of source) {
		if (type !== "block" && type !== "character" && type !== "fifo") continue;
		const numbers = type === "fifo" ? ["p"] : [type === "block" ? "b" : "c", String(major), String(minor)];
		runTool("mknod", [path.join(whole, name), ...numbers]);
		fs.chmodSync(path.join(whole, name), mode);
	}
}
const tree = await HostTree.open(whole);
readingSuite("a directory of the host", () => ({ tree }), source);

test("a tree that is opened anew has the same numbers and cookies, known before anybody asks for a name", async () => {
	const again = await HostTree.open(whole);
	const ino = find(tree, "directory/inner/file");
	assert.equal(contentOf(again, ino).toString(), "inner");
	const crowd = find(tree, "crowd");
	assert.deepEqual(list(again, crowd), list(tree, crowd));
});

test("what changes on the host is seen, and a number never means another file", async () => {
	const place = folder();
	for (const name of ["a", "b", "c"]) fs.writeFileSync(path.join(place, name), name);
	const live = await HostTree.open(place);
	const [a, b] = [find(live, "a"), find(live, "b")];
	const before = list(live, live.root);
	fs.renameSync(path.join(place, "b"), path.join(place, "z"));
	fs.rmSync(path.join(place, "a"));
	fs.writeFileSync(path.join(place, "new"), "new");
	assertFails("ESTALE", () => live.getattr(a));
	assertFails("ENOENT", () => live.lookup(live.root, "a"));
	assert.deepEqual(names(live, live.root), ["c", "new", "z"]);
	assert.deepEqual([find(live, "z"), contentOf(live, b).toString()], [b, "b"]);
	const kept = (entries: typeof before) => entries.find(({ name }) => name === "c");
	assert.deepEqual(kept(list(live, live.root)), kept(before));
	fs.appendFileSync(path.join(place, "c"), " and more");
	assert.equal(contentOf(live, find(live, "c")).toString(), "c and more");
});

test("a file with two names outlives the first", async () => {
	const place = folder();
	fs.writeFileSync(path.join(place, "first"), "x");
	fs.linkSync(path.join(place, "first"), path.join(place, "second"));
	const live = await HostTree.open(place);
	const ino = find(live, "first");
	fs.rmSync(path.join(place, "first"));
	assert.deepEqual([find(live, "second"), contentOf(live, ino).toString()], [ino, "x"]);
});

test("nothing outside of the directory is reached", async () => {
	const place = folder();
	fs.writeFileSync(path.join(dir, "secret"), "secret");
	fs.symlinkSync("../secret", path.join(place, "link"));
	fs.mkdirSync(path.join(place, "sub"));
	fs.writeFileSync(path.join(place, "sub/secret"), "inside");
	const live = await HostTree.open(place);
	for (const name of ["..", "../secret", "sub/../../secret", "sub/secret"])
		assertFails("ENOENT", () => live.lookup(live.root, name));
	assertFails("EINVAL", () => live.read(find(live, "link"), 0, Buffer.alloc(10)));
	const inside = find(live, "sub/secret");
	fs.renameSync(path.join(place, "sub"), path.join(place, "old"));
	fs.symlinkSync("..", path.join(place, "sub"));
	assert.throws(() => live.read(inside, 0, Buffer.alloc(10)), FileError);
});

test("what is no directory is refused", async () => {
	await assert.rejects(HostTree.open(path.join(dir, "secret")), { code: "unsupported-directory" });
	await assert.rejects(HostTree.open(path.join(dir, "none")), { code: "ENOENT" });
});

test("device numbers are taken apart as each system puts them together", () => {
	assert.deepEqual(deviceNumbers(0x0103n, "linux"), { major: 1, minor: 3 });
	assert.deepEqual(deviceNumbers(0x10082cn, "linux"), { major: 8, minor: 300 });
	assert.deepEqual(deviceNumbers(0x0300_0002n, "darwin"), { major: 3, minor: 2 });
});
