import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checksumIn } from "./checksum-text.ts";

const SUM = "0123456789abcdef".repeat(4);

test("a list that was made for one file tells its checksum in every form", () => {
	for (const text of [SUM, `${SUM.toUpperCase()}\n`, `${SUM}  other.img\r\n`, `# made by us\n\n${SUM} *x.img`]) {
		assert.equal(checksumIn(text, "x.img", true), SUM, text);
	}
	assert.equal(checksumIn(`SHA256 (x.img) = ${SUM}`, "x.img", true), SUM);
});

test("a list of many tells only that of the name", () => {
	const other = `${"f".repeat(64)}  other.img`;
	assert.equal(checksumIn(`${other}\n${SUM}  ./os/x.img\n`, "x.img", false), SUM);
	assert.equal(checksumIn(`SHA256(x.img)= ${SUM}\n${other}`, "x.img", false), SUM);
	for (const text of [other, SUM, `${SUM}  x.img.xz`, `${"f".repeat(128)}  x.img`, "<html>", ""]) {
		assert.equal(checksumIn(text, "x.img", false), undefined, text);
	}
});

test("any text has a checksum of 64 digits, or none", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), fc.string(), fc.boolean(), (text, name, isOfOne) => {
			assert.match(checksumIn(text, name, isOfOne) ?? SUM, /^[0-9a-f]{64}$/);
		}),
	);
});
