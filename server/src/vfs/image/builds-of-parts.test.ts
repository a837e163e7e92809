import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, afterEach, test } from "node:test";
import { ManualClock, whenReady } from "../../base/index.ts";
import { makeExtImage, makeFatImage, runTool } from "../../disk/testdata/index.ts";
import { readTextAt } from "../path.ts";
import { ImageBuild } from "./build.ts";
import { fill, PI_BOOT, PI_ROOT } from "./testing/images.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "builds-of-parts-"));
const ROOT = { ...PI_ROOT, "etc/which": "one\n", "usr/bin/sh": "#!" };
const clock = new ManualClock(Date.now() + 60_000);
const opened: ImageBuild[] = [];
const isAgain = { code: "EAGAIN" };

afterEach(async () => {
	for (const build of opened.splice(0)) await build.close();
});
after(() => fs.rmSync(folder, { recursive: true }));

let made = 0;
function place(files: Readonly<Record<string, string>>): string {
	return fill(path.join(folder, `place-${made++}`), files);
}

async function directory(root: string, boot?: string): Promise<ImageBuild> {
	const build = await ImageBuild.openDirectory(root, boot, { settleMs: 2000, clock });
	opened.push(build);
	return build;
}

async function volumes(root: string, boot: string): Promise<ImageBuild> {
	const build = await ImageBuild.openVolumes({ path: root }, { path: boot });
	opened.push(build);
	return build;
}

function text(build: ImageBuild, volume: "root" | "boot", file: string): Promise<string | undefined> {
	const tree = build.trees()[volume]?.tree ?? assert.fail(volume);
	return whenReady(() => readTextAt(tree, file));
}

test("a directory, with its boot files in it", async () => {
	const boot = Object.fromEntries(Object.entries(PI_BOOT).map(([name, content]) => [`boot/firmware/${name}`, content]));
	const root = place({ ...ROOT, ...boot });
	const build = await directory(root);
	assert.deepEqual([build.trees().bootMount, build.trees().findings, build.source], ["/boot/firmware", [], undefined]);
	assert.equal(await text(build, "root", "/etc/which"), "one\n");
	assert.equal(await text(build, "boot", "/kernel8.img"), "kernel");
	const again = await directory(root);
	assert.deepEqual([again.id, again.superblock], [build.id, build.superblock]);
});

test("a directory, with its boot files in another", async () => {
	const [root, boot] = [place(ROOT), place(PI_BOOT)];
	const build = await directory(root, boot);
	assert.equal(await text(build, "boot", "/config.txt"), PI_BOOT["config.txt"]);
	assert.notEqual((await directory(root)).id, build.id);
	fs.appendFileSync(path.join(boot, "config.txt"), "# more\n");
	assert.equal(await build.check(), false);
	assert.notEqual((await directory(root, boot)).id, build.id);
});

test("a directory that is changed gives nothing more, be it where nobody looks", async () => {
	const root = place({ ...ROOT, "usr/share/doc/unread": "1" });
	const build = await directory(root);
	let told = 0;
	build.onInvalid(() => told++);
	assert.equal(await build.check(), true);
	fs.writeFileSync(path.join(root, "usr/share/doc/unread"), "2");
	clock.advance(60_000);
	assert.equal(await build.check(), false);
	assert.equal(told, 1);
	await assert.rejects(text(build, "root", "/etc/which"), isAgain);
	const next = await directory(root);
	assert.notEqual(next.id, build.id);
	assert.equal(next.superblock, build.superblock);
	fs.rmSync(root, { recursive: true });
	clock.advance(60_000);
	assert.equal(await next.check(), false);
});

test("a directory that was changed a moment ago is not taken yet", async () => {
	const root = place(ROOT);
	const now = new ManualClock(Date.now());
	const open = () => ImageBuild.openDirectory(root, undefined, { settleMs: 2000, clock: now });
	await assert.rejects(open(), isAgain);
	now.advance(5000);
	opened.push(await open());
	await assert.rejects(ImageBuild.openDirectory(path.join(root, "etc/which"), undefined, { settleMs: 0 }), {
		code: "unsupported-directory",
	});
});

test("a root and a boot volume in files of their own, as Buildroot leaves them", async () => {
	const work = place({});
	const sourceDir = fill(path.join(work, "root"), { ...ROOT, "boot/": "" });
	const ext = makeExtImage(work, { size: "8M", sourceDir });
	const fat = makeFatImage(work, { sizeKiB: 4096, sourceDir: fill(path.join(work, "boot"), PI_BOOT) });
	const tar = path.join(work, "rootfs.tar");
	runTool("tar", ["--numeric-owner", "--owner=0", "--group=0", "-C", sourceDir, "-cf", tar, "."]);
	const ids = new Set<string>();
	for (const root of [ext, tar]) {
		const build = await volumes(root, fat);
		assert.equal(await text(build, "root", "/etc/which"), "one\n");
		assert.equal(await text(build, "boot", "/kernel8.img"), "kernel");
		assert.equal((await volumes(root, fat)).id, build.id);
		ids.add(build.id);
		fs.utimesSync(fat, 1, 1 + ids.size);
		assert.equal(await build.check(), false, "one of the two is enough");
		await assert.rejects(text(build, "root", "/etc/which"), isAgain);
		ids.add((await volumes(root, fat)).id);
	}
	assert.equal(ids.size, 4);
	const swapped = await volumes(fat, ext);
	assert.equal(swapped.trees().root, undefined);
});

test("one file system without a table may have its boot files in /boot", async () => {
	const work = place({});
	const sourceDir = fill(path.join(work, "root"), { ...ROOT, "boot/firmware/config.txt": "", "boot/config.txt": "x" });
	const build = await ImageBuild.open(makeExtImage(work, { size: "8M", sourceDir }));
	opened.push(build);
	assert.equal(build.trees().bootMount, "/boot/firmware");
	assert.equal(await text(build, "boot", "/config.txt"), "");
});
