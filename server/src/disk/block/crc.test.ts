import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc16, crc32be, crc32c, crc32cOfU32 } from "./crc.ts";

/** The check values of the catalogue of CRC algorithms: what the nine digits give. */
const DIGITS = Buffer.from("123456789");

test("check values", () => {
	assert.equal((crc32c(0xffffffff, DIGITS) ^ 0xffffffff) >>> 0, 0xe3069283); // CRC-32/ISCSI
	assert.equal(crc32be(0xffffffff, DIGITS), 0x0376e6e7); // CRC-32/MPEG-2
	assert.equal(crc16(0, DIGITS), 0xbb3d); // CRC-16/ARC
	assert.equal(crc32cOfU32(0xffffffff, 0x04030201), crc32c(0xffffffff, Uint8Array.of(1, 2, 3, 4)));
});

test("a checksum can be taken piece by piece", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
			const at = Math.min(cut, bytes.length);
			assert.equal(crc32c(crc32c(1, bytes, 0, at), bytes, at), crc32c(1, bytes));
			assert.equal(crc16(crc16(1, bytes, 0, at), bytes, at), crc16(1, bytes));
		}),
	);
});
