import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pageOf } from "./paging.ts";

test("pages put together are the list, each once and in its order", () => {
	fc.assert(
		fc.property(fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 7 }), (all, limit) => {
			const seen: string[] = [];
			for (let after: string | null | undefined; after !== null; ) {
				const { shown, next } = pageOf(all, { after, limit }, (one) => one);
				assert.ok(shown.length <= limit);
				seen.push(...shown);
				after = next;
			}
			assert.deepEqual(seen, all);
		}),
	);
});

test("without a limit all come; after what is gone nothing does", () => {
	assert.deepEqual(pageOf(["a", "b"], {}, String), { shown: ["a", "b"], next: null });
	assert.deepEqual(pageOf(["a", "b"], { after: "a" }, String), { shown: ["b"], next: null });
	assert.throws(() => pageOf(["a"], { after: "x" }, String), { code: "invalid-request" });
});
