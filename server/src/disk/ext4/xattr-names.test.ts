import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MalformedError } from "../../base/index.ts";
import type { XattrEntry } from "./xattr.ts";
import { isShown, xattrName, xattrValue } from "./xattr-names.ts";

function entry(index: number, name: string): XattrEntry {
	return { index, name, size: 0, value: Buffer.alloc(0), inode: 0 };
}

test("names get their prefix back", () => {
	assert.equal(xattrName(entry(1, "mime"), "here"), "user.mime");
	assert.equal(xattrName(entry(6, "capability"), "here"), "security.capability");
	assert.equal(xattrName(entry(2, ""), "here"), "system.posix_acl_access");
	assert.throws(() => xattrName(entry(99, "x"), "here"), { code: "malformed-ext4" });
	assert.equal(isShown(entry(7, "data")), false);
	assert.equal(isShown(entry(1, "data")), true);
});

test("an access control list is given in the form that users get", () => {
	// version 1; user::rw-, user:1000:r--, group::r--, mask::r--, other::---
	const stored = Buffer.from(
		"01000000" + "01000600" + "02000400e8030000" + "04000400" + "10000400" + "20000000",
		"hex",
	);
	const expected =
		"02000000" + "01000600ffffffff" + "02000400e8030000" + "04000400ffffffff" + "10000400ffffffff" + "20000000ffffffff";
	assert.equal(xattrValue(entry(2, ""), stored, "here").toString("hex"), expected);
	assert.equal(xattrValue(entry(1, "x"), stored, "here"), stored);
});

test("any bytes give an access control list or an error of ours", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, versioned) => {
			const stored = Buffer.from(versioned ? [1, 0, 0, 0, ...bytes] : bytes);
			try {
				assert.equal((xattrValue(entry(3, ""), stored, "here").length - 4) % 8, 0);
			} catch (error) {
				if (!(error instanceof MalformedError)) throw error;
			}
		}),
	);
});
