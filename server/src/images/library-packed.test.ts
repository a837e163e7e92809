import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, afterEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ManualClock, whenReady } from "../base/index.ts";
import { runTool } from "../disk/testdata/index.ts";
import { fill, makePiImage, PI_ROOT } from "../vfs/image/testing/images.ts";
import { readTextAt } from "../vfs/index.ts";
import { inspectImage } from "./inspect.ts";
import { ImageLibrary } from "./library.ts";
import type { ImageLibraryOptions } from "./library-options.ts";
import { MemoryImageRecords } from "./records.ts";

const work = fs.mkdtempSync(path.join(os.tmpdir(), "packed-"));
const OLD = makePiImage(work, { name: "old.img", root: { ...PI_ROOT, "etc/which": "old" } });
const NEW = makePiImage(work, { name: "new.img", root: { ...PI_ROOT, "etc/which": "new" } });
const running: ImageLibrary[] = [];

afterEach(async () => {
	for (const library of running.splice(0)) await library.stop();
});
after(() => fs.rmSync(work, { recursive: true }));

function packed(image: string, extension: string): Buffer {
	if (extension === "xz") return runTool("xz", ["-0c", image]);
	if (extension === "gz") return runTool("gzip", ["-1c", image]);
	if (extension === "zst") return runTool("zstd", ["-1qc", image]);
	const archive = path.join(work, "archive.zip");
	fs.rmSync(archive, { force: true });
	runTool("zip", ["-1qj", archive, image]);
	return fs.readFileSync(archive);
}

/** Under another inode each time, and last changed an hour ago. */
function place(bytes: Buffer, to: string): void {
	fs.writeFileSync(`${to}~`, bytes);
	const hourAgo = new Date(Date.now() - 3_600_000);
	fs.utimesSync(`${to}~`, hourAgo, hourAgo);
	fs.renameSync(`${to}~`, to);
}

async function startLab(fill: (folder: string) => void, options: Partial<ImageLibraryOptions> = {}) {
	const folder = options.folder ?? fs.mkdtempSync(path.join(work, "folder-"));
	const unpackedFolder = options.unpackedFolder ?? fs.mkdtempSync(path.join(work, "unpacked-"));
	fill(folder);
	const clock = new ManualClock(Date.now());
	const records = options.records ?? new MemoryImageRecords();
	const defaults = { get: () => undefined, set: async () => {} };
	const all = { folder, unpackedFolder, clock, records, defaults, inspect: inspectImage, watch: false, ...options };
	const library = new ImageLibrary(all);
	running.push(library);
	await library.start();
	/** Lets the library look until it has unpacked what there is. */
	const settle = async (milliseconds = 0) => {
		clock.advance(milliseconds);
		await library.refresh();
		while (library.list().some(({ state, percent }) => state === "importing" || percent !== null)) {
			await sleep(20);
			await library.refresh();
		}
	};
	const restart = async () => {
		await library.stop();
		return startLab(() => {}, all);
	};
	return { library, folder, unpackedFolder, clock, settle, restart };
}

async function which(library: ImageLibrary, id: string): Promise<string | undefined> {
	const root = library.choose(id)?.build.trees().root;
	return root && whenReady(() => readTextAt(root.tree, "/etc/which"));
}

test("packed images are unpacked by themselves, once, and then are images like others", async () => {
	const formats = ["xz", "gz", "zst", "zip"];
	const told: string[] = [];
	const lab = await startLab((folder) => {
		for (const each of formats) place(packed(OLD, each), path.join(folder, `${each}.img.${each}`));
	});
	assert.deepEqual([...new Set(lab.library.list().map(({ state }) => state))], ["importing"]);
	assert.equal(lab.library.choose(null), undefined);
	lab.library.events.on("changed", ({ id, state, percent }) => told.push(`${id} ${state} ${percent}`));
	await lab.settle();
	for (const id of formats) {
		const image = lab.library.get(id);
		assert.deepEqual([image?.state, image?.percent, await which(lab.library, id)], ["ready", null, "old"], id);
		assert.equal(image?.size, fs.statSync(path.join(lab.folder, `${id}.img.${id}`)).size);
		assert.ok(told.includes(`${id} ready null`), told.join());
	}
	const copies = fs.readdirSync(lab.unpackedFolder);
	assert.equal(copies.length, 4);
	const builds = formats.map((id) => lab.library.get(id)?.buildId);

	const { library } = await lab.restart();
	assert.deepEqual(
		formats.map((id) => [library.get(id)?.state, library.get(id)?.buildId]),
		builds.map((build) => ["ready", build]),
	);
	assert.deepEqual(fs.readdirSync(lab.unpackedFolder), copies);
});

test("a lost copy is made again, and is the same build: what the Pis wrote over it stays", async () => {
	const lab = await startLab((folder) => place(packed(OLD, "gz"), path.join(folder, "a.img.gz")));
	await lab.settle();
	const build = lab.library.get("a")?.buildId;
	await lab.library.stop();
	fs.rmSync(lab.unpackedFolder, { recursive: true });
	const again = await lab.restart();
	assert.equal(again.library.get("a")?.state, "importing");
	await again.settle();
	assert.deepEqual([again.library.get("a")?.state, again.library.get("a")?.buildId], ["ready", build]);
});

test("a file that is replaced is unpacked anew: until then the old build is booted, then its copy goes", async () => {
	const lab = await startLab((folder) => place(packed(OLD, "gz"), path.join(folder, "a.img.gz")));
	await lab.settle();
	const before = lab.library.get("a")?.buildId;
	const [copy] = fs.readdirSync(lab.unpackedFolder);
	place(packed(NEW, "gz"), path.join(lab.folder, "a.img.gz"));
	await lab.library.refresh();
	lab.clock.advance(2500);
	await lab.library.refresh();
	const during = lab.library.get("a");
	assert.deepEqual([during?.state, during?.buildId, typeof during?.percent], ["ready", before, "number"]);
	assert.equal(await which(lab.library, "a"), "old");
	await lab.settle();
	assert.equal(await which(lab.library, "a"), "new");
	assert.notEqual(lab.library.get("a")?.buildId, before);
	await lab.library.refresh();
	assert.equal(fs.readdirSync(lab.unpackedFolder).length, 1);
	assert.notEqual(fs.readdirSync(lab.unpackedFolder)[0], copy);
});

test("renaming keeps id and copy, also while the server is off; deleting drops the copy", async () => {
	const lab = await startLab((folder) => place(packed(OLD, "xz"), path.join(folder, "a.img.xz")));
	await lab.settle();
	const copies = fs.readdirSync(lab.unpackedFolder);
	await lab.library.stop();
	fs.renameSync(path.join(lab.folder, "a.img.xz"), path.join(lab.folder, "b.img.xz"));
	const again = await lab.restart();
	await again.settle(2500);
	assert.deepEqual(
		again.library.list().map(({ id, name, state }) => [id, name, state]),
		[["a", "b.img.xz", "ready"]],
	);
	assert.deepEqual(fs.readdirSync(lab.unpackedFolder), copies);
	assert.equal(await again.library.remove("a", "delete"), "removed");
	await again.library.refresh();
	assert.deepEqual(fs.readdirSync(lab.unpackedFolder), []);
});

test("what cannot be unpacked is broken, says why, and leaves nothing behind", async () => {
	const whole = packed(OLD, "xz");
	const both = path.join(work, "two.zip");
	runTool("zip", ["-qj", both, OLD, NEW]);
	const lab = await startLab((folder) => {
		place(whole.subarray(0, whole.length / 2), path.join(folder, "cut.img.xz"));
		place(fs.readFileSync(both), path.join(folder, "two.zip"));
		place(Buffer.from("<html>404</html>"), path.join(folder, "page.img.xz"));
		place(Buffer.from("BZh91AY&SY"), path.join(folder, "bz.img.bz2"));
	});
	await lab.settle();
	const said = Object.fromEntries(
		lab.library.list().map(({ id, state, findings }) => [id, `${state}: ${findings[0]?.message}`]),
	);
	assert.match(said.cut ?? "", /^broken: cut\.img\.xz is damaged or incomplete: xz: Unexpected end of input/);
	assert.match(said.two ?? "", /^broken: .*holds 2 images: old\.img, new\.img/);
	assert.match(said.page ?? "", /^broken: .*called \.xz.* page/);
	assert.match(said.bz ?? "", /^broken: It is packed with bzip2/);
	assert.deepEqual(fs.readdirSync(lab.unpackedFolder), []);
});

test("a root file system in a tar, plain and packed, is an image, with the boot files that are in it", async () => {
	const folder = fill(path.join(work, "rootfs"), {
		...PI_ROOT,
		"etc/which": "tar",
		"boot/firmware/config.txt": "arm_64bit=1\n",
		"boot/firmware/cmdline.txt": "console=tty1\n",
	});
	const tar = runTool("tar", ["-C", folder, "-cf", "-", "."]);
	const lab = await startLab((images) => {
		place(tar, path.join(images, "plain.tar"));
		fs.writeFileSync(path.join(work, "packed.tar"), tar);
		place(packed(path.join(work, "packed.tar"), "gz"), path.join(images, "packed.tgz"));
		place(runTool("tar", ["-P", "-cf", "-", path.join(folder, "etc")]), path.join(images, "absolute.tar"));
	});
	await lab.settle();
	for (const id of ["plain", "packed"]) {
		assert.deepEqual([lab.library.get(id)?.state, await which(lab.library, id)], ["ready", "tar"], id);
		const { boot, bootMount } = lab.library.choose(id)?.build.trees() ?? {};
		assert.equal(bootMount, "/boot/firmware");
		const cmdline = boot && (await whenReady(() => readTextAt(boot.tree, "/cmdline.txt")));
		assert.equal(cmdline, "console=tty1\n");
	}
	const absolute = lab.library.get("absolute");
	assert.equal(absolute?.state, "broken");
	assert.match(absolute?.findings[0]?.message ?? "", /is an absolute name: pack a root file system with/);
});

test("a full disk is said, and tried again when there may be room", async () => {
	const limits = { reserveBytes: 2 ** 52 };
	const fill = (folder: string) => place(packed(OLD, "gz"), path.join(folder, "a.img.gz"));
	const lab = await startLab(fill, { unpackLimits: limits });
	await lab.settle();
	const image = lab.library.get("a");
	assert.deepEqual([image?.state, image?.findings[0]?.code], ["broken", "image-import-no-space"]);
	limits.reserveBytes = 0;
	await lab.settle(29_000);
	assert.equal(lab.library.get("a")?.state, "broken");
	await lab.settle(2000);
	assert.equal(lab.library.get("a")?.state, "ready");
});

test("what a killed server left half unpacked is removed at the next start", async () => {
	const unpackedFolder = fs.mkdtempSync(path.join(work, "unpacked-"));
	fs.writeFileSync(path.join(unpackedFolder, "0123456789abcdef.img.part"), "half");
	fs.writeFileSync(path.join(unpackedFolder, "0123456789abcdef.img"), "of a file that is gone");
	fs.writeFileSync(path.join(unpackedFolder, "notes.txt"), "not ours");
	await startLab(() => {}, { unpackedFolder });
	assert.deepEqual(fs.readdirSync(unpackedFolder), ["notes.txt"]);
});

test("removed while it is unpacked, nothing of it is left but the file, and with delete not even that", async () => {
	for (const file of ["forget", "delete"] as const) {
		const lab = await startLab((folder) => place(packed(OLD, "xz"), path.join(folder, "x.img.xz")));
		assert.equal(lab.library.get("x")?.state, "importing");
		assert.equal(await lab.library.remove("x", file), "removed");
		assert.deepEqual(lab.library.list(), []);
		while (fs.readdirSync(lab.unpackedFolder).length > 0) {
			await sleep(20);
			await lab.library.refresh();
		}
		await lab.library.stop();
		assert.deepEqual(fs.readdirSync(lab.folder), file === "forget" ? ["x.img.xz"] : []);
		assert.deepEqual(fs.readdirSync(lab.unpackedFolder), []);
	}
});
