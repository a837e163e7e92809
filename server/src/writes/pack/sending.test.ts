/** Parts of files, sent to readers that are slow, leave, or get what the file no longer has. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { ClosedError } from "../../base/index.ts";
import { sendPart } from "./sending.ts";

const folder = mkdtempSync(join(tmpdir(), "sending-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const path = join(folder, "pack");
const content = randomBytes(1_000_003);
writeFileSync(path, content);

/** Looks at what it was given only when it says that it has taken it: the buffer must be its own until then. */
function slowReader() {
	const pieces: Buffer[] = [];
	const write = (piece: Buffer, _encoding: string, taken: () => void) => {
		setImmediate(() => {
			pieces.push(Buffer.from(piece));
			taken();
		});
	};
	return { stream: new Writable({ write }), get: () => Buffer.concat(pieces) };
}

describe("a part of a file", () => {
	it("comes as it is, from any place, of any length", async () => {
		for (const [start, end] of [
			[0, content.length],
			[1, 262_146],
			[262_144, 524_288],
			[999_999, 1_000_003],
			[5, 5],
		] as const) {
			const { stream, get } = slowReader();
			await sendPart(path, start, end, stream);
			assert.ok(get().equals(content.subarray(start, end)), `${start} to ${end}`);
		}
	});

	it("is not mixed with others that are sent at the same time, also after one was broken off", async () => {
		const gone = new PassThrough();
		const broken = assert.rejects(sendPart(path, 0, content.length, gone), ClosedError);
		gone.destroy();
		const readers = Array.from({ length: 8 }, slowReader);
		await Promise.all(readers.map(({ stream }, number) => sendPart(path, number * 1000, content.length, stream)));
		for (const [number, { get }] of readers.entries()) assert.ok(get().equals(content.subarray(number * 1000)));
		await broken;
	});

	it("ends when nobody reads it any more, at its start and behind a piece that was never taken", async () => {
		const closed = new PassThrough();
		closed.destroy();
		await assert.rejects(sendPart(path, 0, 10, closed), ClosedError);
		const stuck = new Writable({ write: () => stuck.emit("stuck") });
		stuck.once("stuck", () => stuck.destroy());
		await assert.rejects(sendPart(path, 0, content.length, stuck), ClosedError);
	});

	it("says where a file ends that is shorter than it was", async () => {
		const out = new PassThrough();
		const read = buffer(out);
		await assert.rejects(sendPart(path, 900_000, 1_100_000, out), {
			message: /ends at byte 1000003, expected 1100000/,
		});
		out.end();
		assert.equal((await read).length, 100_003);
	});
});
