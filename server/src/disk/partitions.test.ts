import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { isNetbootError } from "../base/index.ts";
import { MemorySource } from "./block/memory.ts";
import { SliceSource } from "./block/slice.ts";
import { readPartitions } from "./partitions.ts";
import { recognise } from "./probe.ts";
import { makeDiskImage, makeExtImage, makeFatImage, runTool } from "./testdata/index.ts";

const dir = mkdtempSync(join(tmpdir(), "disk-partitions-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const MIB = 1024 * 1024;
const boot = makeFatImage(dir, { sizeKiB: 2048 });
const root = makeExtImage(dir, { size: "4M" });

function load(path: string): Buffer {
	return readFileSync(path);
}

function tableOf(bytes: Buffer) {
	return readPartitions(new MemorySource(bytes));
}

/** A disk of some MiB with what sfdisk makes of a script. */
function sfdisk(script: string, mebibytes: number): Buffer {
	const path = join(dir, "sfdisk.img");
	writeFileSync(path, "");
	truncateSync(path, mebibytes * MIB);
	runTool("sfdisk", ["-q", path], script);
	return load(path);
}

test("an MBR as the images of Raspberry Pi OS have it", () => {
	const bytes = load(makeDiskImage(dir, { boot, root, table: "mbr" }));
	const table = tableOf(bytes);
	assert.deepEqual(table, {
		kind: "mbr",
		diskId: "1f00cafe",
		partitions: [
			{ index: 1, start: MIB, size: 2 * MIB, type: "0c", partuuid: "1f00cafe-01", bootable: true },
			{ index: 2, start: 3 * MIB, size: 4 * MIB, type: "83", partuuid: "1f00cafe-02", bootable: false },
		],
		findings: [],
	});
	const kinds = table.partitions.map(({ start, size }) =>
		recognise(new SliceSource(new MemorySource(bytes), start, size)),
	);
	assert.deepEqual(kinds, ["fat", "ext"]);
});

test("a GPT, with names and GUIDs", () => {
	const table = tableOf(load(makeDiskImage(dir, { boot, root, table: "gpt" })));
	assert.equal(table.kind, "gpt");
	assert.equal(table.diskId, "12345678-9abc-def0-1234-56789abcdef0");
	assert.deepEqual(table.findings, []);
	assert.deepEqual(
		table.partitions.map(({ index, start, size, type, partuuid, name }) => [index, start, size, type, partuuid, name]),
		[
			[1, MIB, 2 * MIB, "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "12345678-9abc-def0-1234-000000000001", "bootfs"],
			[2, 3 * MIB, 4 * MIB, "0fc63daf-8483-4772-8e79-3d69d8477de4", "12345678-9abc-def0-1234-000000000002", "rootfs"],
		],
	);
});

test("a GPT whose start is damaged is read from its end, and said so", () => {
	const bytes = load(makeDiskImage(dir, { boot, root, table: "gpt" }));
	const good = tableOf(bytes);
	for (const at of [512 + 40, 512 + 16, 1024 + 33]) {
		const damaged = Buffer.from(bytes);
		damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
		const table = tableOf(damaged);
		assert.deepEqual(table.partitions, good.partitions);
		assert.match(table.findings.join(), /damaged .*checksum.* copy at the end/);
	}
	const both = Buffer.from(bytes);
	both.fill(0, 512, 1024);
	both.fill(0, both.length - 512);
	assert.throws(() => tableOf(both), { code: "malformed-gpt" });
});

test("partitions beyond the end of an image are cut off or left out, with a finding", () => {
	const bytes = load(makeDiskImage(dir, { boot, root, table: "mbr" }));
	const cut = tableOf(bytes.subarray(0, 4 * MIB));
	assert.deepEqual(
		cut.partitions.map(({ size }) => size),
		[2 * MIB, MIB],
	);
	assert.match(cut.findings.join(), /partition 2 ends at byte .*: cut off/);
	const gone = tableOf(bytes.subarray(0, 2 * MIB));
	assert.equal(gone.partitions.length, 1);
	assert.equal(gone.findings.length, 2);
});

test("a file system without a table, and nothing at all", () => {
	for (const image of [boot, root]) assert.equal(tableOf(load(image)).kind, "none");
	assert.equal(recognise(new MemorySource(load(boot))), "fat");
	assert.equal(recognise(new MemorySource(load(root))), "ext");
	for (const size of [0, 100, 511, 512, 100_000]) {
		assert.equal(tableOf(Buffer.alloc(size)).kind, "none");
		assert.equal(recognise(new MemorySource(Buffer.alloc(size))), "unknown");
	}
});

test("whatever the tables hold, there is a table inside the source or an error of ours", () => {
	const disks = (["mbr", "gpt"] as const).map((table) => load(makeDiskImage(dir, { boot, root, table })));
	disks.push(sfdisk("label: dos\nsize=9MiB,type=f\nx5: size=100KiB,type=83\nx6: size=3MiB,type=83\n", 12));
	const change = fc.tuple(fc.integer({ min: 440, max: 1700 }), fc.integer({ min: 0, max: 255 }));
	fc.assert(
		fc.property(fc.constantFrom(...disks), fc.array(change, { minLength: 1, maxLength: 8 }), (disk, changes) => {
			const bytes = Buffer.from(disk.subarray(0, 2 * MIB));
			for (const [at, value] of changes) bytes.writeUInt8(value, at);
			try {
				for (const { start, size } of tableOf(bytes).partitions) assert.ok(start + size <= bytes.length);
			} catch (error) {
				if (!isNetbootError(error)) throw error;
			}
		}),
		{ numRuns: 300 },
	);
});
