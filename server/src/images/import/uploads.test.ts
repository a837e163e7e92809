import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { after, beforeEach, test } from "node:test";
import fc from "fast-check";
import { silentLogger } from "../../base/index.ts";
import type { Arrived } from "../origins.ts";
import { Arrivals } from "./arrivals.ts";
import { parseUpload } from "./upload-notes.ts";
import { Uploads } from "./uploads.ts";

const work = fs.mkdtempSync(path.join(os.tmpdir(), "uploads-"));
after(() => fs.rmSync(work, { recursive: true }));

let folder: string;
let now = 1_700_000_000_000;
beforeEach(() => {
	folder = fs.mkdtempSync(path.join(work, "images-"));
});

const BYTES = Buffer.from("an image of thirty-two bytes, ok");
const SHA256 = createHash("sha256").update(BYTES).digest("hex");

async function start(limits = { reserveBytes: 0 }) {
	const arrivals = new Arrivals(() => now);
	const ended: string[] = [];
	arrivals.events.on("ended", ({ id }) => ended.push(id));
	const noted: Arrived[] = [];
	const place = {
		reserveId: (file: string) => path.basename(file, ".img"),
		releaseId: () => undefined,
		noteArrival: async (_: unknown, arrived: Arrived) => void noted.push(arrived),
		refresh: async () => undefined,
	};
	const uploads = new Uploads({ folder, arrivals, place, log: silentLogger, now: () => now, limits });
	await uploads.start();
	return { uploads, arrivals, ended, noted };
}

const body = (bytes: Buffer) => Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]);

function sha1(bytes: Buffer) {
	return { algorithm: "sha1", digest: createHash("sha1").update(bytes).digest() } as const;
}

test("comes in pieces, over a restart, and lands whole under its name", async () => {
	const first = await start();
	const { id, imageId } = await first.uploads.create({ name: "x.img", size: BYTES.length, sha256: SHA256 });
	assert.equal((await first.uploads.append(id, 0, body(BYTES.subarray(0, 10)))).offset, 10);
	assert.deepEqual(
		first.arrivals.list().map(({ state, bytes, total }) => ({ state, bytes, total })),
		[{ state: "importing", bytes: 10, total: BYTES.length }],
	);
	await first.uploads.stop();
	const { uploads, arrivals, ended } = await start();
	assert.equal(uploads.get(id)?.offset, 10);
	assert.equal(arrivals.get(imageId)?.bytes, 10);
	assert.deepEqual(
		fs.readdirSync(folder).filter((name) => !name.startsWith(".")),
		[],
	);
	const done = await uploads.append(id, 10, body(BYTES.subarray(10)), sha1(BYTES.subarray(10)));
	assert.equal(done.offset, BYTES.length);
	assert.deepEqual(fs.readdirSync(folder), ["x.img"]);
	assert.deepEqual(fs.readFileSync(path.join(folder, "x.img")), BYTES);
	assert.deepEqual(ended, [imageId]);
	// The answer may have been lost: whoever asks again hears that all is there.
	assert.equal(uploads.get(id)?.offset, BYTES.length);
});

test("a piece with a wrong checksum, or at a wrong place, leaves what was there", async () => {
	const { uploads } = await start();
	const { id } = await uploads.create({ name: "x.img", size: BYTES.length });
	await uploads.append(id, 0, body(BYTES.subarray(0, 10)));
	await assert.rejects(uploads.append(id, 10, body(BYTES.subarray(10)), sha1(BYTES)), { code: "upload-checksum" });
	await assert.rejects(uploads.append(id, 9, body(BYTES.subarray(10))), { code: "upload-offset" });
	assert.equal(uploads.get(id)?.offset, 10);
	assert.equal((await uploads.append(id, 10, body(BYTES.subarray(10)))).offset, BYTES.length);
	assert.deepEqual(fs.readFileSync(path.join(folder, "x.img")), BYTES);
});

test("of a connection that breaks, what came is kept; who comes back cuts the dead one off", async () => {
	const { uploads } = await start();
	const { id } = await uploads.create({ name: "x.img", size: BYTES.length });
	const hanging = new Readable({ read: () => undefined });
	const broken = assert.rejects(uploads.append(id, 0, hanging), { code: "import-cancelled" });
	hanging.push(BYTES.subarray(0, 7));
	while (uploads.get(id)?.offset !== 7) await new Promise((resolve) => setImmediate(resolve));
	assert.equal((await uploads.append(id, 7, body(BYTES.subarray(7)))).offset, BYTES.length);
	await broken;
	assert.deepEqual(fs.readFileSync(path.join(folder, "x.img")), BYTES);
});

test("the whole with another checksum than it should have leaves nothing, and says so", async () => {
	const { uploads, arrivals } = await start();
	const { id, imageId } = await uploads.create({ name: "x.img", size: 3, sha256: SHA256 });
	await assert.rejects(uploads.append(id, 0, body(Buffer.from("abc"))), { code: "upload-checksum" });
	assert.deepEqual(fs.readdirSync(folder), []);
	assert.equal(arrivals.get(imageId)?.failure?.code, "upload-checksum");
	assert.equal(uploads.get(id), undefined);
});

test("more than was said is refused", async () => {
	const { uploads } = await start();
	const { id } = await uploads.create({ name: "x.img", size: 3 });
	await assert.rejects(uploads.append(id, 0, body(BYTES)), { code: "import-too-large" });
	assert.ok((uploads.get(id)?.offset ?? 99) <= 3);
});

test("takes no place of another file, neither at the start nor at the end, unless that is said", async () => {
	const { uploads } = await start();
	const early = await uploads.create({ name: "x.img", size: 3 });
	fs.writeFileSync(path.join(folder, "x.img"), "old");
	await assert.rejects(uploads.append(early.id, 0, body(Buffer.from("new"))), { code: "image-exists" });
	await assert.rejects(uploads.create({ name: "x.img", size: 3 }), { code: "image-exists" });
	assert.equal(fs.readFileSync(path.join(folder, "x.img"), "utf8"), "old");
	const { id } = await uploads.create({ name: "x.img", size: 3, replace: true });
	await uploads.append(id, 0, body(Buffer.from("new")));
	assert.equal(fs.readFileSync(path.join(folder, "x.img"), "utf8"), "new");
	assert.deepEqual(fs.readdirSync(folder), ["x.img"]);
});

test("names that lead out of the folder, or are none of images, are refused", async () => {
	const { uploads } = await start();
	for (const name of [
		"../x.img",
		"/etc/x.img",
		"a\\x.img",
		".x.img",
		"x.txt",
		"",
		"x\n.img",
		"\u202egmi.exe.img",
		`${"x".repeat(300)}.img`,
	]) {
		await assert.rejects(uploads.create({ name, size: 3 }), { code: "import-name" }, name);
	}
	assert.deepEqual(fs.readdirSync(folder), []);
});

test("a disk without room for it is said before the first byte", async () => {
	const { uploads } = await start({ reserveBytes: 2 ** 60 });
	await assert.rejects(uploads.create({ name: "x.img", size: 3 }), { code: "import-no-space" });
	assert.deepEqual(fs.readdirSync(folder), []);
});

test("given up, too old, or without its notes, it leaves nothing", async () => {
	const first = await start();
	const given = await first.uploads.create({ name: "given.img", size: 3 });
	assert.equal(await first.uploads.remove(given.id), true);
	assert.equal(await first.uploads.remove(given.id), false);
	assert.deepEqual(fs.readdirSync(folder), []);
	await first.uploads.create({ name: "old.img", size: 3 });
	fs.writeFileSync(path.join(folder, `.${"a".repeat(24)}.upload`), "what is this");
	fs.writeFileSync(path.join(folder, `.${"b".repeat(24)}.upload.json`), '{"name":"../x.img","size":3}');
	now += 8 * 86_400_000;
	await start();
	assert.deepEqual(fs.readdirSync(folder), []);
});

test("whole, but killed before it had its name: the next start gives it", async () => {
	const { uploads } = await start();
	const { id } = await uploads.create({ name: "x.img", size: 3 });
	fs.writeFileSync(path.join(folder, `.${id}.upload`), "abc");
	await start();
	assert.deepEqual(fs.readdirSync(folder), ["x.img"]);
});

test("killed between its name and its end, nothing of it is left but the image", async () => {
	const { uploads } = await start();
	const { id } = await uploads.create({ name: "x.img", size: 3 });
	fs.rmSync(path.join(folder, `.${id}.upload`));
	fs.writeFileSync(path.join(folder, "x.img"), "abc");
	const again = await start();
	assert.deepEqual([fs.readdirSync(folder), again.uploads.list(), again.arrivals.list()], [["x.img"], [], []]);
	await uploads.stop();
	const both = await start();
	const { id: other } = await both.uploads.create({ name: "y.img", size: 3 });
	fs.writeFileSync(path.join(folder, `.${other}.upload`), "abc");
	fs.linkSync(path.join(folder, `.${other}.upload`), path.join(folder, "y.img"));
	const last = await start();
	assert.deepEqual([fs.readdirSync(folder).sort(), last.arrivals.list()], [["x.img", "y.img"], []]);
});

test("one name is brought by one at a time", async () => {
	const { uploads, arrivals } = await start();
	const first = await uploads.create({ name: "x.img", size: 3, fingerprint: "mine" });
	await assert.rejects(uploads.create({ name: "x.img", size: 5, replace: true }), { code: "image-exists" });
	assert.deepEqual(
		uploads.list().map(({ id, fingerprint }) => [id, fingerprint]),
		[[first.id, "mine"]],
	);
	await uploads.remove(first.id);
	arrivals.names.claim("x.img", "download");
	await assert.rejects(uploads.create({ name: "x.img", size: 3 }), { code: "image-exists" });
	assert.deepEqual(fs.readdirSync(folder), []);
});

test("given up when it is whole, and has no name yet", async () => {
	const { uploads, arrivals, noted } = await start();
	const { id, imageId } = await uploads.create({ name: "x.img", size: BYTES.length, sha256: SHA256 });
	const whole = assert.rejects(uploads.append(id, 0, body(BYTES)), { code: "import-cancelled" });
	while (uploads.get(id)?.offset !== BYTES.length) await new Promise((resolve) => setImmediate(resolve));
	assert.equal(await uploads.remove(id), true);
	await whole;
	assert.deepEqual([fs.readdirSync(folder), arrivals.get(imageId), noted], [[], undefined, []]);
});

test("a server that stops while the whole is checked goes on with that at its next start", async () => {
	const { uploads, noted } = await start();
	const { id } = await uploads.create({ name: "x.img", size: BYTES.length, sha256: SHA256 });
	const whole = assert.rejects(uploads.append(id, 0, body(BYTES)), { code: "import-cancelled" });
	while (uploads.get(id)?.offset !== BYTES.length) await new Promise((resolve) => setImmediate(resolve));
	await uploads.stop();
	await whole;
	assert.deepEqual(noted, []);
	const again = await start();
	assert.deepEqual(fs.readdirSync(folder), ["x.img"]);
	assert.deepEqual(again.noted, [{ kind: "upload", at: now, sha256: SHA256, isChecked: true }]);
});

test("not more than 32 are open", async () => {
	const { uploads } = await start();
	for (let count = 0; count < 32; count++) await uploads.create({ name: `x${count}.img`, size: 3 });
	await assert.rejects(uploads.create({ name: "y.img", size: 3 }), { code: "import-too-many" });
});

test("any notes are read or not believed", () => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
			const notes = parseUpload(text);
			assert.ok(notes === undefined || notes.size >= 0);
		}),
	);
});
