/** Partition tables as they go wrong in the field, and as somebody hostile would write them. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { MemorySource } from "./block/memory.ts";
import { readPartitions } from "./partitions.ts";
import { runTool } from "./testdata/index.ts";

const dir = mkdtempSync(join(tmpdir(), "disk-corners-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const MIB = 1024 * 1024;

function tableOf(bytes: Buffer) {
	return readPartitions(new MemorySource(bytes));
}

/** A disk of some MiB with what sfdisk makes of a script. */
function sfdisk(script: string, mebibytes: number): Buffer {
	const path = join(dir, "sfdisk.img");
	writeFileSync(path, "");
	truncateSync(path, mebibytes * MIB);
	runTool("sfdisk", ["-q", path], script);
	return readFileSync(path);
}

const indexes = (bytes: Buffer) => tableOf(bytes).partitions.map(({ index }) => index);

describe("logical partitions", () => {
	const scriptOf = (type: string) =>
		`label: dos\nlabel-id: 0xabcdef01\nsize=1MiB,type=c\nsize=20MiB,type=${type}\nx5: size=2MiB,type=83\nx6: size=3MiB,type=82\nx7: size=4MiB,type=83\n`;
	const disk = sfdisk(scriptOf("f"), 32);
	/** Bytes where the table of each logical partition stands. */
	const extended = disk.readUInt32LE(446 + 16 + 8) * 512;
	const second = extended + disk.readUInt32LE(extended + 446 + 16 + 8) * 512;
	const third = extended + disk.readUInt32LE(second + 446 + 16 + 8) * 512;

	for (const type of ["5", "f", "85"]) {
		it(`are found in an extended partition of type ${type}, and count from 5`, () => {
			const table = tableOf(sfdisk(scriptOf(type), 32));
			const real = JSON.parse(runTool("sfdisk", ["-J", join(dir, "sfdisk.img")]).toString());
			assert.deepEqual(
				table.partitions.map(({ start, size }) => [start / 512, size / 512]),
				real.partitiontable.partitions.map(({ start, size }: { start: number; size: number }) => [start, size]),
			);
			assert.deepEqual(
				table.partitions.map(({ index, partuuid }) => [index, partuuid]),
				[1, 2, 5, 6, 7].map((index) => [index, `abcdef01-0${index}`]),
			);
			assert.deepEqual(table.findings, []);
		});
	}

	/** A copy in which the link (second entry) of a table leads elsewhere. */
	function linked(from: number, sector: number): Buffer {
		const bytes = Buffer.from(disk);
		bytes.writeUInt8(5, from + 446 + 16 + 4);
		bytes.writeUInt32LE(sector, from + 446 + 16 + 8);
		bytes.writeUInt32LE(1, from + 446 + 16 + 12);
		return bytes;
	}

	it("that come back to an earlier one end there, and what was found is used", () => {
		for (const target of [extended, second, third]) {
			const table = tableOf(linked(third, (target - extended) / 512));
			assert.deepEqual(
				table.partitions.map(({ index }) => index),
				[1, 2, 5, 6, 7],
			);
			assert.match(table.findings.join(), /comes back to sector \d+: what would follow is left out/);
		}
	});

	it("that lead out of the disk end there", () => {
		for (const sector of [32 * 2048, 0x7fff_ffff, 0xffff_ffff]) {
			const table = tableOf(linked(second, sector));
			assert.deepEqual(
				table.partitions.map(({ index }) => index),
				[1, 2, 5, 6],
			);
			assert.match(table.findings.join(), /behind the image's end/);
		}
	});

	it("that lead to something without a table end there without a word, as in Linux", () => {
		const bytes = Buffer.from(disk);
		bytes.fill(0, third, third + 512);
		assert.deepEqual(indexes(bytes), [1, 2, 5, 6]);
	});

	it("are taken from each of two extended partitions", () => {
		const bytes = sfdisk("label: dos\nsize=1MiB,type=c\nsize=8MiB,type=f\nx5: size=2MiB,type=83\n", 32);
		const start = 16 * 2048;
		bytes.set(Buffer.from([0, 0, 0, 0, 5, 0, 0, 0]), 446 + 32);
		bytes.writeUInt32LE(start, 446 + 32 + 8);
		bytes.writeUInt32LE(4096, 446 + 32 + 12);
		bytes.copy(
			bytes,
			start * 512,
			bytes.readUInt32LE(446 + 16 + 8) * 512,
			bytes.readUInt32LE(446 + 16 + 8) * 512 + 512,
		);
		assert.deepEqual(indexes(bytes), [1, 2, 3, 5, 6]);
	});

	it("are bounded, however long their chain is", () => {
		const bytes = Buffer.alloc(1 * MIB);
		const entry = (at: number, type: number, start: number) => {
			bytes.writeUInt8(type, at + 4);
			bytes.writeUInt32LE(start, at + 8);
			bytes.writeUInt32LE(1, at + 12);
		};
		entry(446, 5, 1);
		for (let sector = 0; sector < 1000; sector++) bytes.writeUInt16BE(0x55aa, sector * 512 + 510);
		for (let sector = 1; sector < 1000; sector++) {
			entry(sector * 512 + 446, 0x83, 0);
			entry(sector * 512 + 446 + 16, 5, sector);
		}
		const table = tableOf(bytes);
		assert.equal(table.partitions.length, 1 + 250);
		assert.match(table.findings.join(), /longer than 250/);
	});
});

interface GptOptions {
	readonly sectorSize?: number;
	readonly entrySize?: number;
	readonly entryCount?: number;
	/** First and last sector of each. */
	readonly ranges?: readonly (readonly [number, number])[];
	/** Changes a header before its checksum is made. */
	readonly change?: (header: Buffer) => void;
	readonly mebibytes?: number;
}

/** A GPT with its copy at the end, made here because sfdisk makes none with sectors of 4,096 bytes in a file. */
function gpt(options: GptOptions = {}): Buffer {
	const { sectorSize = 512, entrySize = 128, entryCount = 128, ranges = [[2048, 4095]], mebibytes = 4 } = options;
	const bytes = Buffer.alloc(mebibytes * MIB);
	const last = bytes.length / sectorSize - 1;
	bytes.writeUInt8(0xee, 446 + 4);
	bytes.writeUInt32LE(1, 446 + 8);
	bytes.writeUInt32LE(last, 446 + 12);
	bytes.writeUInt16BE(0x55aa, 510);
	const array = Buffer.alloc(Math.max(entrySize, 128) * 128);
	for (const [number, [first, end]] of ranges.entries()) {
		array.fill(number + 1, number * entrySize, number * entrySize + 32);
		array.writeBigUInt64LE(BigInt(first), number * entrySize + 32);
		array.writeBigUInt64LE(BigInt(end), number * entrySize + 40);
	}
	const arraySectors = Math.ceil(array.length / sectorSize);
	for (const [own, entriesAt] of [
		[1, 2],
		[last, last - arraySectors],
	] as const) {
		array.copy(bytes, entriesAt * sectorSize);
		const header = bytes.subarray(own * sectorSize, own * sectorSize + 92);
		header.write("EFI PART\0\0\x01\0", "latin1");
		header.writeUInt32LE(92, 12);
		header.writeUInt32LE(own, 24);
		header.writeUInt32LE(entriesAt, 72);
		header.writeUInt32LE(entryCount, 80);
		header.writeUInt32LE(entrySize, 84);
		header.writeUInt32LE(crc32(array.subarray(0, entryCount * entrySize)), 88);
		options.change?.(header);
		header.writeUInt32LE(0, 16);
		header.writeUInt32LE(crc32(header), 16);
	}
	return bytes;
}

describe("a GPT", () => {
	it("with logical sectors of 4,096 bytes is read, and from its copy too", () => {
		const ranges = [[256, 511]] as const;
		const bytes = gpt({ sectorSize: 4096, ranges });
		const expected = [[256 * 4096, 256 * 4096]];
		const places = (disk: Buffer) => tableOf(disk).partitions.map(({ start, size }) => [start, size]);
		assert.deepEqual(places(bytes), expected);
		bytes.fill(0, 4096, 4096 + 92);
		assert.deepEqual(places(bytes), expected);
		assert.match(tableOf(bytes).findings.join(), /copy at the end is used/);
	});

	it("with entries of 256 bytes, or only one entry, is read", () => {
		assert.equal(
			tableOf(
				gpt({
					entrySize: 256,
					ranges: [
						[2048, 2048],
						[4096, 4099],
					],
				}),
			).partitions.length,
			2,
		);
		assert.equal(tableOf(gpt({ entryCount: 1 })).partitions.length, 1);
	});

	it("is refused when it asks for more than a table can be, and nothing is allocated for it", () => {
		const hostile: ((header: Buffer) => void)[] = [
			(header) => header.writeUInt32LE(0xffff_ffff, 80),
			(header) => header.writeUInt32LE(0xffff_ffff, 84),
			(header) => header.writeUInt32LE(0, 84),
			(header) => header.writeUInt32LE(127, 84),
			(header) => header.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 72),
			(header) => header.writeUInt32LE(0x7fff_ffff, 72),
			(header) => header.writeUInt32LE(2, 24),
			(header) => header.writeUInt32LE(91, 12),
			(header) => header.writeUInt32LE(0xffff_ffff, 12),
		];
		for (const change of hostile) assert.throws(() => tableOf(gpt({ change })), { code: "malformed-gpt" }, `${change}`);
	});

	it("keeps its other partitions when one of them ends before it begins or is beyond every disk", () => {
		const table = tableOf(
			gpt({
				ranges: [
					[2048, 2047],
					[4096, 4099],
					[2 ** 52, 2 ** 52],
				],
			}),
		);
		assert.deepEqual(
			table.partitions.map(({ index }) => index),
			[2],
		);
		assert.equal(table.findings.filter((finding) => finding.endsWith("left out")).length, 2);
	});

	it("whose two copies are damaged is refused, unless the MBR is a hybrid one", () => {
		const bytes = gpt();
		bytes.fill(0, 512, 1024);
		bytes.fill(0, bytes.length - 512);
		assert.throws(() => tableOf(bytes), { code: "malformed-gpt" });
		bytes.writeUInt8(0x0c, 446 + 16 + 4);
		bytes.writeUInt32LE(2048, 446 + 16 + 8);
		bytes.writeUInt32LE(1024, 446 + 16 + 12);
		const table = tableOf(bytes);
		assert.deepEqual([table.kind, table.partitions.map(({ index, start }) => [index, start])], ["mbr", [[2, MIB]]]);
		assert.match(table.findings[0] ?? "", /both copies of the GPT are damaged .* the MBR names are used/);
	});

	it("goes before a hybrid MBR", () => {
		const path = join(dir, "hybrid.img");
		writeFileSync(path, "");
		truncateSync(path, 8 * MIB);
		runTool("sgdisk", ["-n", "1:2048:+2M", "-n", "2:0:+2M", "-h", "1", path]);
		const bytes = readFileSync(path);
		const types = [0, 1, 2, 3].map((entry) => bytes[446 + 16 * entry + 4]);
		assert.ok(types.includes(0xee) && types.some((type) => type !== 0xee && type !== 0), String(types));
		const { kind, partitions } = tableOf(bytes);
		assert.deepEqual([kind, partitions.length], ["gpt", 2]);
	});
});
