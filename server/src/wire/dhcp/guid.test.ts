import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeGuid } from "./guid.ts";

const hex = (text: string): Buffer => Buffer.from(text.replace(/[: ]/g, ""), "hex");
const NOBODY = hex("02005e005301");

test("a Pi 400's GUID gives its board revision, MAC part and serial", () => {
	assert.deepEqual(decodeGuid(hex("00 52506934 3031c000 32ecfc3c da06ffe0"), NOBODY), {
		kind: "board",
		fourCC: "RPi4",
		revision: 0x00c03130,
		mac: hex("32ecfc3c"),
		serial: "e0ff06da",
	});
});

test("GUIDs of compute modules and a Pi 5, in either order of the letters", () => {
	const cases = [
		["00:34:69:50:52:41:31:a0:00:01:f8:de:b9:60:00:00:00", "4iPR", 0xa03141, "00000060"],
		["00 52506934 1131a000 322ef8ed 1045155b", "RPi4", 0xa03111, "5b154510"],
		["00 35695052 7041d000 9e114ecc 798ff17b", "5iPR", 0xd04170, "7bf18f79"],
		["00 34695052 1431d000 010902f7 3df0cd91", "4iPR", 0xd03114, "91cdf03d"],
	] as const;
	for (const [text, fourCC, revision, serial] of cases) {
		const guid = decodeGuid(hex(text), NOBODY);
		assert.equal(guid.kind, "board");
		if (guid.kind !== "board") continue;
		assert.deepEqual([guid.fourCC, guid.revision, guid.serial], [fourCC, revision, serial]);
	}
});

test("a serial four times", () => {
	const serial = "164c6cb6";
	assert.deepEqual(decodeGuid(hex(`00${serial.repeat(4)}`), NOBODY), { kind: "serial", serial: "b66c4c16" });
});

test("the mask ROM's GUID is no serial", () => {
	assert.deepEqual(decodeGuid(hex(`00${"44".repeat(16)}`), NOBODY), { kind: "mask-rom" });
});

test("a FourCC that the user chose is believed where the MAC part agrees", () => {
	const guid = hex("00 41424344 7041d000 9e114ecc 798ff17b");
	assert.deepEqual(decodeGuid(guid, NOBODY), { kind: "unknown" });
	const own = decodeGuid(guid, hex("88a29e114ecc"));
	assert.equal(own.kind === "board" && own.serial, "7bf18f79");
});

test("what is no GUID of a Pi is unknown", () => {
	const cases = ["", "00", `00${"00".repeat(16)}`, `00${"ff".repeat(16)}`, `01${"44".repeat(16)}`, "44".repeat(20)];
	for (const text of cases) assert.deepEqual(decodeGuid(hex(text), NOBODY), { kind: "unknown" }, text);
});

test("any bytes are taken", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 16 }), (data, chaddr) => {
			assert.ok(["board", "serial", "mask-rom", "unknown"].includes(decodeGuid(data, chaddr).kind));
		}),
	);
});
