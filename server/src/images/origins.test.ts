import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { silentLogger } from "../base/index.ts";
import { stampOf } from "../vfs/index.ts";
import { type Arrived, ImageOrigins, MemoryOrigins, parseCatalogOrigin } from "./origins.ts";

const work = fs.mkdtempSync(path.join(os.tmpdir(), "origins-"));
after(() => fs.rmSync(work, { recursive: true }));

const ARRIVED: Arrived = { kind: "download", at: 7, url: "https://x.example/x.img", sha256: "a".repeat(64) };

function found(name: string) {
	const file = path.join(work, name);
	return { path: file, place: file, name, stamp: stampOf(fs.statSync(file, { bigint: true })) };
}

test("a file keeps its origin under another name, and one that is put in its place has none", async () => {
	const origins = new ImageOrigins(new MemoryOrigins(), silentLogger);
	fs.writeFileSync(path.join(work, "x.img"), "one");
	await origins.note(found("x.img").stamp, ARRIVED);
	fs.renameSync(path.join(work, "x.img"), path.join(work, "y.img"));
	assert.deepEqual(origins.of(found("y.img")), ARRIVED);
	fs.writeFileSync(path.join(work, "y.img"), "another");
	assert.deepEqual(origins.of(found("y.img")), { kind: "folder" });
	fs.symlinkSync(path.join(work, "y.img"), path.join(work, "link.img"));
	assert.deepEqual(origins.of(found("link.img")), { kind: "path", path: path.join(work, "y.img") });
});

test("what cannot be kept holds until the end of the process; the oldest of too many go", async () => {
	const kept = new MemoryOrigins();
	let isFull = true;
	const set: typeof kept.set = (notes) => (isFull ? Promise.reject(new Error("the disk is full")) : kept.set(notes));
	const origins = new ImageOrigins({ get: () => kept.get(), set }, silentLogger);
	const stamp = { dev: 1n, ino: 1n, size: 3, mtimeNs: 5n, ctimeNs: 5n };
	await origins.note(stamp, ARRIVED);
	assert.deepEqual([origins.arrived(stamp), kept.get()], [ARRIVED, []]);
	isFull = false;
	await origins.noteSum(stamp, "b".repeat(64));
	assert.deepEqual([origins.arrived(stamp), origins.sumOf(stamp)], [ARRIVED, "b".repeat(64)]);
	for (let ino = 2n; ino < 502n; ino++) await origins.noteSum({ ...stamp, ino }, "c".repeat(64));
	assert.deepEqual([kept.get().length, origins.arrived(stamp)], [500, undefined]);
});

test("any notes of an entry are read or not believed", () => {
	const entry = { id: "x", name: "X", unpackedBytes: 5, unpackedSha256: "a".repeat(64) };
	assert.deepEqual(parseCatalogOrigin(entry), entry);
	assert.deepEqual(parseCatalogOrigin({ ...entry, unpackedSha256: "A", unpackedBytes: 0.5 }), { id: "x", name: "X" });
	fc.assert(
		fc.property(fc.anything(), (value) => {
			const origin = parseCatalogOrigin(value);
			assert.ok(origin === undefined || typeof origin.id === "string");
		}),
	);
});
