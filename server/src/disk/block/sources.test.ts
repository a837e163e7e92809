import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FileSource } from "./file.ts";
import { MemorySource } from "./memory.ts";
import { SliceSource } from "./slice.ts";
import { readBytes } from "./source.ts";

const dir = mkdtempSync(join(tmpdir(), "disk-block-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const bytes = Buffer.from(Array.from({ length: 1000 }, (_, at) => at & 0xff));
const path = join(dir, "file");
writeFileSync(path, bytes);

test("all sources give the same bytes", () => {
	const file = FileSource.open(path);
	const memory = new MemorySource(bytes);
	for (const source of [file, memory, new SliceSource(memory, 0, 1000)]) {
		assert.equal(source.size, 1000);
		assert.deepEqual(readBytes(source, 990, 10), bytes.subarray(990));
	}
	const slice = new SliceSource(file, 100, 50);
	assert.equal(slice.size, 50);
	assert.deepEqual(readBytes(slice, 10, 40), bytes.subarray(110, 150));
	file.close();
});

test("what lies outside is refused before anything is allocated", () => {
	const source = new SliceSource(new MemorySource(bytes), 100, 50);
	for (const [offset, length] of [
		[0, 51],
		[50, 1],
		[-1, 1],
		[0.5, 1],
		[Number.NaN, 1],
		[0, 2 ** 50],
	] as const) {
		assert.throws(() => readBytes(source, offset, length), { code: "malformed-image" }, `${offset}, ${length}`);
	}
	assert.throws(() => new SliceSource(source, 10, 41), { code: "malformed-image" });
	assert.throws(() => source.read(49, Buffer.alloc(2)), { code: "malformed-image" });
});

test("what the operating system refuses is told with its code", () => {
	assert.throws(() => FileSource.open(join(dir, "none")), { code: "ENOENT" });
	const source = FileSource.open(path);
	truncateSync(path, 10);
	assert.throws(() => source.read(5, Buffer.alloc(10)), { code: "io", message: /shorter/ });
	source.close();
	source.close();
	assert.throws(() => source.read(0, Buffer.alloc(1)), { code: "closed" });
});
