/** What a person asks of the library. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { ImageFacts } from "./inspect-facts.ts";
import { ids, inspect, NEW, OLD, place, startLab, work } from "./testing/library-lab.ts";

test("the default image: the chosen one, else the newest that is ready", async () => {
	const { library, folder, pass, clock } = await startLab((at) => place(OLD, path.join(at, "a.img")));
	clock.advance(1000);
	place(NEW, path.join(folder, "b.img"));
	await pass(2000);
	assert.equal(library.defaultId, "b");
	assert.equal(library.choose(null)?.imageId, "b");
	assert.equal(await library.setDefault("a"), true);
	assert.equal(await library.setDefault("c"), false);
	assert.equal(library.choose(null)?.imageId, "a");
	fs.copyFileSync(NEW, path.join(folder, "a.img"));
	await pass(0);
	assert.equal(library.choose(null), undefined, "a chosen image that is being copied is not silently another one");
	await library.setDefault(undefined);
	assert.equal(library.choose(null)?.imageId, "b");
});

test("an image that no model can start is not the default because it is the newest", async () => {
	const kernels = [{ model: "pi4", kernel: "kernel8.img", initramfs: [] }];
	const looked = new Set<ImageFacts>();
	const { library, folder, pass, clock } = await startLab((at) => place(OLD, path.join(at, "a.img")), {
		inspect: (trees) => {
			const facts = { ...inspect(trees), models: looked.size === 0 ? kernels : [] };
			looked.add(facts);
			return facts;
		},
	});
	clock.advance(1000);
	place(NEW, path.join(folder, "b.img"));
	await pass(2000);
	assert.equal(library.get("b")?.state, "ready");
	assert.equal(library.defaultId, "a");
});

test("removing an image deletes its file, but not under a Pi that runs it", async () => {
	const lab = await startLab((folder) => place(OLD, path.join(folder, "x.img")));
	const build = lab.library.choose("x")?.build;
	assert.ok(build !== undefined);
	lab.library.hold(build.id);
	assert.equal(await lab.library.remove("x", "delete"), "in-use");
	lab.library.release(build.id);
	assert.equal(await lab.library.remove("x", "delete"), "removed");
	assert.equal(await lab.library.remove("x", "delete"), "not-found");
	assert.equal(fs.existsSync(path.join(lab.folder, "x.img")), false);
	const { library } = await lab.restart();
	assert.deepEqual(ids(library), []);
});

test("an image whose former build is run is not removed either", async () => {
	const lab = await startLab((folder) => place(OLD, path.join(folder, "x.img")));
	const former = lab.library.choose("x")?.build.id ?? assert.fail();
	lab.library.hold(former);
	place(NEW, path.join(lab.folder, "x.img"));
	await lab.pass(0);
	await lab.pass(2000);
	assert.notEqual(lab.library.choose("x")?.build.id, former);
	assert.equal(await lab.library.remove("x", "delete"), "in-use");
	lab.library.release(former);
	assert.equal(await lab.library.remove("x", "delete"), "removed");
});

test("forgotten, a file stays where it is and is no image, until it changes or is named again", async () => {
	let marks: readonly string[] = [];
	const forgotten = {
		get: () => marks,
		set: async (next: readonly string[]) => {
			marks = next;
		},
	};
	const lab = await startLab((folder) => place(OLD, path.join(folder, "x.img")), { forgotten });
	const file = path.join(lab.folder, "x.img");
	assert.equal(await lab.library.remove("x", "forget"), "removed");
	assert.deepEqual(lab.library.list(), []);
	const again = await lab.restart();
	assert.deepEqual(again.library.list(), []);
	assert.equal(await again.library.addPath(file), "x");
	assert.deepEqual([again.library.get("x")?.state, marks], ["ready", []]);
	await again.library.remove("x", "forget");
	fs.utimesSync(file, 1_700_000_000, 1_700_000_000);
	await again.pass(3000);
	assert.equal(again.library.get("x")?.name, "x.img");
	fs.rmSync(file);
	await again.pass(3000);
	assert.deepEqual(marks, []);
});

test("renamed by the library, an image stays what it is, and takes nobody's place", async () => {
	const lab = await startLab((folder) => {
		place(OLD, path.join(folder, "x.img"));
		place(NEW, path.join(folder, "y.img"));
	});
	const build = lab.library.get("x")?.buildId;
	assert.equal(await lab.library.rename("x", "bench"), true);
	assert.deepEqual([lab.library.get("x")?.name, lab.library.get("x")?.buildId], ["bench.img", build]);
	await assert.rejects(lab.library.rename("x", "y.img"), { code: "image-exists" });
	await assert.rejects(lab.library.rename("x", "../x.img"), { code: "import-name" });
	assert.equal(await lab.library.rename("none", "z"), false);
	assert.deepEqual(fs.readdirSync(lab.folder).sort(), ["bench.img", "y.img"]);
});

test("an image that lies elsewhere is used there; removed, only the link goes", async () => {
	const lab = await startLab();
	const elsewhere = fs.mkdtempSync(path.join(work, "elsewhere-"));
	place(OLD, path.join(elsewhere, "far.img"));
	const file = path.join(elsewhere, "far.img");
	assert.equal(await lab.library.addPath(file), "far");
	assert.equal(lab.library.get("far")?.state, "ready");
	await assert.rejects(lab.library.addPath(file), { code: "image-exists" });
	await assert.rejects(lab.library.addPath(path.join(elsewhere, "none.img")), { code: "import-path" });
	await assert.rejects(lab.library.addPath("far.img"), { code: "import-path" });
	await assert.rejects(lab.library.addPath(fs.mkdtempSync(path.join(work, "empty-"))), { code: "import-path" });
	assert.equal(await lab.library.remove("far", "forget"), "removed");
	assert.deepEqual([fs.readdirSync(lab.folder), fs.existsSync(file)], [[], true]);
});
