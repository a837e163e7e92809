import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
	appendFileSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { makeExtImage, patternBytes } from "../../disk/testdata/index.ts";
import { PackShelf, parseRange } from "./index.ts";
import { makePack } from "./make-pack.ts";

const dir = mkdtempSync(join(tmpdir(), "pack-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const files = join(dir, "files");
mkdirSync(files);
writeFileSync(join(files, "random"), patternBytes(6_000_000, 1));
writeFileSync(join(files, "text"), "the same again and again\n".repeat(100_000));
const image = makeExtImage(dir, { size: "48M", blockSize: 4096, sourceDir: files });
const folder = (name: string) => {
	const path = join(dir, name);
	mkdirSync(path);
	return path;
};
const never = new AbortController().signal;

/** Map and pack played onto a disk full of something else. */
function play(shelf: string, map: string): Buffer {
	const text = readFileSync(join(shelf, `${map}.map`));
	assert.equal(createHash("sha256").update(text).digest("hex"), map);
	const { size, pack, chunks } = JSON.parse(text.toString());
	const packed = readFileSync(join(shelf, `${pack.sha256}.pack`));
	assert.equal(packed.length, pack.size);
	const disk = Buffer.alloc(size, 0xee);
	for (const [n, at, length, codec, sha, data, zero] of chunks) {
		const bytes = packed.subarray(at, at + length);
		const payload = codec === 1 ? zstdDecompressSync(bytes) : bytes;
		if (length > 0) assert.equal(createHash("sha256").update(payload).digest("hex"), sha);
		let from = 0;
		for (let run = 0; run < data.length; run += 2) {
			from += payload.copy(disk, n * 4_194_304 + data[run] * 4096, from, from + data[run + 1] * 4096);
		}
		for (let run = 0; run < zero.length; run += 2) {
			const start = n * 4_194_304 + zero[run] * 4096;
			disk.fill(0, start, start + zero[run + 1] * 4096);
		}
	}
	return disk;
}

describe("a pack", () => {
	it("has every byte that is in use, compressed where that helps, under names that prove them", async () => {
		const place = await PackShelf.open(join(dir, "shelf"));
		const result = await place.get({ key: "one", image });
		const disk = play(join(dir, "shelf"), result.map);
		const original = readFileSync(image);
		for (let at = 0; at < disk.length; at += 4096) {
			const block = disk.subarray(at, at + 4096);
			const isFree = block.every((byte) => byte === 0xee);
			assert.ok(isFree || block.equals(original.subarray(at, at + 4096)) || block.every((byte) => byte === 0), `${at}`);
		}
		assert.ok(result.dataBytes > 8_500_000 && result.dataBytes < 9_500_000, `${result.dataBytes}`);
		assert.ok(result.packBytes < 6_300_000, `${result.packBytes}`);

		// A second time nothing is made.
		const other = await PackShelf.open(join(dir, "shelf"), {
			pack: () => Promise.reject(new Error("made again")),
		});
		assert.deepEqual(await other.get({ key: "one", image }), result);
		const pack = await other.pack(result.pack);
		const whole = readFileSync(join(dir, "shelf", `${result.pack}.pack`));
		assert.equal(pack?.size, whole.length);
		assert.ok(pack !== undefined && (await buffer(pack.read(1000, 2000))).equals(whole.subarray(1000, 2000)));
		assert.equal(await other.map("../../etc/passwd"), undefined);
		assert.equal(await other.map("0".repeat(64)), undefined);
		await place.close();
	});

	it("of the same image is the same", async () => {
		const one = await makePack({ image, folder: folder("a") }, () => {}, never);
		const two = await makePack({ image, folder: folder("b") }, () => {}, never);
		assert.deepEqual(one, two);
	});

	it("of an image that ends within a block is filled up with zeros", async () => {
		const odd = join(dir, "odd.img");
		writeFileSync(odd, patternBytes(5_000_001, 9));
		const { map } = await makePack({ image: odd, folder: folder("odd") }, () => {}, never);
		assert.ok(play(join(dir, "odd"), map).equals(readFileSync(odd)));
	});

	it("is not made of an image that changes meanwhile; nothing is left behind", async () => {
		const changing = join(dir, "changing.img");
		writeFileSync(changing, patternBytes(9_000_000, 5));
		const place = folder("changing");
		const touch = () => appendFileSync(changing, "x");
		await assert.rejects(makePack({ image: changing, folder: place }, touch, never), { code: "pack-image-changed" });
		const shorten = () => truncateSync(changing, 1000);
		await assert.rejects(makePack({ image: changing, folder: place }, shorten, never), { code: "pack-failed" });
		await assert.rejects(
			makePack({ image: "/nowhere", folder: place }, () => {}, never),
			{ code: "pack-failed" },
		);
		assert.deepEqual(readdirSync(place), []);
	});

	it("can be given up", async () => {
		const place = folder("given-up");
		const shelf = await PackShelf.open(place);
		const result = shelf.get({ key: "one", image });
		await Promise.all([assert.rejects(result, { code: "pack-cancelled" }), shelf.close()]);
		assert.deepEqual(readdirSync(place), []);
	});
});

describe("the Range header", () => {
	it("as RFC 9110 has it", () => {
		assert.deepEqual(parseRange("bytes=0-499", 1000), { start: 0, end: 500 });
		assert.deepEqual(parseRange("bytes=500-", 1000), { start: 500, end: 1000 });
		assert.deepEqual(parseRange("bytes=-200", 1000), { start: 800, end: 1000 });
		assert.deepEqual(parseRange("bytes=900-5000", 1000), { start: 900, end: 1000 });
		assert.equal(parseRange("bytes=1000-", 1000), "unsatisfiable");
		assert.equal(parseRange("bytes=-0", 1000), "unsatisfiable");
		for (const ignored of [undefined, "", "bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "lines=1-2"]) {
			assert.equal(parseRange(ignored, 1000), "all");
		}
	});

	it("never leads outside", () => {
		fc.assert(
			fc.property(fc.stringMatching(/^bytes=\d{0,20}-\d{0,20}$/), fc.nat(10_000), (header, size) => {
				const range = parseRange(header, size);
				if (typeof range === "object") assert.ok(range.start >= 0 && range.start < range.end && range.end <= size);
			}),
		);
	});
});
