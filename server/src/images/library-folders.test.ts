import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { whenReady } from "../base/index.ts";
import { makeExtImage, makeFatImage, runTool } from "../disk/testdata/index.ts";
import { fill, PI_BOOT, PI_ROOT } from "../vfs/image/testing/images.ts";
import { ImageBuild, readTextAt, resolvePath } from "../vfs/index.ts";
import { type Lab, NEW, OLD, place, startLab, which, work } from "./testing/library-lab.ts";

const ROOT = { ...PI_ROOT, "etc/which": "directory", "usr/bin/sh": "#!" };
const BOOT_IN_ROOT = Object.fromEntries(Object.entries(PI_BOOT).map(([name, text]) => [`boot/firmware/${name}`, text]));
const SOURCES = path.join(work, "sources");
const rootDir = fill(path.join(SOURCES, "root"), { ...ROOT, "etc/which": "buildroot" });
const EXT = makeExtImage(work, { size: "8M", sourceDir: rootDir });
const FAT = makeFatImage(work, { sizeKiB: 4096, sourceDir: fill(path.join(SOURCES, "boot"), PI_BOOT) });
const TAR = path.join(work, "rootfs.tar");
runTool("tar", ["--numeric-owner", "--owner=0", "--group=0", "-C", rootDir, "-cf", TAR, "."]);
const unpackedFolder = path.join(work, "unpacked");

async function settled(fillFolder: (folder: string) => void, options = {}): Promise<Lab> {
	const lab = await startLab(fillFolder, options);
	// Nobody can make a file's ctime older than it is.
	await lab.pass(3000);
	return lab;
}

const shown = ({ library }: Lab) => library.list().map(({ id, name, state }) => [id, name, state]);

function kernel(lab: Lab, id: string): Promise<string | undefined> {
	const boot = lab.library.choose(id)?.build.trees().boot?.tree ?? assert.fail(`no boot files: ${id}`);
	return whenReady(() => readTextAt(boot, "/kernel8.img"));
}

/** Waits for what a worker does besides. */
async function until(lab: Lab, condition: () => boolean): Promise<void> {
	for (let tries = 0; !condition(); tries++) {
		assert.ok(tries < 1000, JSON.stringify(lab.library.list()));
		await new Promise((resolve) => setTimeout(resolve, 10));
		await lab.pass(100);
	}
}

test("a folder with a root file system in it is an image, in whatever way it has its boot files", async () => {
	const elsewhere = fill(path.join(work, "nfs/rootfs"), { ...ROOT, ...BOOT_IN_ROOT });
	const lab = await settled((folder) => {
		fill(path.join(folder, "Kiosk 1"), { ...ROOT, ...BOOT_IN_ROOT, "initrd.img": "no image" });
		fill(path.join(folder, "predecessor/rootfs"), ROOT);
		fill(path.join(folder, "predecessor/tftp"), PI_BOOT);
		fs.symlinkSync(elsewhere, path.join(folder, "linked"));
	});
	assert.deepEqual(shown(lab).sort(), [
		["kiosk-1", "Kiosk 1", "ready"],
		["linked", "linked", "ready"],
		["predecessor", "predecessor", "ready"],
	]);
	for (const id of ["kiosk-1", "linked", "predecessor"]) {
		assert.deepEqual([await which(lab.library.choose(id)), await kernel(lab, id)], ["directory", "kernel"]);
	}
	const { size, usedBytes, path: at } = lab.library.get("kiosk-1") ?? assert.fail();
	assert.ok(size > 0 && size === usedBytes);
	assert.equal(at, path.join(lab.folder, "Kiosk 1"));
});

test("a directory that changes under a running Pi: nothing more is given of it, and the next boot has a new build", async () => {
	const lab = await settled((folder) => fill(path.join(folder, "x"), { ...ROOT, ...BOOT_IN_ROOT }));
	const before = lab.library.choose("x");
	fs.writeFileSync(path.join(lab.folder, "x/etc/which"), "edited");
	await lab.pass(60_000);
	assert.equal(before?.build.valid, false);
	await assert.rejects(which(before), { code: "EAGAIN" });
	await until(lab, () => lab.library.choose("x") !== undefined);
	assert.equal(await which(lab.library.choose("x")), "edited");
	assert.deepEqual(shown(lab), [["x", "x", "ready"]]);
});

test("a directory that another takes the place of by renaming is read on by who runs it; the next boot gets the new one", async () => {
	const files = { ...ROOT, ...BOOT_IN_ROOT };
	const lab = await settled((folder) => fill(path.join(folder, "kiosk"), files));
	const before = lab.library.choose("kiosk") ?? assert.fail();
	lab.library.hold(before.build.id);
	fill(path.join(lab.folder, ".next"), { ...files, "etc/which": "next" });
	fs.renameSync(path.join(lab.folder, "kiosk"), path.join(lab.folder, ".old"));
	fs.renameSync(path.join(lab.folder, ".next"), path.join(lab.folder, "kiosk"));
	await lab.pass(0);
	await lab.pass(3000);
	assert.equal(await which(lab.library.choose("kiosk")), "next");
	assert.equal(await which(before), "directory");
	assert.deepEqual(shown(lab), [["kiosk", "kiosk", "ready"]]);
	lab.library.release(before.build.id);
});

test("a large directory keeps nobody waiting: it is importing until it was looked over", async (t) => {
	const { promise: gate, resolve: open } = Promise.withResolvers<void>();
	const { openDirectory } = ImageBuild;
	let begun = 0;
	t.mock.method(ImageBuild, "openDirectory", async (...wish: Parameters<typeof openDirectory>) => {
		begun++;
		await gate;
		return await openDirectory(...wish);
	});
	const lab = await startLab((folder) => fill(path.join(folder, "large"), { ...ROOT, ...BOOT_IN_ROOT }));
	place(NEW, path.join(lab.folder, "small.img"));
	// A look that waits is waited for by the clock alone.
	const patience = setInterval(() => lab.clock.advance(100), 1);
	for (let turn = 0; turn < 3; turn++) await lab.pass(3000);
	clearInterval(patience);
	assert.deepEqual(shown(lab).sort(), [
		["large", "large", "importing"],
		["small", "small.img", "ready"],
	]);
	assert.deepEqual([begun, lab.library.choose("large"), lab.library.isImporting("large")], [1, undefined, true]);
	fs.writeFileSync(path.join(lab.folder, "large/late"), "");
	open();
	await until(lab, () => lab.library.choose("large") !== undefined);
	assert.equal(lab.library.get("large")?.state, "ready");
	const build = lab.library.choose("large")?.build.trees().root?.tree ?? assert.fail();
	assert.notEqual(resolvePath(build, "/late"), undefined);
});

test("renamed, also while the server was down, a folder keeps its id and its build", async () => {
	const lab = await settled((folder) => {
		fill(path.join(folder, "tree"), { ...ROOT, ...BOOT_IN_ROOT });
		place(EXT, path.join(folder, "pair/rootfs.ext4"));
		place(FAT, path.join(folder, "pair/boot.vfat"));
		place(OLD, path.join(folder, "one/raspios.img"));
	});
	const ids = ["one", "pair", "tree"];
	const builds = ids.map((id) => lab.library.get(id)?.buildId);
	for (const id of ids) assert.equal(await lab.library.rename(id, `${id} 2`), true);
	assert.deepEqual(
		shown(lab).sort(),
		ids.map((id) => [id, `${id} 2`, "ready"]),
	);
	await lab.library.stop();
	for (const id of ids) fs.renameSync(path.join(lab.folder, `${id} 2`), path.join(lab.folder, `${id} 3`));
	const again = await lab.restart();
	await again.pass(3000);
	assert.deepEqual(
		shown(again).sort(),
		ids.map((id) => [id, `${id} 3`, "ready"]),
	);
	assert.deepEqual(
		ids.map((id) => again.library.get(id)?.buildId),
		builds,
	);
	await assert.rejects(again.library.rename("tree", "../x"), { code: "import-name" });
	await assert.rejects(again.library.rename("tree", "pair 3"), { code: "image-exists" });
});

test("what Buildroot leaves in its folder is one image, the whole disk before the parts", async () => {
	const lab = await settled(
		(folder) => {
			for (const [name, files] of Object.entries({
				disk: { "sdcard.img": NEW, "boot.vfat": FAT, "rootfs.ext2": EXT, "rootfs.tar": TAR },
				ext: { "boot.vfat": FAT, "rootfs.ext2": EXT, "rootfs.tar": TAR, "u-boot.img": FAT },
				tar: { "boot.vfat": FAT, "rootfs.tar": TAR },
				packed: { "boot.vfat": FAT },
				bare: { "rootfs.ext4": EXT },
				alone: { "rootfs.tar": TAR },
			})) {
				for (const [file, from] of Object.entries(files)) place(from, path.join(folder, name, file));
			}
			runTool("sh", ["-c", `gzip -c '${TAR}' > '${path.join(folder, "packed/rootfs.tar.gz")}'`]);
			fs.symlinkSync("rootfs.ext2", path.join(folder, "ext/rootfs.ext4"));
		},
		{ unpackedFolder },
	);
	await until(lab, () => lab.library.list().every(({ state }) => state === "ready"));
	assert.deepEqual(
		shown(lab)
			.map(([id]) => id)
			.sort(),
		["alone", "bare", "disk", "ext", "packed", "tar"],
	);
	assert.equal(await which(lab.library.choose("disk")), "new");
	for (const id of ["alone", "bare", "ext", "packed", "tar"]) {
		assert.equal(await which(lab.library.choose(id)), "buildroot", id);
	}
	for (const id of ["ext", "tar", "packed"]) assert.equal(await kernel(lab, id), "kernel");
	assert.equal(fs.readdirSync(unpackedFolder).length, 1);
});

test("Buildroot's next build is the same image in another build", async () => {
	const lab = await settled((folder) => {
		place(EXT, path.join(folder, "kiosk/rootfs.ext4"));
		place(FAT, path.join(folder, "kiosk/boot.vfat"));
		place(OLD, path.join(folder, "disk/release-1.img"));
	});
	const before = ["kiosk", "disk"].map((id) => lab.library.get(id)?.buildId);
	fs.rmSync(path.join(lab.folder, "kiosk/boot.vfat"));
	await lab.pass(0);
	assert.equal(lab.library.get("kiosk")?.buildId, before[0], "half of it: not taken yet");
	fs.copyFileSync(FAT, path.join(lab.folder, "kiosk/boot.vfat"));
	fs.rmSync(path.join(lab.folder, "disk/release-1.img"));
	fs.copyFileSync(NEW, path.join(lab.folder, "disk/release-2.img"));
	await lab.pass(0);
	await lab.pass(3000);
	assert.deepEqual(
		shown(lab).map(([id, , state]) => [id, state]),
		[
			["disk", "ready"],
			["kiosk", "ready"],
		],
	);
	assert.equal(await which(lab.library.choose("disk")), "new");
	for (const [index, id] of ["kiosk", "disk"].entries()) assert.notEqual(lab.library.get(id)?.buildId, before[index]);
});

test("several images in a folder are called by both names", async () => {
	const lab = await settled((folder) => {
		place(OLD, path.join(folder, "class/a.img"));
		place(NEW, path.join(folder, "class/b.img"));
		fs.writeFileSync(path.join(folder, "class/README"), "");
	});
	assert.deepEqual(shown(lab).sort(), [
		["class-a", "class/a.img", "ready"],
		["class-b", "class/b.img", "ready"],
	]);
	assert.equal(await lab.library.rename("class-a", "c"), true);
	assert.equal(lab.library.get("class-a")?.name, "class/c.img");
});

test("a folder that was meant to be an image says what is missing; any other is left alone", async () => {
	const lab = await settled((folder) => {
		fill(path.join(folder, "half"), { "usr/bin/sh": "", "lib/x": "" });
		place(FAT, path.join(folder, "buildroot/boot.vfat"));
		fill(path.join(folder, "boot files"), { "config.txt": "", "start4.elf": "" });
		fill(path.join(folder, "notes"), { "todo.txt": "", "photos/x.jpg": "" });
		fs.mkdirSync(path.join(folder, "empty"));
		fs.symlinkSync("/", path.join(folder, "machine"));
		fs.symlinkSync("loop", path.join(folder, "loop"));
	});
	const said = Object.fromEntries(
		lab.library.list().map(({ id, state, findings }) => [id, `${state}: ${findings[0]?.message}`]),
	);
	assert.deepEqual(said, {
		"boot-files": "broken: These are the boot files of a system without its root file system.",
		buildroot: "broken: There is a boot volume in it, but no root file system.",
		half: "broken: It is no root file system: there is no etc in it.",
		machine: "broken: It holds folders of this server: it is a part of this machine, and no system for a Pi.",
	});
});

test("a directory elsewhere is added by its path, as a link", async () => {
	const elsewhere = fill(path.join(work, "srv/roots/kiosk"), { ...ROOT, ...BOOT_IN_ROOT });
	const lab = await startLab((folder) => place(OLD, path.join(folder, "one/disk.img")));
	const { library } = lab;
	assert.equal(await library.addPath(elsewhere), "kiosk");
	assert.equal(await library.addPath(elsewhere, "Second"), "second");
	await lab.pass(3000);
	await until(lab, () => library.get("kiosk")?.state === "ready");
	assert.deepEqual(library.get("kiosk")?.origin, { kind: "path", path: elsewhere });
	assert.equal(await library.addPath(path.join(lab.folder, "one/disk.img")), "one", "it is there already");
	assert.equal(await library.addPath(path.join(lab.folder, "one")), "one");
	await assert.rejects(library.addPath("/"), /part of this machine/);
	await assert.rejects(library.addPath(lab.folder), /part of this machine/);
	await assert.rejects(library.addPath(path.join(elsewhere, "etc")), /no root file system/);
	await assert.rejects(library.addPath(elsewhere, "../out"), { code: "import-name" });
	assert.equal(await library.remove("kiosk", "delete"), "removed");
	assert.ok(fs.existsSync(path.join(elsewhere, "etc")));
});

test("deleting takes an image's files and their folder, and never what somebody prepared", async () => {
	const lab = await settled((folder) => {
		fill(path.join(folder, "tree"), { ...ROOT, ...BOOT_IN_ROOT });
		place(EXT, path.join(folder, "pair/rootfs.ext4"));
		place(FAT, path.join(folder, "pair/boot.vfat"));
		place(OLD, path.join(folder, "one/raspios.img"));
		place(OLD, path.join(folder, "noted/raspios.img"));
		fs.writeFileSync(path.join(folder, "noted/README"), "");
	});
	for (const id of ["pair", "one", "noted"]) assert.equal(await lab.library.remove(id, "delete"), "removed");
	assert.deepEqual(fs.readdirSync(lab.folder).sort(), ["noted", "tree"]);
	await assert.rejects(lab.library.remove("tree", "delete"), /rm -r|does not delete it/);
	assert.equal(await lab.library.remove("tree", "forget"), "removed");
	assert.deepEqual(shown(lab), []);
	assert.equal(await lab.library.addPath(path.join(lab.folder, "tree")), "tree");
});
