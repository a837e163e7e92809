import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { runTool } from "../../disk/testdata/index.ts";
import { ImportError } from "./import-error.ts";
import { SparseWriter } from "./sparse-writer.ts";
import { type UnpackProgress, type UnpackRequest, type UnpackWay, unpackFile } from "./unpack-file.ts";
import { unpackHere, unpackWithProgram } from "./unpack-ways.ts";
import { unpackImage } from "./unpacker.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "unpack-"));
after(() => fs.rmSync(dir, { recursive: true }));

const MIB = 1 << 20;
/** 40 MiB with three pieces in them, one of them across the border of what is written at once. */
const CONTENT = Buffer.alloc(40 * MIB + 123);
CONTENT.fill("a", 0, 5000);
CONTENT.fill("b", 3 * MIB - 10, 3 * MIB + 10);
CONTENT.fill("c", CONTENT.length - 5);

const plain = path.join(dir, "disk");
fs.writeFileSync(plain, CONTENT);
const packed = path.join(dir, "disk.gz");
fs.writeFileSync(packed, runTool("gzip", ["-c", plain]));

let made = 0;
/** A request into an empty folder. */
function request(more: Partial<UnpackRequest> = {}): UnpackRequest & { readonly folder: string } {
	const folder = path.join(dir, `out-${made++}`);
	fs.mkdirSync(folder);
	return { source: packed, target: path.join(folder, "disk.img"), folder, ...more };
}

const never = new AbortController().signal;

async function fails(more: Partial<UnpackRequest>, code: string, message: RegExp, way: UnpackWay = unpackHere) {
	const asked = request(more);
	try {
		await unpackFile(asked, way, () => {}, never);
	} catch (error) {
		assert.ok(error instanceof ImportError, String(error));
		assert.deepEqual([error.code, fs.readdirSync(asked.folder)], [code, []]);
		assert.match(error.message, message);
		return error;
	}
	return assert.fail("it was unpacked");
}

test("zeros become holes, whatever the chunks are", () => {
	for (const step of [1000, 65_536, 3 * MIB]) {
		const file = path.join(dir, `sparse-${step}`);
		const fd = fs.openSync(file, "w");
		const writer = new SparseWriter(fd);
		for (let at = 0; at < CONTENT.length; at += step) {
			writer.write(CONTENT.subarray(at, at + step));
			assert.ok(writer.flushed <= at + step);
			assert.equal(fs.fstatSync(fd).size, writer.flushed);
		}
		writer.finish();
		fs.closeSync(fd);
		assert.ok(fs.readFileSync(file).equals(CONTENT));
		// Two blocks at the start, two around 3 MiB, and the 123 bytes at the end.
		assert.equal(writer.written, 4 * 4096 + 123);
		assert.deepEqual([writer.size, writer.flushed], [CONTENT.length, CONTENT.length]);
		assert.ok(fs.statSync(file).blocks * 512 < MIB);
	}
});

const xz = path.join(dir, "disk.xz");
fs.writeFileSync(xz, runTool("xz", ["-c", plain]));

for (const { how, ...asked } of [
	{ how: "a worker", source: packed, packing: "gzip", isBuiltIn: true },
	{ how: "a worker with WebAssembly", source: xz, packing: "xz", isBuiltIn: true },
	{ how: "the program", source: xz, packing: "xz" },
]) {
	test(`${how} unpacks, and tells how far it is`, async () => {
		const { packing, ...job } = asked;
		const { folder, ...wish } = request(job);
		const seen: UnpackProgress[] = [];
		const result = await unpackImage({ ...wish, onProgress: (progress) => seen.push(progress) });
		assert.deepEqual([result.packing, result.bytes], [packing, CONTENT.length]);
		assert.ok(result.writtenBytes >= 4 * 4096 + 123 && result.writtenBytes < MIB, String(result.writtenBytes));
		assert.deepEqual(fs.readdirSync(folder), ["disk.img"]);
		assert.ok(fs.readFileSync(wish.target).equals(CONTENT));
		const packedTotal = fs.statSync(wish.source).size;
		assert.ok(
			seen.length > 0 && seen.every((each) => each.packedTotal === packedTotal && each.bytes <= CONTENT.length),
		);
	});
}

test("what is left of an unpacking that was killed is written over", async () => {
	const asked = request();
	fs.writeFileSync(`${asked.target}.part`, Buffer.alloc(50 * MIB, 1));
	await unpackFile(asked, unpackHere, () => {}, never);
	assert.ok(fs.readFileSync(asked.target).equals(CONTENT));
});

test("a file that is damaged, cut off, or not packed leaves nothing, and says what it is", async () => {
	const cut = path.join(dir, "cut.gz");
	fs.writeFileSync(cut, fs.readFileSync(packed).subarray(0, 20_000));
	const damaged = await fails({ source: cut }, "import-damaged", /cut\.gz is damaged or incomplete: gzip: .*too early/);
	assert.deepEqual([damaged.retry, damaged.hint], [false, "Copy or download it again."]);
	await fails({ source: plain }, "import-unsupported", /no way that is known/);
	const missing = await fails({ source: path.join(dir, "none") }, "import-failed", /ENOENT/);
	assert.equal(missing.retry, true);
});

test("limits hold: the size that a format promises, the size that comes, the free space", async () => {
	await fails({ source: xz, limits: { mostBytes: 39 * MIB } }, "import-too-large", /more than 40\.9 MB/);
	await fails({ limits: { mostBytes: 39 * MIB } }, "import-too-large", /more than 40\.9 MB/);
	const full = await fails({ limits: { reserveBytes: 2 ** 52 } }, "import-no-space", /not enough room .* free/);
	assert.equal(full.retry, true);
	const pipe = path.join(dir, "pipe.zst");
	fs.writeFileSync(pipe, runTool("sh", ["-c", `cat ${plain} | zstd -qc`]));
	const limits = { mostBytes: 39 * MIB };
	await fails({ source: pipe, limits }, "import-too-large", /more than 40\.9 MB/, unpackWithProgram);
});

test("a file that is changed meanwhile is not believed", async () => {
	const { size, mtimeNs, ino } = fs.statSync(packed, { bigint: true });
	const expected = { size: Number(size), mtimeNs: String(mtimeNs), ino: String(ino) };
	await unpackFile(request({ expected }), unpackHere, () => {}, never);
	const changed = { ...expected, mtimeNs: "1" };
	assert.equal((await fails({ expected: changed }, "import-changed", /changed while/)).retry, true);
});

for (const isBuiltIn of [true, false]) {
	test(`an unpacking that is cancelled leaves nothing behind (${isBuiltIn ? "built in" : "by the program"})`, async () => {
		const endless = path.join(dir, "large.zst");
		const large = path.join(dir, "large");
		fs.writeFileSync(large, "");
		// A frame of zeros, again and again: 8 GiB of them take seconds.
		fs.truncateSync(large, 256 * MIB);
		const frame = runTool("zstd", ["-qc", large]);
		fs.writeFileSync(endless, Buffer.concat(Array.from({ length: 32 }, () => frame)));
		const giveUp = new AbortController();
		const asked = request({ source: endless });
		const unpacking = unpackImage({ ...asked, isBuiltIn, signal: giveUp.signal, onProgress: () => giveUp.abort() });
		await assert.rejects(unpacking, { code: "import-cancelled" });
		assert.deepEqual(fs.readdirSync(asked.folder), []);
		await assert.rejects(unpackImage({ ...asked, isBuiltIn, signal: giveUp.signal }), { code: "import-cancelled" });
	});
}
