/** A checksum that somebody put beside an image. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { OriginNote } from "./origins.ts";
import { type Lab, NEW, OLD, place, startLab, which } from "./testing/library-lab.ts";

const sumOf = (file: string) => createHash("sha256").update(fs.readFileSync(file)).digest("hex");

/** Looks until the file was read. */
async function settled({ library, pass }: Lab, id: string) {
	for (let tries = 0; library.get(id)?.state === "importing" || library.get(id)?.percent !== null; tries++) {
		assert.ok(tries < 500);
		await new Promise((resolve) => setTimeout(resolve, 10));
		await pass(100);
	}
	return library.get(id) ?? assert.fail();
}

test("the right one is shown, and not computed anew at the next start", async () => {
	const kept: { notes: readonly OriginNote[] } = { notes: [] };
	let written = 0;
	const origins = {
		get: () => kept.notes,
		set: async (notes: readonly OriginNote[]) => {
			kept.notes = notes;
			written += 1;
		},
	};
	const lab = await startLab(
		(folder) => {
			place(OLD, path.join(folder, "x.img"));
			fs.writeFileSync(path.join(folder, "x.img.sha256"), `${sumOf(OLD)}  x.img\n`);
		},
		{ origins },
	);
	assert.equal(lab.library.choose("x"), undefined, "nobody boots what may be torn");
	const { state, sha256 } = await settled(lab, "x");
	assert.deepEqual([state, sha256, written], ["ready", sumOf(OLD), 1]);
	const { library } = await lab.restart();
	assert.deepEqual([library.get("x")?.state, library.get("x")?.sha256, written], ["ready", sumOf(OLD), 1]);
});

test("a wrong one keeps it from being booted, until it is the file's", async () => {
	const lab = await startLab((folder) => {
		place(OLD, path.join(folder, "x.img"));
		place(NEW, path.join(folder, "y.img"));
		fs.writeFileSync(path.join(folder, "SHA256SUMS"), `${sumOf(NEW)}  x.img\n`);
	});
	assert.equal(lab.library.get("y")?.state, "ready", "a list without its name says nothing");
	const { state, findings } = await settled(lab, "x");
	assert.deepEqual([state, findings.map(({ code }) => code)], ["broken", ["image-checksum"]]);
	assert.match(findings[0]?.message ?? "", /another checksum than SHA256SUMS says: got /);
	place(NEW, path.join(lab.folder, "x.img"));
	await lab.pass(100);
	await lab.pass(2000);
	assert.equal((await settled(lab, "x")).state, "ready");
	assert.equal(await which(lab.library.choose("x")), "new");
});

test("one that comes later counts too; who boots meanwhile gets what was there", async () => {
	const lab = await startLab((folder) => place(OLD, path.join(folder, "x.img")));
	assert.equal(lab.library.get("x")?.state, "ready");
	const sums = path.join(lab.folder, "x.img.sha256");
	fs.writeFileSync(sums, "0".repeat(64));
	await lab.pass(100);
	assert.equal(lab.library.get("x")?.state, "ready");
	assert.equal((await settled(lab, "x")).state, "broken");
	fs.rmSync(sums);
	await lab.pass(100);
	assert.equal(lab.library.get("x")?.state, "ready");
});
