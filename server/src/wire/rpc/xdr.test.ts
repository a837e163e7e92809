import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { XdrError, XdrReader } from "./xdr-reader.ts";
import { XdrWriter } from "./xdr-writer.ts";

test("what is written is read back, padded to four bytes", () => {
	fc.assert(
		fc.property(
			fc.nat({ max: 0xffff_ffff }),
			fc.maxSafeNat(),
			fc.boolean(),
			fc.uint8Array({ maxLength: 70 }),
			fc.uint8Array({ maxLength: 300 }),
			(number, hyper, bool, fixed, opaque) => {
				const text = Buffer.from(opaque).toString("latin1");
				const out = new XdrWriter(8);
				out.u32(number).u64(hyper).bool(bool).fixed(fixed).opaque(opaque).string(text);
				assert.equal(out.position % 4, 0);
				const reader = new XdrReader(out.copy());
				assert.equal(reader.u32(), number);
				assert.equal(reader.u64(), hyper);
				assert.equal(reader.bool(), bool);
				assert.deepEqual(reader.fixed(fixed.length), Buffer.from(fixed));
				assert.deepEqual(reader.opaque(300), Buffer.from(opaque));
				assert.equal(reader.string(300), text);
				assert.equal(reader.remaining, 0);
			},
		),
	);
});

test("padding is zero, also in memory that was used before", () => {
	const out = new XdrWriter(64);
	out.fixed(Buffer.alloc(40, 0xff));
	out.truncate(0);
	out.string("abcde").opaque(Buffer.from([1]));
	out.space(2).fill(7);
	assert.equal(out.copy().toString("hex"), "0000000561626364650000000000000101000000" + "07070000");
});

test("anything read from random bytes is an XdrError or a value", () => {
	const methods = [
		(reader: XdrReader) => reader.u32(),
		(reader: XdrReader) => reader.u64(),
		(reader: XdrReader) => reader.bool(),
		(reader: XdrReader) => reader.fixed(5),
		(reader: XdrReader) => reader.opaque(16),
		(reader: XdrReader) => reader.string(16),
		(reader: XdrReader) => reader.skipOpaque(16),
	];
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(fc.constantFrom(...methods)), (bytes, calls) => {
			const reader = new XdrReader(Buffer.from(bytes));
			try {
				for (const method of calls) method(reader);
			} catch (error) {
				assert.ok(error instanceof XdrError, String(error));
			}
		}),
	);
});

test("a length is believed only as far as the limit and the bytes go", () => {
	const reader = (...numbers: number[]) => {
		const out = new XdrWriter();
		for (const number of numbers) out.u32(number);
		return new XdrReader(out.copy());
	};
	assert.throws(() => reader(0xffff_ffff, 0).opaque(0xffff_ffff), /needs 4294967296 bytes at offset 4, got 4/);
	assert.throws(() => reader(65, 0).opaque(64, "nfs_fh3"), /nfs_fh3 may have 64 bytes, got 65/);
	assert.throws(() => reader(5, 0).string(8), XdrError);
	assert.throws(() => reader(2).bool("check"), /check must be 0 or 1, got 2 at offset 0/);
});

test("a hyper above 2^53 stays above every exact one", () => {
	const reader = new XdrReader(Buffer.from("ffffffffffffffff", "hex"));
	assert.ok(reader.u64() > Number.MAX_SAFE_INTEGER);
});
