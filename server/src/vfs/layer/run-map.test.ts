import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { FreeExtents } from "./free-extents.ts";
import { RunMap } from "./run-map.ts";

const BLOCKS = 64;

/** Adds of blocks that are not there yet, and cuts, done on a map and on an array. */
const steps = fc.array(
	fc.record({
		cut: fc.boolean(),
		start: fc.integer({ min: 0, max: BLOCKS - 1 }),
		count: fc.integer({ min: 1, max: 12 }),
		pool: fc.integer({ min: 0, max: 1000 }),
	}),
	{ maxLength: 60 },
);

it("maps as an array of blocks does", () => {
	fc.assert(
		fc.property(steps, (todo) => {
			const map = new RunMap();
			const model = new Array<number | undefined>(BLOCKS + 12).fill(undefined);
			for (const { cut, start, count, pool } of todo) {
				if (cut) {
					const freed = map.cut(start).freed.reduce((sum, extent) => sum + extent.count, 0);
					assert.equal(freed, model.slice(start).filter((block) => block !== undefined).length);
					model.fill(undefined, start);
				} else if (model.slice(start, start + count).every((block) => block === undefined)) {
					map.add(start, pool, count);
					for (let index = 0; index < count; index++) model[start + index] = pool + index;
				}
				const seen: (number | undefined)[] = [];
				map.forEach(0, model.length, (at, length, from) => {
					assert.equal(at, seen.length);
					for (let index = 0; index < length; index++) seen.push(from === undefined ? undefined : from + index);
				});
				assert.deepEqual(seen, model);
				assert.equal(map.find(start), model[start]);
			}
		}),
	);
});

it("gives only the pieces that were asked for", () => {
	const map = new RunMap([
		{ start: 2, pool: 100, count: 3 },
		{ start: 8, pool: 50, count: 2 },
	]);
	const pieces: unknown[] = [];
	map.forEach(3, 6, (...piece) => pieces.push(piece));
	assert.deepEqual(pieces, [
		[3, 2, 101],
		[5, 3, undefined],
		[8, 1, 50],
	]);
});

it("continues a run where file and pool go on, and nowhere else", () => {
	const map = new RunMap([{ start: 0, pool: 10, count: 2 }]);
	map.add(2, 12, 5);
	assert.equal(map.length, 1);
	map.add(7, 18, 1);
	assert.equal(map.length, 2);
});

it("gives free blocks once, and knows how many there are", () => {
	const requests = fc.array(fc.record({ take: fc.integer({ min: 1, max: 20 }), keep: fc.boolean() }), {
		maxLength: 80,
	});
	fc.assert(
		fc.property(requests, (todo) => {
			const free = new FreeExtents();
			free.add({ start: 100, count: 200 });
			const taken = new Set<number>();
			for (const { take, keep } of todo) {
				const extent = free.take(take);
				if (extent === undefined) {
					assert.equal(free.blocks, 0);
					continue;
				}
				assert.ok(extent.count > 0 && extent.count <= take);
				const blocks = Array.from({ length: extent.count }, (_, index) => extent.start + index);
				for (const block of blocks) assert.ok(block >= 100 && block < 300 && !taken.has(block), `${block}`);
				if (keep) for (const block of blocks) taken.add(block);
				else free.add(extent);
				assert.equal(free.blocks, 200 - taken.size);
			}
		}),
	);
});

it("joins free neighbours, so that the end can be given back", () => {
	const free = new FreeExtents();
	for (const start of [30, 10, 20, 0]) free.add({ start, count: 10 });
	assert.equal(free.takeTail(39), undefined);
	assert.deepEqual(free.takeTail(40), { start: 0, count: 40 });
	assert.equal(free.blocks, 0);
});
