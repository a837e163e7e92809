import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { overtakenBy, type, withoutSaved } from "./use-draft.ts";

const before = { name: "bench", tags: ["a"] as readonly string[] };
const nothing = { typed: {}, before: {} };

describe("a form", () => {
	it("knows what others changed of what is being typed, and of that alone", () => {
		const typing = type(type(nothing, { name: "she" }, before), { name: "shelf" }, before);
		assert.deepEqual(overtakenBy(before, typing), []);
		assert.deepEqual(overtakenBy({ ...before, tags: ["b"] }, typing), []);
		assert.deepEqual(overtakenBy({ ...before, name: "door" }, typing), ["name"]);
	});

	it("is not overtaken by what was typed itself, or by the same list again", () => {
		const typing = type(type(nothing, { name: "shelf" }, before), { tags: ["a", "b"] }, before);
		assert.deepEqual(overtakenBy({ name: "shelf", tags: ["a"] }, typing), []);
	});

	it("keeps what was typed while it was saved, which nobody else has changed", () => {
		const sent = { name: "shelf", tags: ["b"] };
		const typing = type(
			type(type(nothing, { name: "shelf" }, before), { tags: ["b"] }, before),
			{ name: "she" },
			before,
		);
		const left = withoutSaved(typing, sent);
		assert.deepEqual(left.typed, { name: "she" });
		assert.deepEqual(overtakenBy(sent, left), []);
		assert.deepEqual(overtakenBy({ ...sent, name: "door" }, left), ["name"]);
		assert.deepEqual(withoutSaved(type(nothing, sent, before), sent), nothing);
	});

	it("remembers what held when a field was touched first, also where it is touched again after a change", () => {
		const first = type(nothing, { name: "s" }, before);
		const typing = type(first, { name: "sh" }, { ...before, name: "door" });
		assert.deepEqual(overtakenBy({ ...before, name: "door" }, typing), ["name"]);
	});
});
