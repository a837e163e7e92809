import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, afterEach, test } from "node:test";
import { FileError, UnsupportedError, whenReady } from "../../base/index.ts";
import { readTextAt, resolvePath } from "../path.ts";
import { ImageBuild } from "./build.ts";
import { stampOf } from "./identity.ts";
import { systemIo } from "./image-file.ts";
import { makePiImage, PI_ROOT } from "./testing/images.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "image-build-"));
const OLD = makePiImage(folder, { name: "old", root: { ...PI_ROOT, "etc/which": "old\n", big: "o".repeat(3 << 20) } });
const NEW = makePiImage(folder, { name: "new", root: { ...PI_ROOT, "etc/which": "new\n", big: "n".repeat(3 << 20) } });
const IMAGE = path.join(folder, "x.img");
const opened: ImageBuild[] = [];

afterEach(async () => {
	for (const build of opened.splice(0)) await build.close();
});
after(() => fs.rmSync(folder, { recursive: true }));

async function open(options = {}): Promise<ImageBuild> {
	const build = await ImageBuild.open(IMAGE, options);
	opened.push(build);
	return build;
}

/** An image that nobody has touched for an hour. */
function place(from: string): void {
	fs.rmSync(IMAGE, { force: true });
	fs.copyFileSync(from, IMAGE);
	const hourAgo = new Date(Date.now() - 3_600_000);
	fs.utimesSync(IMAGE, hourAgo, hourAgo);
}

function which(build: ImageBuild): Promise<string | undefined> {
	return whenReady(() => readTextAt(rootOf(build), "/etc/which"));
}

function rootOf(build: ImageBuild) {
	const { root } = build.trees();
	assert.ok(root !== undefined);
	return root.tree;
}

function isAgain(error: unknown): boolean {
	return error instanceof FileError && error.code === "EAGAIN";
}

test("a build has the same id after a restart, and another one for every other file", async () => {
	place(OLD);
	const [one, two] = [await open(), await open()];
	assert.match(one.id, /^[0-9a-f]{16}$/);
	assert.equal(one.id, two.id);
	place(NEW);
	assert.notEqual((await open()).id, one.id);
	assert.equal(await which(one), "old\n");
});

test("replaced by rename, the open build goes on", async () => {
	place(OLD);
	const build = await open();
	fs.copyFileSync(NEW, `${IMAGE}.part`);
	fs.renameSync(`${IMAGE}.part`, IMAGE);
	assert.equal(await which(build), "old\n");
	assert.equal(await build.check(), true);
	fs.rmSync(IMAGE);
	assert.equal(await which(build), "old\n");
	assert.equal(build.valid, true);
});

test("renamed, linked, with another mode: still the same build", async () => {
	place(OLD);
	const build = await open();
	fs.chmodSync(IMAGE, 0o600);
	assert.equal(await which(build), "old\n");
	fs.linkSync(IMAGE, `${IMAGE}.link`);
	fs.rmSync(`${IMAGE}.link`);
	assert.equal(await build.check(), true);
	assert.equal(await which(build), "old\n");
});

const OVERWRITES: [string, () => void][] = [
	["cp over it", () => fs.writeFileSync(IMAGE, fs.readFileSync(NEW))],
	["a single byte written", () => writeAt(fs.statSync(IMAGE).size - 1, Buffer.from([1]))],
	["truncated", () => fs.truncateSync(IMAGE, 1000)],
	["grown", () => fs.truncateSync(IMAGE, fs.statSync(IMAGE).size + 512)],
	["touched", () => fs.utimesSync(IMAGE, new Date(), new Date())],
	["cp -p from a file of the same size and time", overwriteWithSameTime],
];
for (const [what, overwrite] of OVERWRITES) {
	test(`overwritten in place (${what}), everything answers EAGAIN for ever`, async () => {
		place(OLD);
		const build = await open();
		assert.equal(await which(build), "old\n");
		let told = 0;
		build.onInvalid(() => told++);
		overwrite();
		await assert.rejects(() => whenReady(() => build.source?.read(0, Buffer.alloc(1))), isAgain);
		assert.equal(build.valid, false);
		assert.equal(told, 1);
		const tree = rootOf(build);
		assert.throws(() => tree.getattr(tree.root), isAgain);
		assert.throws(() => tree.lookup(tree.root, "etc"), isAgain);
		assert.throws(() => tree.readdir(tree.root, 0, () => true), isAgain);
		assert.throws(() => tree.statfs(), isAgain);
		place(OLD);
		assert.equal(await build.check(), false);
		build.onInvalid(() => told++);
		assert.equal(told, 2);
	});
}

function writeAt(position: number, bytes: Uint8Array): void {
	const fd = fs.openSync(IMAGE, "r+");
	fs.writeSync(fd, bytes, 0, bytes.length, position);
	fs.closeSync(fd);
}

function overwriteWithSameTime(): void {
	const { atime, mtime, mtimeMs } = fs.statSync(IMAGE);
	writeAt(0, fs.readFileSync(NEW));
	fs.utimesSync(IMAGE, atime, mtime);
	assert.equal(fs.statSync(IMAGE).mtimeMs, mtimeMs);
}

test("a check finds what no read has run into", async () => {
	place(OLD);
	const build = await open();
	writeAt(0, Buffer.from([1]));
	assert.equal(build.valid, true);
	assert.equal(await build.check(), false);
});

test("while another process overwrites it, no reader ever sees a mixed byte", async () => {
	for (let round = 0; round < 5; round++) {
		place(OLD);
		const build = await open();
		const tree = rootOf(build);
		const big = await whenReady(() => resolvePath(tree, "/big"));
		assert.ok(big !== undefined);
		const copy = spawn("dd", [`if=${NEW}`, `of=${IMAGE}`, "bs=64k", "conv=notrunc,fsync", "status=none"]);
		const copied = new Promise((resolve) => copy.on("close", resolve));
		const target = Buffer.alloc(65_536);
		const read = async () => {
			for (let offset = 0; ; offset = (offset + target.length) % (3 << 20)) {
				const length: number = await whenReady(() => tree.read(big, offset, target));
				assert.equal(target.indexOf("n"), -1);
				assert.equal(length, target.length);
				await new Promise(setImmediate);
			}
		};
		await assert.rejects(read, isAgain);
		await copied;
		assert.equal(build.valid, false);
	}
});

test("a file that changes while it is opened is refused", async () => {
	place(OLD);
	const stamp = stampOf(fs.statSync(IMAGE, { bigint: true }));
	writeAt(0, Buffer.from([0]));
	await assert.rejects(() => open({ expected: stamp }), isAgain);
	place(OLD);
	let reads = 0;
	const readSync: typeof systemIo.readSync = (...args) => {
		reads += 1;
		if (reads === 5) writeAt(1 << 20, Buffer.from([0xaa]));
		return systemIo.readSync(...args);
	};
	await assert.rejects(() => open({ io: { ...systemIo, readSync } }), isAgain);
	assert.ok(reads >= 5);
});

test("what cannot be compared counts as changed: no call waits for ever", async () => {
	place(OLD);
	let broken = false;
	const read: typeof systemIo.read = (fd, target, length, position, done) => {
		if (broken) setImmediate(() => done(new Error("input/output error"), 0));
		else systemIo.read(fd, target, length, position, done);
	};
	const build = await open({ io: { ...systemIo, read } });
	broken = true;
	fs.chmodSync(IMAGE, 0o600);
	await assert.rejects(() => whenReady(() => build.source?.read(0, Buffer.alloc(1))), isAgain);
});

test("what is not a regular file, or not there, is refused", async () => {
	await assert.rejects(() => ImageBuild.open(folder), UnsupportedError);
	await assert.rejects(() => ImageBuild.open(path.join(folder, "nothing")), { code: "ENOENT" });
});

test("a closed build answers ESTALE", async () => {
	place(OLD);
	const build = await open();
	await build.close();
	await build.close();
	assert.throws(
		() => rootOf(build).getattr(2),
		(error) => error instanceof FileError && error.code === "ESTALE",
	);
});
