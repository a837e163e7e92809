import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HOLE, readMapped } from "./block-map.ts";
import { GenerationCache } from "./cache.ts";
import { MemorySource } from "./memory.ts";
import { RunMapBuilder } from "./run-map.ts";

const BLOCK = 16;

/** Each of a file's blocks: undefined for a hole, else the number of a block of the disk. */
const layout = fc.array(fc.option(fc.nat(63), { nil: undefined, freq: 3 }), { minLength: 1, maxLength: 40 });

test("reading through a map gives what reading block by block gives, with as few reads as there are runs", () => {
	const disk = Buffer.from(Array.from({ length: 64 * BLOCK }, (_, at) => (at * 7) & 0xff));
	const memory = new MemorySource(disk);
	fc.assert(
		fc.property(layout, fc.nat(700), fc.nat(700), (blocks, from, length) => {
			const builder = new RunMapBuilder(BLOCK);
			const expected = Buffer.alloc(blocks.length * BLOCK);
			let runs = 0;
			for (const [logical, block] of blocks.entries()) {
				if (block === undefined) continue;
				builder.add(logical, block * BLOCK, 1);
				disk.copy(expected, logical * BLOCK, block * BLOCK, (block + 1) * BLOCK);
				if (blocks[logical - 1] !== block - 1) runs++;
			}
			let reads = 0;
			const counting = {
				size: memory.size,
				read(offset: number, target: Uint8Array) {
					reads++;
					memory.read(offset, target);
				},
			};
			const start = Math.min(from, expected.length);
			const target = Buffer.alloc(Math.min(length, expected.length - start), 0xee);
			readMapped(counting, BLOCK, builder.finish(), start, target);
			assert.deepEqual(target, expected.subarray(start, start + target.length));
			assert.ok(reads <= runs, `${reads} reads of ${runs} runs`);
		}),
	);
});

test("an empty map is one hole", () => {
	const run = { position: 0, count: 0 };
	new RunMapBuilder(BLOCK).finish().find(5, run);
	assert.equal(run.position, HOLE);
	assert.ok(run.count > 1000);
});

test("a cache keeps what is used and stays within its bound", () => {
	const cache = new GenerationCache<number, number>(100);
	cache.set(0, 0);
	for (let number = 1; number < 10_000; number++) {
		assert.equal(cache.get(0), 0);
		cache.set(number, number);
	}
	const kept = Array.from({ length: 10_000 }, (_, number) => cache.get(number)).filter((value) => value !== undefined);
	assert.ok(kept.length >= 50 && kept.length <= 101, String(kept.length));
});
