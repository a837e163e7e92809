import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { WarmChunks } from "./warm-chunks.ts";

test("the least lately touched chunk makes room", () => {
	const chunks = new WarmChunks(3, 1000);
	for (const chunk of [1, 2, 3]) chunks.add(chunk, 0);
	assert.ok(chunks.touch(1, 1));
	chunks.add(4, 2);
	assert.deepEqual(
		[1, 2, 3, 4].filter((chunk) => chunks.has(chunk, 3)),
		[1, 3, 4],
	);
});

test("never more than the limit, and what was just added is there", () => {
	const step = fc.record({ add: fc.boolean(), chunk: fc.nat(20) });
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 100 }), (limit, steps) => {
			const chunks = new WarmChunks(limit, 1000);
			for (const { add, chunk } of steps) {
				if (add) chunks.add(chunk, 0);
				else chunks.touch(chunk, 0);
				if (add) assert.ok(chunks.has(chunk, 0));
				assert.ok([...Array(21).keys()].filter((known) => chunks.has(known, 0)).length <= limit);
			}
		}),
	);
});
