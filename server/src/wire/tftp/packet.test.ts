import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MalformedError } from "../../base/index.ts";
import { normaliseName } from "./names.ts";
import { negotiate } from "./negotiate.ts";
import { decodeClientPacket, decodeRequest, encodeError, encodeOack, opcodeOf } from "./packet.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");

test("the requests of a Pi 400's EEPROM, of its start4.elf and of a Pi 3's ROM", () => {
	assert.deepEqual(
		decodeRequest(
			hex("000165306666303664612f7374617274342e656c66006f63746574007473697a65003000626c6b73697a65003130323400"),
		),
		{
			opcode: 1,
			filename: "e0ff06da/start4.elf",
			mode: "octet",
			options: [
				["tsize", "0"],
				["blksize", "1024"],
			],
		},
	);
	const second = decodeRequest(
		hex("00017265636f766572792e656c66006f63746574007473697a65003000626c6b73697a65003134363800"),
	);
	assert.equal(second.filename, "recovery.elf");
	const rom = Buffer.from("\0\x01bootcode.bin\0octet\0", "latin1");
	assert.equal(rom.length, 21);
	assert.deepEqual(decodeRequest(rom), { opcode: 1, filename: "bootcode.bin", mode: "octet", options: [] });
});

test("modes are compared without case, names keep their bytes", () => {
	const request = decodeRequest(Buffer.from("\0\x02a\xff//b\0OcTeT\0", "latin1"));
	assert.deepEqual([request.opcode, request.filename, request.mode], [2, "a\xff//b", "octet"]);
});

test("padding and half an option behind a request are passed over", () => {
	const request = decodeRequest(Buffer.from("\0\x01f\0octet\0tsize\x000\0blk", "latin1"));
	assert.deepEqual(request.options, [["tsize", "0"]]);
	assert.deepEqual(decodeRequest(Buffer.from("\0\x01f\0octet\0\0", "latin1")).options, []);
});

test("broken requests are refused", () => {
	const cases = ["", "\0", "\0\x01", "\0\x01f", "\0\x01f\0octet", "\0\x01\0octet\0", "\0\x03f\0octet\0"];
	for (const bytes of [...cases, `\0\x01${"f".repeat(600)}\0octet\0`]) {
		assert.throws(() => decodeRequest(Buffer.from(bytes, "latin1")), MalformedError, JSON.stringify(bytes));
	}
});

test("ACK and ERROR of a client; everything else is nothing", () => {
	assert.deepEqual(decodeClientPacket(hex("0004ffff")), { opcode: 4, block: 65535 });
	const early = Buffer.from("\0\x05\0\0Early terminate\0", "latin1");
	assert.deepEqual(decodeClientPacket(early), { opcode: 5, code: 0, message: "Early terminate" });
	assert.deepEqual(decodeClientPacket(hex("00050008")), { opcode: 5, code: 8, message: "" });
	for (const bytes of ["", "0004", "000400", "00030001", "00060000", "ffff0000"]) {
		assert.equal(decodeClientPacket(hex(bytes)), undefined, bytes);
	}
});

test("ERROR and OACK as they go out", () => {
	assert.equal(encodeError(1, "file not found").toString("latin1"), "\0\x05\0\x01file not found\0");
	const oack = encodeOack([
		["blksize", "1024"],
		["tsize", "1591"],
	]);
	assert.equal(oack.toString("latin1"), "\0\x06blksize\x001024\0tsize\x001591\0");
});

test("any bytes are read or refused", () => {
	const near = fc
		.array(fc.constantFrom("\0", "\x01", "octet", "blksize", "a", "1468"), { maxLength: 14 })
		.map((words) => Buffer.from(`\0\x01${words.join("\0")}`, "latin1"));
	const hostile = fc.oneof(
		near,
		fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
	);
	fc.assert(
		fc.property(hostile, (bytes) => {
			assert.doesNotThrow(() => [opcodeOf(bytes), decodeClientPacket(bytes)]);
			try {
				const request = decodeRequest(bytes);
				assert.doesNotThrow(() => [negotiate(request.options, 5), normaliseName(request.filename)]);
			} catch (error) {
				assert.ok(error instanceof MalformedError, String(error));
			}
		}),
		{ numRuns: 2000 },
	);
});

test("only options that were asked for are accepted, those that make no sense are passed over", () => {
	assert.deepEqual(negotiate([], 1).accepted, []);
	assert.deepEqual(
		negotiate(
			[
				["blksize", "7"],
				["windowsize", "0"],
				["timeout", "0"],
				["x", "1"],
			],
			1,
		).accepted,
		[],
	);
	assert.deepEqual(
		negotiate(
			[
				["blksize", "-8"],
				["tsize", "x"],
				["windowsize", "70000"],
			],
			1,
		).accepted,
		[],
	);
	assert.deepEqual(
		negotiate(
			[
				["TSize", "0"],
				["BLKSIZE", "1468"],
				["blksize", "8"],
			],
			1591,
		).accepted,
		[
			["blksize", "1468"],
			["tsize", "1591"],
		],
	);
	assert.deepEqual(
		negotiate(
			[
				["timeout", "3"],
				["windowsize", "16"],
			],
			1,
		),
		{
			blksize: 512,
			windowsize: 16,
			timeout: 3000,
			accepted: [
				["windowsize", "16"],
				["timeout", "3"],
			],
		},
	);
});

test("large values are cut, so that no client takes much memory", () => {
	assert.equal(negotiate([["blksize", "9999999999"]], 1).blksize, 65464);
	assert.equal(negotiate([["windowsize", "65535"]], 1).windowsize, 64);
	assert.equal(
		negotiate(
			[
				["windowsize", "64"],
				["blksize", "65464"],
			],
			1,
		).windowsize,
		4,
	);
});

test("names in one form, and none that leaves the tree", () => {
	assert.equal(normaliseName("7bf18f79//config.txt"), "7bf18f79/config.txt");
	assert.equal(normaliseName("///a/./b/"), "a/b");
	assert.equal(normaliseName("a..b/..c"), "a..b/..c");
	for (const name of ["..", "a/../b", "a//..", "/..//etc/passwd", "a\0b", "", "//", "."]) {
		assert.equal(normaliseName(name), undefined, JSON.stringify(name));
	}
});

test("a name in one form stays as it is", () => {
	const names = fc.array(fc.constantFrom("/", "..", ".", "a", "\0", "//"), { maxLength: 12 });
	fc.assert(
		fc.property(names, (parts) => {
			const name = normaliseName(parts.join(""));
			if (name === undefined) return;
			assert.equal(normaliseName(name), name);
			assert.doesNotMatch(name, /^\/|\/\/|(^|\/)\.\.?(\/|$)|\0/);
		}),
	);
});
