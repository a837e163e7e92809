import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { FileError } from "../base/index.ts";
import { readTextAt } from "../vfs/index.ts";
import type { InspectedTrees } from "./inspect-facts.ts";
import { ImageLibrary } from "./library.ts";
import { MemoryImageRecords } from "./records.ts";
import { ids, inspect, NEW, OLD, place, startLab, which, withoutRights, work } from "./testing/library-lab.ts";

test("images that lie in the folder, and in folders in it, are ready when it has started", async () => {
	const { library, told } = await startLab((folder) => {
		place(OLD, path.join(folder, "raspios.img"));
		place(NEW, path.join(folder, "Debian 13", "Disk.IMG"));
		place(NEW, path.join(folder, "too", "deep", "x.img"));
		place(NEW, path.join(folder, ".hidden.img"));
		place(NEW, path.join(folder, "notes.txt"));
	});
	assert.deepEqual(ids(library).sort(), ["debian-13", "raspios"]);
	const image = library.get("raspios");
	assert.equal(image?.state, "ready");
	assert.equal(image.size, fs.statSync(OLD).size);
	assert.ok(image.usedBytes !== null && image.usedBytes > 10_000 && image.usedBytes < image.size);
	assert.deepEqual(
		image.findings.map(({ code }) => code),
		["said"],
	);
	assert.equal(await which(library.choose("raspios")), "old");
	assert.deepEqual(told.sort(), ["added debian-13 ready", "added raspios ready"]);
});

test("a file that grows is taken when it has stopped", async () => {
	const { library, folder, pass, told } = await startLab();
	const bytes = fs.readFileSync(OLD);
	const file = path.join(folder, "slow.img");
	for (const part of [0.3, 0.6, 1]) {
		fs.writeFileSync(file, bytes.subarray(0, bytes.length * part));
		await pass(1900);
		assert.equal(library.get("slow")?.state, "importing");
		assert.equal(library.choose("slow"), undefined);
	}
	await pass(2000);
	assert.equal(library.get("slow")?.state, "ready");
	assert.equal(await which(library.choose("slow")), "old");
	assert.equal(told.at(-1), "changed slow ready");
});

test("looks come by themselves, every few seconds, and sooner when a file is about to settle", async () => {
	const { library, folder, clock, pass } = await startLab(undefined, { pollMs: 3000 });
	fs.copyFileSync(OLD, path.join(folder, "x.img"));
	clock.advance(2999);
	await new Promise(setImmediate);
	assert.deepEqual(ids(library), []);
	clock.advance(1);
	await waitFor(() => library.get("x")?.state === "importing");
	clock.advance(2000);
	await waitFor(() => library.get("x")?.state === "ready");
	await pass(0);
	assert.deepEqual(ids(library), ["x"]);
});

/** For what comes by itself; what does not come in ten seconds never will. */
async function waitFor(condition: () => boolean): Promise<void> {
	for (let tries = 0; !condition(); tries++) {
		assert.ok(tries < 2000, condition.toString());
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

test("the operating system's word is enough: no look was due", async () => {
	const { library, folder, clock } = await startLab(undefined, { watch: true, pollMs: 1e9 });
	fs.mkdirSync(path.join(folder, "sub"));
	place(OLD, path.join(folder, "x.img"));
	await waitFor(() => {
		clock.advance(300);
		return library.get("x")?.state === "ready";
	});
	place(NEW, path.join(folder, "sub", "y.img"));
	await waitFor(() => {
		clock.advance(300);
		return library.get("sub")?.state === "ready";
	});
});

test("replaced by rename: who runs the old build goes on, the next boot takes the new one", async () => {
	const { library, folder, pass } = await startLab((at) => place(OLD, path.join(at, "x.img")));
	const before = library.choose("x");
	assert.ok(before !== undefined);
	library.hold(before.build.id);
	fs.copyFileSync(NEW, path.join(folder, "x.part"));
	fs.renameSync(path.join(folder, "x.part"), path.join(folder, "x.img"));
	const shown = library.get("x")?.modifiedAt;
	await pass(0);
	assert.equal(await which(library.choose("x")), "old");
	assert.equal(library.get("x")?.modifiedAt, shown, "what is shown is what would be booted");
	await pass(2000);
	assert.deepEqual(ids(library), ["x"]);
	assert.equal(await which(library.choose("x")), "new");
	assert.notEqual(library.get("x")?.modifiedAt, shown);
	assert.equal(await which(library.build(before.build.id)), "old");
	library.release(before.build.id);
	assert.equal(library.build(before.build.id), undefined);
	assert.throws(
		() => library.hold(before.build.id),
		(error) => error instanceof FileError && error.code === "ESTALE",
	);
});

test("overwritten in place: not bootable while it changes, then in its new build", async () => {
	const { library, folder, pass, told } = await startLab((at) => place(OLD, path.join(at, "x.img")));
	const before = library.choose("x");
	fs.copyFileSync(NEW, path.join(folder, "x.img"));
	await pass(0);
	assert.equal(library.get("x")?.state, "importing");
	assert.equal(library.choose("x"), undefined);
	assert.equal(before?.build.valid, false);
	await pass(2000);
	assert.equal(await which(library.choose("x")), "new");
	assert.deepEqual(told, ["added x ready", "changed x importing", "changed x ready"]);
});

test("renamed, an image keeps its id, also while the server was down", async () => {
	const lab = await startLab((folder) => place(OLD, path.join(folder, "first.img")));
	const build = lab.library.choose("first")?.build;
	fs.renameSync(path.join(lab.folder, "first.img"), path.join(lab.folder, "second.img"));
	await lab.pass(0);
	assert.deepEqual(
		lab.library.list().map(({ id, name, state }) => [id, name, state]),
		[["first", "second.img", "ready"]],
	);
	assert.equal(lab.library.choose("first")?.build, build);
	const idBefore = lab.library.get("first")?.buildId;
	await lab.library.stop();
	fs.renameSync(path.join(lab.folder, "second.img"), path.join(lab.folder, "third.img"));
	const { library } = await lab.restart();
	assert.deepEqual(
		library.list().map(({ id, name }) => [id, name]),
		[["first", "third.img"]],
	);
	assert.equal(library.get("first")?.buildId, idBefore);
});

test("renamed, with another file in its old place: the id goes with the file", async () => {
	for (const isDown of [false, true]) {
		let lab = await startLab((folder) => place(OLD, path.join(folder, "x.img")));
		if (isDown) await lab.library.stop();
		fs.renameSync(path.join(lab.folder, "x.img"), path.join(lab.folder, "x-old.img"));
		place(NEW, path.join(lab.folder, "x.img"));
		if (isDown) lab = await lab.restart();
		await lab.pass(2000);
		const names = Object.fromEntries(lab.library.list().map(({ id, name }) => [id, name]));
		assert.deepEqual(names, { x: "x-old.img", "x-2": "x.img" });
		assert.equal(await which(lab.library.choose("x")), "old");
		assert.equal(await which(lab.library.choose("x-2")), "new");
	}
});

test("one known image moved over another: the place keeps its id", async () => {
	const { library, folder, pass } = await startLab((at) => {
		place(OLD, path.join(at, "x.img"));
		place(NEW, path.join(at, "upload.img"));
	});
	fs.renameSync(path.join(folder, "upload.img"), path.join(folder, "x.img"));
	await pass(0);
	await pass(2000);
	assert.deepEqual(ids(library), ["x"]);
	assert.equal(await which(library.choose("x")), "new");
});

test("deleted and copied anew, it is the same image", async () => {
	const lab = await startLab((folder) => place(OLD, path.join(folder, "x.img")));
	fs.rmSync(path.join(lab.folder, "x.img"));
	await lab.pass(0);
	assert.deepEqual(ids(lab.library), []);
	assert.deepEqual(lab.told, ["added x ready", "removed x broken"]);
	fs.copyFileSync(NEW, path.join(lab.folder, "x.img"));
	await lab.pass(0);
	await lab.pass(2000);
	assert.deepEqual(ids(lab.library), ["x"]);
	assert.equal(await which(lab.library.choose("x")), "new");
});

test("a deleted image that a Pi runs is there until the Pi lets go", async () => {
	const { library, folder, pass, told } = await startLab((at) => place(OLD, path.join(at, "x.img")));
	const build = library.choose("x")?.build;
	assert.ok(build !== undefined);
	library.hold(build.id);
	fs.rmSync(path.join(folder, "x.img"));
	await pass(3000);
	assert.equal(library.get("x")?.findings[0]?.code, "image-deleted");
	assert.equal(library.choose("x"), undefined);
	assert.equal(await which(library.build(build.id)), "old");
	library.release(build.id);
	assert.equal(library.get("x"), undefined);
	assert.equal(told.at(-1)?.slice(0, 9), "removed x");
});

test("two names that make the same id get different ones, for ever", async () => {
	const lab = await startLab((folder) => {
		place(OLD, path.join(folder, "a", "image.img"));
		place(NEW, path.join(folder, "A.img"));
	});
	const names = (library: ImageLibrary) =>
		library.list().map(({ id, path: at }) => [id, path.relative(lab.folder, at)]);
	const expected = [
		["a", "A.img"],
		["a-2", "a/image.img"],
	];
	assert.deepEqual(names(lab.library).sort(), expected);
	const { library } = await lab.restart();
	assert.deepEqual(names(library).sort(), expected);
});

test("what is no raw image is broken, and says what to do", async () => {
	const { library } = await startLab((folder) => {
		place(OLD, path.join(folder, "z.img"));
		fs.writeFileSync(path.join(folder, "raspios.img.xz"), "\xfd7zXZ\0", "latin1");
		fs.writeFileSync(path.join(folder, "really.img"), Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0]));
		fs.writeFileSync(path.join(folder, "empty.img"), "");
		fs.writeFileSync(path.join(folder, "noise.img"), Buffer.alloc(100_000, 0xfe));
		fs.mkdirSync(path.join(folder, "folder.img"));
		fs.symlinkSync("/nowhere", path.join(folder, "dangling.img"));
		for (const name of ["raspios.img.xz", "really.img", "empty.img", "noise.img"]) {
			fs.utimesSync(path.join(folder, name), 1e9, 1e9);
		}
	});
	const said = Object.fromEntries(
		library.list().map(({ id, state, findings }) => [id, [state, findings[0]?.code, findings[0]?.fix]]),
	);
	assert.deepEqual(said, {
		z: ["ready", "said", undefined],
		raspios: ["broken", "image-packed", "Unpack it: xz -dk raspios.img.xz"],
		really: ["broken", "image-packed", "Unpack it: mv really.img really.img.gz && gunzip -k really.img.gz"],
		empty: ["broken", "image-empty", "Copy it again."],
		noise: ["broken", "image-no-root", "Raw disk images with ext4 can be used."],
	});
	assert.equal(library.choose("empty"), undefined);
});

test("an image that we fail on does not keep the others from being served", async () => {
	const fail = (trees: InspectedTrees) => {
		if (trees.root !== undefined && readTextAt(trees.root, "/etc/which") === "old") throw new TypeError("a bug");
		return inspect(trees);
	};
	const fill = (folder: string) => {
		place(OLD, path.join(folder, "a.img"));
		place(NEW, path.join(folder, "b.img"));
	};
	const before = openFiles();
	const { library } = await startLab(fill, { inspect: fail });
	assert.deepEqual(
		library.list().map(({ id, state, findings }) => [id, state, findings[0]?.code]),
		[
			["a", "broken", "image-failed"],
			["b", "ready", "said"],
		],
	);
	assert.equal(openFiles(), before + 1);
});

test("a broken image gets well when its file does", async () => {
	const { library, folder, pass } = await startLab((at) => fs.writeFileSync(path.join(at, "x.img"), ""));
	await pass(2000);
	assert.equal(library.get("x")?.state, "broken");
	fs.copyFileSync(OLD, path.join(folder, "x.img"));
	await pass(0);
	await pass(2000);
	assert.equal(library.get("x")?.state, "ready");
});

test("a file that may not be read says so, and is tried again when it may", async () => {
	using _ = withoutRights();
	const { library, folder, pass } = await startLab((at) => {
		place(OLD, path.join(at, "x.img"));
		fs.chmodSync(path.join(at, "x.img"), 0);
	});
	assert.match(library.get("x")?.findings[0]?.message ?? "", /may not read/);
	fs.chmodSync(path.join(folder, "x.img"), 0o600);
	await pass(0);
	await pass(2000);
	assert.equal(library.get("x")?.state, "ready");
});

test("a symbolic link is the image that it leads to", async () => {
	place(OLD, path.join(work, "elsewhere", "real"));
	const { library } = await startLab((folder) =>
		fs.symlinkSync(path.join(work, "elsewhere", "real"), path.join(folder, "link.img")),
	);
	assert.equal(await which(library.choose("link")), "old");
});

test("a folder that cannot be read for a while changes nothing", async () => {
	const { library, folder, pass } = await startLab((at) => place(OLD, path.join(at, "x.img")));
	fs.renameSync(folder, `${folder}-away`);
	await pass(3000);
	assert.equal(library.get("x")?.state, "ready");
	fs.renameSync(`${folder}-away`, folder);
	await pass(3000);
	assert.equal(await which(library.choose("x")), "old");
});

test("stopping closes every file, held or not, and may be asked for twice", async () => {
	const before = openFiles();
	const { library } = await startLab((folder) => place(OLD, path.join(folder, "x.img")));
	const build = library.choose("x")?.build;
	assert.ok(build !== undefined);
	library.hold(build.id);
	await library.stop();
	await library.stop();
	assert.equal(openFiles(), before);
	await new ImageLibrary({
		folder: work,
		records: new MemoryImageRecords(),
		inspect,
		defaults: { get: () => undefined, set: async () => {} },
	}).stop();
});

function openFiles(): number {
	return fs.readdirSync("/proc/self/fd").filter((fd) => linkOf(fd).endsWith(".img")).length;
}

function linkOf(fd: string): string {
	try {
		return fs.readlinkSync(`/proc/self/fd/${fd}`);
	} catch {
		return "";
	}
}
