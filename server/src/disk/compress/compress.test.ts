import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { isNetbootError } from "../../base/index.ts";
import { MemorySource } from "../block/memory.ts";
import { runTool } from "../testdata/index.ts";
import { type Packing, recognisePacking } from "./packing.ts";
import { unpackedSize } from "./sizes.ts";
import { type Chunks, unpackStream } from "./stream.ts";
import { type PackedFile, unpack } from "./unpack.ts";
import { findImageInZip } from "./zip.ts";

const dir = mkdtempSync(join(tmpdir(), "compress-"));
after(() => rmSync(dir, { recursive: true }));

/** Bytes that cannot be made much smaller, with a hole in them. */
const CONTENT = Buffer.concat([
	createHash("shake256", { outputLength: 300_000 }).digest(),
	Buffer.alloc(200_000),
	Buffer.from("the end"),
]);
const plain = join(dir, "disk.img");
writeFileSync(plain, CONTENT);

const FORMATS = [
	{ packing: "gzip", bytes: runTool("gzip", ["-c", plain]) },
	{ packing: "zstd", bytes: runTool("zstd", ["-qc", plain]) },
	{ packing: "xz", bytes: runTool("xz", ["-c", "--block-size=100KiB", plain]) },
] as const;

function fileOf(bytes: Buffer, step = 10_000): PackedFile {
	async function* stream(start: number, length: number): Chunks {
		for (let at = start; at < start + length; at += step) {
			yield bytes.subarray(at, Math.min(at + step, start + length));
		}
	}
	return { source: new MemorySource(bytes), stream };
}

async function collect(chunks: Chunks): Promise<Buffer> {
	const parts: Uint8Array[] = [];
	for await (const chunk of chunks) parts.push(chunk);
	return Buffer.concat(parts);
}

function unpacked(bytes: Buffer, packing: Packing): Promise<Buffer> {
	return collect(unpack(fileOf(bytes), packing));
}

function zip(args: readonly string[], files: Readonly<Record<string, string | Buffer>>): Buffer {
	const folder = mkdtempSync(join(dir, "zip-"));
	for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
	const archive = join(folder, "made.zip");
	const names = Object.keys(files).map((name) => join(folder, name));
	runTool("zip", ["-q", "-j", ...args, archive, ...names]);
	return readFileSync(archive);
}

for (const { packing, bytes } of FORMATS) {
	test(`${packing}: what the program packed comes out again, also out of several pieces in a row`, async () => {
		assert.equal(recognisePacking(bytes), packing);
		assert.ok((await unpacked(bytes, packing)).equals(CONTENT));
		const twice = await unpacked(Buffer.concat([bytes, bytes]), packing);
		assert.ok(twice.equals(Buffer.concat([CONTENT, CONTENT])));
	});

	test(`${packing}: an end that comes too early, and damage, are errors`, async () => {
		for (const length of [7, 1000, bytes.length - 1]) {
			await assert.rejects(unpacked(bytes.subarray(0, length), packing), { code: `malformed-${packing}` }, `${length}`);
		}
		const damaged = Buffer.from(bytes);
		damaged.writeUInt8(damaged.readUInt8(150_000) ^ 0x10, 150_000);
		await assert.rejects(unpacked(damaged, packing), { code: `malformed-${packing}` });
	});

	test(`${packing}: a failure of the input is passed on as it is, and a reader that has enough may leave`, async () => {
		async function* failing() {
			yield bytes.subarray(0, 1000);
			throw new Error("the disk fails");
		}
		await assert.rejects(collect(unpackStream(packing, failing())), /the disk fails/);
		for await (const chunk of unpackStream(packing, fileOf(bytes).stream(0, bytes.length))) {
			assert.ok(chunk.length > 0);
			break;
		}
	});

	test(`${packing}: it can be given up`, async () => {
		const giveUp = new AbortController();
		async function* endless() {
			for (;;) {
				yield bytes.subarray(0, 100_000);
				giveUp.abort(new Error("enough"));
			}
		}
		await assert.rejects(collect(unpackStream(packing, endless(), { signal: giveUp.signal })), /enough/);
	});
}

test("the size is known beforehand where the format has it", () => {
	const sizes = FORMATS.map(({ packing, bytes }) => unpackedSize(new MemorySource(bytes), packing));
	assert.deepEqual(sizes, [undefined, CONTENT.length, CONTENT.length]);
	const [, , xz = assert.fail()] = FORMATS;
	const padded = Buffer.concat([xz.bytes, Buffer.alloc(8), xz.bytes]);
	assert.equal(unpackedSize(new MemorySource(padded), "xz"), 2 * CONTENT.length);
	assert.equal(unpackedSize(new MemorySource(xz.bytes.subarray(0, 5000)), "xz"), undefined);
	assert.equal(unpackedSize(new MemorySource(zip([], { "disk.img": CONTENT })), "zip"), CONTENT.length);
});

test("what is not packed is not taken for it", () => {
	for (const text of ["", "P", "plain text", "\x1f\x8b", "PK\x05\x06"]) {
		assert.equal(recognisePacking(Buffer.from(text, "latin1")), undefined);
	}
	assert.equal(recognisePacking(Buffer.from("5e2a4d1800000000", "hex")), "zstd");
	assert.equal(recognisePacking(Buffer.from("BZh91AY")), "bzip2");
});

test("a zip gives its image: packed and stored, zip64, from a pipe, beside a text file", async () => {
	const archives = [
		zip([], { "disk.img": CONTENT }),
		zip(["-0"], { "disk.img": CONTENT }),
		zip(["-fz"], { "disk.img": CONTENT }),
		zip([], { "disk.img": CONTENT, "README.txt": "read me" }),
		zip(["-z"], { "DISK.IMG": CONTENT }),
		// Out of a pipe the sizes come behind the data, and the file is called "-".
		runTool("zip", ["-q", "-", "-"], CONTENT.toString("latin1")),
	];
	for (const archive of archives.slice(0, 5)) {
		assert.equal(recognisePacking(archive), "zip");
		assert.ok((await unpacked(archive, "zip")).equals(CONTENT));
	}
	const piped = await unpacked(archives[5] ?? assert.fail(), "zip");
	assert.ok(piped.equals(Buffer.from(CONTENT.toString("latin1"))));
});

test("a zip that cannot be used says why", async () => {
	const good = zip([], { "disk.img": CONTENT });
	const fails = (bytes: Buffer, code: string, message: RegExp) =>
		assert.rejects(async () => unpacked(bytes, "zip"), { code, message });
	await fails(zip([], { "a.img": "a", "b.img": "b" }), "unsupported-zip", /2 images: a\.img, b\.img/);
	await fails(zip([], { "a.txt": "a", "b.txt": "b" }), "unsupported-zip", /2 files, none of them an \.img/);
	await fails(zip(["-P", "secret"], { "disk.img": CONTENT }), "unsupported-zip", /encrypted/);
	await fails(good.subarray(0, good.length - 10), "malformed-zip", /cut off/);
	await fails(good.subarray(1000), "malformed-zip", /front is missing/);
	const damaged = Buffer.from(good);
	const { start } = findImageInZip(new MemorySource(good));
	damaged.writeUInt8(damaged.readUInt8(start + 5000) ^ 1, start + 5000);
	await assert.rejects(unpacked(damaged, "zip"), { code: /^malformed-(zip|deflate)$/ });
	const wrongSum = Buffer.from(good);
	const central = good.indexOf("PK\x01\x02", 0, "latin1");
	wrongSum.writeUInt32LE(1, central + 16);
	await fails(wrongSum, "malformed-zip", /checksum/);
	const tooSmall = Buffer.from(good);
	tooSmall.writeUInt32LE(CONTENT.length - 1, central + 24);
	await fails(tooSmall, "malformed-zip", /has more bytes/);
});

test("whatever a zip's directory holds, there is an entry inside the archive or an error of ours", () => {
	const archives = [zip([], { "disk.img": "small" }), zip(["-fz"], { "disk.img": "small" })];
	const change = fc.tuple(fc.nat({ max: 400 }), fc.integer({ min: 0, max: 255 }));
	fc.assert(
		fc.property(fc.constantFrom(...archives), fc.array(change, { minLength: 1, maxLength: 6 }), (archive, changes) => {
			const bytes = Buffer.from(archive);
			for (const [at, value] of changes) bytes[at % bytes.length] = value;
			try {
				const { start, packedBytes } = findImageInZip(new MemorySource(bytes));
				assert.ok(start + packedBytes <= bytes.length);
			} catch (error) {
				if (!isNetbootError(error)) throw error;
			}
		}),
		{ numRuns: 500 },
	);
});

test("whatever the ends of a file say of its size, there is a number or none", () => {
	const change = fc.tuple(fc.nat({ max: 60 }), fc.integer({ min: 0, max: 255 }), fc.boolean());
	fc.assert(
		fc.property(fc.constantFrom(...FORMATS), fc.array(change, { minLength: 1, maxLength: 6 }), (format, changes) => {
			const bytes = Buffer.from(format.bytes);
			for (const [at, value, isEnd] of changes) bytes[isEnd ? bytes.length - 1 - at : at] = value;
			const size = unpackedSize(new MemorySource(bytes), format.packing);
			assert.ok(size === undefined || (Number.isSafeInteger(size) && size >= 0));
		}),
		{ numRuns: 200 },
	);
});
