import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { BlockFault, ClosedError, ExternalError, MalformedError, ManualClock, whenReady } from "../../base/index.ts";
import { CHUNK_BYTES, ImageFile, type ImageFileOptions, type ImageIo, systemIo } from "./image-file.ts";

function pattern(size: number): Buffer {
	const bytes = Buffer.alloc(size);
	for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 2654435761) >>> 0, at);
	return bytes;
}

const CONTENT = pattern(5 * CHUNK_BYTES + 1000);

function openImage(context: TestContext, options: ImageFileOptions = {}): ImageFile {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "image-file-"));
	fs.writeFileSync(path.join(folder, "x.img"), CONTENT);
	const file = new ImageFile(fs.openSync(path.join(folder, "x.img"), "r"), CONTENT.length, options);
	context.after(async () => {
		await file.close();
		fs.rmSync(folder, { recursive: true });
	});
	return file;
}

/** Counts the chunks that are warmed up, and makes those fail that are in `bad`. */
function watchedIo(bad: Set<number> = new Set()): ImageIo & { warmed: number[] } {
	const warmed: number[] = [];
	return {
		...systemIo,
		warmed,
		read(fd, target, length, position, done) {
			const chunk = position / CHUNK_BYTES;
			warmed.push(chunk);
			if (bad.has(chunk)) setImmediate(() => done(Object.assign(new Error("input/output error"), { code: "EIO" }), 0));
			else systemIo.read(fd, target, length, position, done);
		},
	};
}

function bytesAt(file: ImageFile, offset: number, length: number): Buffer {
	const target = Buffer.alloc(length);
	file.read(offset, target);
	return target;
}

test("a chunk that was not touched lately faults, and is read when it is there", async (context) => {
	const file = openImage(context);
	assert.throws(() => bytesAt(file, 100, 50), BlockFault);
	assert.deepEqual(await whenReady(() => bytesAt(file, 100, 50)), CONTENT.subarray(100, 150));
	assert.deepEqual(bytesAt(file, CHUNK_BYTES - 10, 10), CONTENT.subarray(CHUNK_BYTES - 10, CHUNK_BYTES));
});

test("any range reads as the file is", async (context) => {
	const file = openImage(context);
	const range = fc.tuple(fc.nat(CONTENT.length), fc.nat(2 * CHUNK_BYTES)).filter(([at, n]) => at + n <= CONTENT.length);
	await fc.assert(
		fc.asyncProperty(range, async ([at, length]) => {
			assert.ok((await whenReady(() => bytesAt(file, at, length))).equals(CONTENT.subarray(at, at + length)));
		}),
		{ numRuns: 60 },
	);
});

test("what is outside of the file is refused before anything is read", (context) => {
	const io = watchedIo();
	const file = openImage(context, { io });
	for (const [offset, length] of [
		[CONTENT.length - 5, 6],
		[-1, 1],
		[0.5, 1],
		[2 ** 60, 1],
		[Number.NaN, 1],
	] as const) {
		assert.throws(() => file.read(offset, Buffer.alloc(length)), MalformedError);
	}
	assert.deepEqual(io.warmed, []);
	assert.equal(bytesAt(file, CONTENT.length, 0).length, 0);
});

test("reading on in order fetches the next chunk before it is asked for", async (context) => {
	const io = watchedIo();
	const file = openImage(context, { io });
	await whenReady(() => bytesAt(file, 0, 10));
	await whenReady(() => bytesAt(file, CHUNK_BYTES, 10));
	assert.ok(io.warmed.includes(2));
	const random = watchedIo();
	const other = openImage(context, { io: random });
	await whenReady(() => bytesAt(other, 3 * CHUNK_BYTES, 10));
	await whenReady(() => bytesAt(other, 1 * CHUNK_BYTES, 10));
	assert.deepEqual(
		random.warmed.filter((chunk) => chunk !== 4),
		[3, 1],
	);
});

test("a chunk grows cold when it is not touched for minutes", async (context) => {
	const clock = new ManualClock();
	const file = openImage(context, { clock, warmMilliseconds: 60_000 });
	await whenReady(() => bytesAt(file, 0, 10));
	clock.advance(59_000);
	bytesAt(file, 0, 10);
	clock.advance(59_000);
	bytesAt(file, 0, 10);
	clock.advance(61_000);
	assert.throws(() => bytesAt(file, 0, 10), BlockFault);
});

test("the failure of a warm-up is told to the call that comes back, and the next one tries again", async (context) => {
	const bad = new Set([1]);
	const io = watchedIo(bad);
	const file = openImage(context, { io });
	const read = () => whenReady(() => bytesAt(file, CHUNK_BYTES + 5, 10));
	for (let round = 0; round < 2; round++) {
		await assert.rejects(
			read,
			(error) => error instanceof ExternalError && error.code === "EIO" && /byte 1048576/.test(error.message),
		);
	}
	bad.clear();
	assert.deepEqual(await read(), CONTENT.subarray(CHUNK_BYTES + 5, CHUNK_BYTES + 15));
});

test("the failure of a read ahead of demand is nobody's yet", async (context) => {
	const file = openImage(context, { io: watchedIo(new Set([1])) });
	assert.equal((await whenReady(() => bytesAt(file, 0, 10))).length, 10);
	assert.equal((await whenReady(() => bytesAt(file, 20, 10))).length, 10);
	await assert.rejects(() => whenReady(() => bytesAt(file, CHUNK_BYTES - 5, 10)), ExternalError);
});

test("a read that fails or ends early says where", async (context) => {
	const ended = openImage(context, { io: { ...systemIo, readSync: () => 0 } });
	await assert.rejects(() => whenReady(() => bytesAt(ended, 0, 10)), /ended at byte 0/);
	const readSync = () => {
		throw Object.assign(new Error("stale"), { code: "ESTALE" });
	};
	const stale = openImage(context, { io: { ...systemIo, readSync } });
	await assert.rejects(
		() => whenReady(() => bytesAt(stale, 7, 10)),
		(error) => error instanceof ExternalError && error.code === "ESTALE",
	);
});

test("short reads of the operating system are put together", async (context) => {
	const readSync: ImageIo["readSync"] = (fd, target, offset, length, position) =>
		systemIo.readSync(fd, target, offset, Math.min(length, 7), position);
	const file = openImage(context, { io: { ...systemIo, readSync } });
	assert.deepEqual(await whenReady(() => bytesAt(file, 3, 100)), CONTENT.subarray(3, 103));
});

test("the guard is asked before and behind every read", async (context) => {
	const asked: string[] = [];
	const guard = { enter: () => void asked.push("enter"), leave: () => void asked.push("leave") };
	const file = openImage(context, { guard });
	await whenReady(() => bytesAt(file, 0, 10));
	assert.deepEqual(asked, ["enter", "enter", "leave"]);
});

test("closing waits for what is under way, and nothing is read behind it", async (context) => {
	const finish: (() => void)[] = [];
	const read: ImageIo["read"] = (_fd, _target, length, _position, done) => {
		finish.push(() => done(null, length));
	};
	const file = openImage(context, { io: { ...systemIo, read } });
	assert.throws(() => bytesAt(file, 0, 10), BlockFault);
	let closed = false;
	const closing = file.close().then(() => {
		closed = true;
	});
	await new Promise(setImmediate);
	assert.equal(closed, false);
	for (const action of finish) action();
	await closing;
	assert.throws(() => bytesAt(file, 0, 10), ClosedError);
});
