import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { waitBefore } from "./retry.ts";

describe("the wait until the page tries again", () => {
	it("begins short, doubles, and ends at a quarter of a minute", () => {
		const waits = [0, 1, 2, 3, 4, 5, 1000].map((failures) => waitBefore(failures, 0.5));
		assert.deepEqual(waits, [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
	});

	it("is not the same for all pages", () => {
		assert.deepEqual([waitBefore(1, 0), waitBefore(1, 1)], [1500, 2500]);
	});
});
