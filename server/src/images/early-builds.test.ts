import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FileError, whenReady } from "../base/index.ts";
import { runTool } from "../disk/testdata/index.ts";
import { makePiImage, PI_ROOT } from "../vfs/image/testing/images.ts";
import { readTextAt } from "../vfs/index.ts";
import { makeGatedZstd } from "./testing/gated-zstd.ts";
import { type Lab, OLD, startLab, work } from "./testing/library-lab.ts";

const LATE = "later ".repeat(500_000);
const IMAGE = makePiImage(work, { name: "late", root: { ...PI_ROOT, "etc/which": "early", late: LATE } });
const halfOfLate = fs.readFileSync(IMAGE).indexOf(LATE.slice(0, 4096)) + LATE.length / 2;
const zstd = makeGatedZstd(work, halfOfLate);
process.env.PATH = zstd.path;

beforeEach(() => zstd.close());

function place(image: string, to: string): void {
	fs.writeFileSync(`${to}~`, runTool("zstd", ["-1qc", image]));
	const hourAgo = new Date(Date.now() - 3_600_000);
	fs.utimesSync(`${to}~`, hourAgo, hourAgo);
	fs.renameSync(`${to}~`, to);
}

async function startUnpacking() {
	const unpackedFolder = fs.mkdtempSync(path.join(work, "unpacked-"));
	const lab = await startLab((folder) => place(IMAGE, path.join(folder, "a.img.zst")), { unpackedFolder });
	return { lab, unpackedFolder };
}

async function until(lab: Lab, isSo: () => boolean): Promise<void> {
	for (let left = 400; !isSo(); left--) {
		if (left === 0) throw new Error(JSON.stringify(lab.library.list(), undefined, 1));
		await sleep(20);
		await lab.library.refresh();
	}
}

function read(lab: Lab, file: string): Promise<string | undefined> {
	const { root } = lab.library.choose("a")?.build.trees() ?? {};
	assert.ok(root !== undefined);
	return whenReady(() => readTextAt(root.tree, file, LATE.length));
}

function seen({ library }: Lab) {
	const image = library.get("a");
	return [image?.state, image?.isBootable, image?.percent !== null];
}

test("an image can be booted before its end has come; then it is that image, and the same build after a restart", async () => {
	const { lab } = await startUnpacking();
	assert.deepEqual(seen(lab), ["importing", false, true]);
	await until(lab, () => lab.library.get("a")?.isBootable === true);
	assert.deepEqual(seen(lab), ["importing", true, true]);
	assert.equal(lab.library.defaultId, "a");
	assert.equal(await read(lab, "/etc/which"), "early");
	const { buildId } = lab.library.get("a") ?? {};
	lab.library.hold(buildId ?? "");
	const late = read(lab, "/late");
	zstd.open();
	assert.equal(await late, LATE);
	await until(lab, () => lab.library.get("a")?.state === "ready" && lab.library.get("a")?.percent === null);
	assert.deepEqual([...seen(lab), lab.library.get("a")?.buildId], ["ready", true, false, buildId]);
	assert.equal(lab.library.choose("a")?.build.source?.size, fs.statSync(IMAGE).size);
	const { library } = await lab.restart();
	assert.deepEqual([library.get("a")?.state, library.get("a")?.buildId], ["ready", buildId]);
});

test("one that comes to nothing in the end is broken, says why, and nothing of it is given or left", async () => {
	const { lab, unpackedFolder } = await startUnpacking();
	await until(lab, () => lab.library.get("a")?.isBootable === true);
	const build = lab.library.choose("a")?.build ?? assert.fail();
	lab.library.hold(build.id);
	const late = read(lab, "/late");
	zstd.fail();
	await assert.rejects(late, (error) => error instanceof FileError && error.code === "EAGAIN");
	await until(lab, () => lab.library.get("a")?.state === "broken");
	const [finding] = lab.library.get("a")?.findings ?? [];
	assert.match(finding?.message ?? "", /a\.img\.zst is damaged or incomplete: zstd: .*corruption detected/);
	assert.match(build.failure ?? "", /a\.img\.zst is damaged/);
	assert.equal(lab.library.choose("a"), undefined);
	assert.throws(() => build.trees().root?.tree.statfs(), FileError);
	assert.deepEqual(fs.readdirSync(unpackedFolder), []);
	lab.library.release(build.id);
});

test("what is whole and older is booted until the new one is whole too; what is deleted meanwhile is given up", async () => {
	zstd.open();
	const unpackedFolder = fs.mkdtempSync(path.join(work, "unpacked-"));
	const lab = await startLab((folder) => place(OLD, path.join(folder, "a.img.zst")), { unpackedFolder });
	await until(lab, () => lab.library.get("a")?.state === "ready");
	const { buildId } = lab.library.get("a") ?? {};
	zstd.close();
	place(IMAGE, path.join(lab.folder, "a.img.zst"));
	await lab.pass(0);
	await lab.pass(2500);
	await sleep(200);
	await lab.pass(100);
	assert.deepEqual([...seen(lab), lab.library.get("a")?.buildId], ["ready", true, true, buildId]);
	fs.rmSync(path.join(lab.folder, "a.img.zst"));
	await until(lab, () => lab.library.get("a") === undefined && fs.readdirSync(unpackedFolder).length === 0);
});
