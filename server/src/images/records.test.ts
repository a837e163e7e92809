import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { makeImageId } from "./records.ts";

test("ids are made of file names", () => {
	const free = () => false;
	assert.equal(makeImageId("2026-06-18-raspios-trixie-arm64-lite.img", free), "2026-06-18-raspios-trixie-arm64-lite");
	assert.equal(makeImageId("Größe & Söhne.IMG", free), "gro-e-sohne");
	assert.equal(makeImageId("..img", free), "image");
	assert.equal(makeImageId("日本.img", free), "image");
	for (const name of ["a.img.xz", "a.IMG.gz", "a.zip", "a.img.zip", "a.img"])
		assert.equal(makeImageId(name, free), "a");
	assert.equal(makeImageId("a.xz.img", free), "a.xz");
});

test("any name gives an id of the documented form that is not taken", () => {
	fc.assert(
		fc.property(
			fc.array(fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("a.img", "A.img")), { maxLength: 8 }),
			(names) => {
				const taken = new Set<string>();
				for (const name of names) {
					const id = makeImageId(name, (each) => taken.has(each));
					assert.match(id, /^[a-z0-9][a-z0-9._-]{0,127}$/);
					assert.ok(!taken.has(id));
					taken.add(id);
				}
			},
		),
	);
});
