import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { FileError, whenReady } from "../../base/index.ts";
import { runTool } from "../../disk/testdata/index.ts";
import { readingSuite } from "../compliance.ts";
import { contentOf, find, fullSource, plainSource, writeSource } from "../compliance-source.ts";
import { assertFails, list, names } from "../compliance-tools.ts";
import { deviceNumbers } from "./host-attributes.ts";
import { HostFolder, MovedError, openBelow } from "./host-folder.ts";
import { HostTree } from "./host-tree.ts";
import type { DirectoryState } from "./open-files.ts";
import { type ScannedFile, scan } from "./scan.ts";
import { scanInWorker } from "./scan-worker.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "host-tree-"));
const secret = path.join(dir, "secret");
fs.writeFileSync(secret, "secret");
const closers: (() => Promise<void>)[] = [];
after(async () => {
	for (const close of closers) await close();
	fs.rmSync(dir, { recursive: true });
});

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
/** What a directory's part of a build is told and tells. */
class State implements DirectoryState {
	isChanged = false;

	enter(): void {
		if (this.isChanged) throw this.changed();
	}

	invalidate(): void {
		this.isChanged = true;
	}

	changed(): FileError {
		return new FileError("EAGAIN");
	}
}

async function open(place: string, state = new State()): Promise<HostTree> {
	const folder = HostFolder.open(place);
	const tree = new HostTree(folder, state);
	closers.push(async () => {
		await tree.close();
		folder.close();
	});
	await tree.fill(scan);
	return tree;
}

const tree = await open(whole);
for (const { path: name, type } of source) {
	if (type === "file") await whenReady(() => contentOf(tree, find(tree, name)));
}
readingSuite("a directory of the host", () => ({ tree }), source);

const text = (live: HostTree, name: string) => whenReady(() => contentOf(live, find(live, name)).toString());
const isAgain = { code: "EAGAIN" };

test("a tree that is opened anew has the same numbers, cookies and identity, and so it has by a worker", async () => {
	const again = await open(whole);
	assert.deepEqual(list(again, find(again, "crowd")), list(tree, find(tree, "crowd")));
	assert.deepEqual(list(again, again.root), list(tree, tree.root));
	const found: ScannedFile[] = [];
	const held = HostFolder.open(whole);
	const result = await scanInWorker(held.base, (file) => found.push(file));
	held.close();
	assert.deepEqual([again.identity, result.identity], [tree.identity, tree.identity]);
	assert.equal(found.length, again.statfs().totalInodes + 1, "one file has two names");
	await assert.rejects(scanInWorker(path.join(dir, "none"), undefined), isAgain);
});

test("whatever is changed makes another identity", async () => {
	const place = folder();
	fs.mkdirSync(path.join(place, "sub"));
	fs.writeFileSync(path.join(place, "sub/a"), "one");
	fs.symlinkSync("a", path.join(place, "sub/link"));
	const a = path.join(place, "sub/a");
	const changes: Readonly<Record<string, () => void>> = {
		bytes: () => fs.writeFileSync(a, "two"),
		mode: () => fs.chmodSync(a, 0o600),
		time: () => fs.utimesSync(a, 1, 1),
		name: () => fs.renameSync(a, path.join(place, "sub/b")),
		link: () => fs.linkSync(path.join(place, "sub/b"), a),
		directory: () => fs.chmodSync(path.join(place, "sub"), 0o700),
		root: () => fs.chmodSync(place, 0o750),
	};
	const known = new Set([(await open(place)).identity]);
	for (const [what, change] of Object.entries(changes)) {
		change();
		const { identity } = await open(place);
		assert.ok(!known.has(identity), what);
		known.add(identity);
	}
	fs.renameSync(place, `${place}-moved`);
	assert.ok(known.has((await open(`${place}-moved`)).identity), "its own name does not count");
});

const CHANGES: Readonly<Record<string, (file: string) => void>> = {
	"appended to": (file) => fs.appendFileSync(file, "more"),
	overwritten: (file) => fs.writeFileSync(file, "other"),
	removed: (file) => fs.rmSync(file),
	replaced: (file) => fs.renameSync(`${file}.new`, file),
	"given another mode": (file) => fs.chmodSync(file, 0o600),
	"made a link that leads out": (file) => {
		fs.rmSync(file);
		fs.symlinkSync(secret, file);
	},
};

for (const [what, change] of Object.entries(CHANGES)) {
	test(`a file that is ${what} is given as it was found or not at all; names and attributes stay`, async () => {
		for (const isReadBefore of [true, false]) {
			const place = folder();
			const file = path.join(place, "file");
			for (const name of [file, `${file}.new`]) fs.writeFileSync(name, "first");
			const state = new State();
			const live = await open(place, state);
			const before = live.getattr(find(live, "file"));
			if (isReadBefore) assert.equal(await text(live, "file"), "first");
			change(file);
			await assert.rejects(text(live, "file"), isAgain);
			assert.ok(state.isChanged);
			assert.deepEqual(live.getattr(find(live, "file")), before);
		}
	});
}

test("nothing outside of the directory is reached", async () => {
	const place = folder();
	fs.symlinkSync("../secret", path.join(place, "link"));
	fs.symlinkSync(dir, path.join(place, "out"));
	fs.mkdirSync(path.join(place, "sub"));
	fs.linkSync(secret, path.join(place, "sub/secret"));
	const live = await open(place);
	for (const name of ["..", "../secret", "sub/../../secret", "sub/secret", "out/secret"])
		assertFails("ENOENT", () => live.lookup(live.root, name));
	assertFails("EINVAL", () => live.read(find(live, "link"), 0, Buffer.alloc(10)));
	assertFails("ENOTDIR", () => find(live, "out/secret"));
	assert.equal(live.readlink(find(live, "link")).toString(), "../secret");
	// The very same file, by way of a link in the place of its directory.
	const inside = find(live, "sub/secret");
	fs.renameSync(path.join(place, "sub"), path.join(place, "old"));
	fs.symlinkSync("..", path.join(place, "sub"));
	await assert.rejects(
		whenReady(() => live.read(inside, 0, Buffer.alloc(10))),
		isAgain,
	);
	const held = HostFolder.open(place);
	assert.throws(() => openBelow(held.base, ["sub", "secret"]), MovedError);
	held.close();
});

test("renamed, a directory is read on", async () => {
	const place = folder();
	fs.mkdirSync(path.join(place, "sub"));
	fs.writeFileSync(path.join(place, "sub/file"), "here");
	const live = await open(place);
	fs.renameSync(place, `${place}-moved`);
	fs.mkdirSync(place);
	assert.equal(await text(live, "sub/file"), "here");
});

test("more files than may be open at a time", async () => {
	const place = folder();
	const count = 300;
	for (let index = 0; index < count; index++) fs.writeFileSync(path.join(place, String(index)), `file ${index}`);
	const openFiles = () => fs.readdirSync("/proc/self/fd").length;
	const live = await open(place);
	const before = openFiles();
	const readAll = () => Promise.all(Array.from({ length: count }, (_, index) => text(live, String(index))));
	for (let turn = 0; turn < 2; turn++) assert.equal((await readAll()).at(-1), `file ${count - 1}`);
	assert.ok(openFiles() - before < count);
});

test("what a Pi does not get of it is said", { skip: !isRoot && "needs root to become somebody else" }, async () => {
	const place = folder();
	for (const name of ["open", "closed"]) fs.writeFileSync(path.join(place, name), name);
	fs.chmodSync(path.join(place, "closed"), 0);
	fs.mkdirSync(path.join(place, "private"), { mode: 0o700 });
	fs.writeFileSync(path.join(place, "private/file"), "x");
	fs.chmodSync(dir, 0o755);
	assert.deepEqual((await open(place)).findings, []);
	process.seteuid?.(65_534);
	try {
		const live = await open(place);
		assert.match(live.findings.join(), /may not read 2 of its files \(closed, private\)/);
		await assert.rejects(text(live, "closed"), { code: "EACCES" });
		assert.deepEqual(names(live, find(live, "private")), []);
		assert.equal(await text(live, "open"), "open");
	} finally {
		process.seteuid?.(0);
	}
	for (const name of ["", "open", "closed", "private", "private/file"])
		fs.chownSync(path.join(place, name), 1000, 1000);
	assert.match((await open(place)).findings.join(), /nothing in it belongs to root/);
});

test("what is no directory is refused", () => {
	assert.throws(() => HostFolder.open(secret), { code: "unsupported-directory" });
	assert.throws(() => HostFolder.open(path.join(dir, "none")), { code: "ENOENT" });
});

test("device numbers are taken apart as each system puts them together", () => {
	assert.deepEqual(deviceNumbers(0x0103n, "linux"), { major: 1, minor: 3 });
	assert.deepEqual(deviceNumbers(0x10082cn, "linux"), { major: 8, minor: 300 });
	assert.deepEqual(deviceNumbers(0x0300_0002n, "darwin"), { major: 3, minor: 2 });
});
