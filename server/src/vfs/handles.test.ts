import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { it } from "node:test";
import fc from "fast-check";
import { BugError } from "../base/index.ts";
import { assertFails } from "./compliance-tools.ts";
import { HANDLE_BYTES, HandleCodec } from "./handles.ts";

const codec = new HandleCodec(Buffer.alloc(32, 1));

const handles = fc.record({
	root: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
	fsid: fc.integer({ min: 0, max: 0xff_ffff }),
	ino: fc.integer({ min: 0, max: 0xffff_ffff }),
	generation: fc.integer({ min: 0, max: 0xffff_ffff }),
});

it("gives back what it was made from", () => {
	fc.assert(fc.property(handles, (handle) => assert.deepEqual(codec.decode(codec.encode(handle)), { ...handle })));
});

it("fits into an NFS handle and is always the same", () => {
	const handle = { root: Buffer.alloc(8, 3), fsid: 1, ino: 2, generation: 0 };
	assert.ok(HANDLE_BYTES <= 64 && HANDLE_BYTES % 4 === 0);
	assert.equal(codec.encode(handle).length, HANDLE_BYTES);
	assert.deepEqual(new HandleCodec(Buffer.alloc(32, 1)).encode(handle), codec.encode(handle));
});

it("refuses a handle with any bit changed", () => {
	fc.assert(
		fc.property(handles, fc.integer({ min: 0, max: HANDLE_BYTES * 8 - 1 }), (handle, bit) => {
			const bytes = codec.encode(handle);
			bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
			assertFails("EINVAL", () => codec.decode(bytes));
		}),
	);
});

it("refuses what is not a handle, or another installation's", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
			assertFails("EINVAL", () => codec.decode(Buffer.from(bytes)));
		}),
	);
	const other = new HandleCodec(randomBytes(32));
	const handle = other.encode({ root: Buffer.alloc(8), fsid: 1, ino: 2, generation: 0 });
	assertFails("EINVAL", () => codec.decode(handle));
});

it("wants a key that is one, and 8 bytes of root", () => {
	assert.throws(() => new HandleCodec(Buffer.alloc(8)), BugError);
	assert.throws(() => codec.encode({ root: Buffer.alloc(7), fsid: 1, ino: 1, generation: 0 }), BugError);
});
