import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keptOf } from "./use-kept.ts";

const FIRST = { text: "", service: null, kind: "all" };

describe("what is kept of a page", () => {
	it("comes back at its own entry of the history alone", () => {
		const kept = JSON.stringify({ entry: "a1", value: { text: "class-7b", service: "dhcp", kind: null } });
		assert.deepEqual(keptOf(FIRST, kept, "a1"), { text: "class-7b", service: "dhcp", kind: null });
		assert.deepEqual(keptOf(FIRST, kept, "b2"), FIRST);
		assert.deepEqual(keptOf(FIRST, kept, undefined), FIRST);
		assert.deepEqual(keptOf(FIRST, null, "a1"), FIRST);
	});

	it("has the fields that the page knows, and no others", () => {
		const kept = JSON.stringify({ entry: "a1", value: { text: 7, kind: "running", colour: "red" } });
		assert.deepEqual(keptOf(FIRST, kept, "a1"), { ...FIRST, kind: "running" });
	});
});
