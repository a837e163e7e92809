import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BufferPool, type PooledBuffer } from "./buffer-pool.ts";

const SIZE = 16 << 10;

function takeMany(pool: BufferPool, count: number): PooledBuffer[] {
	return Array.from({ length: count }, () => pool.take(SIZE));
}

function giveBack(pool: BufferPool, buffers: readonly PooledBuffer[]): void {
	for (const buffer of buffers) pool.release(buffer);
}

describe("the pool of buffers", () => {
	it("gives out again what came back", () => {
		const pool = new BufferPool();
		const first = takeMany(pool, 3);
		giveBack(pool, first);
		assert.deepEqual(new Set(takeMany(pool, 3)), new Set(first));
	});

	it("gives up what nobody needed between two times, and keeps what was", () => {
		const pool = new BufferPool();
		const burst = takeMany(pool, 100);
		giveBack(pool, burst);
		pool.trim();
		const needed = takeMany(pool, 2);
		giveBack(pool, needed);
		pool.trim();
		const next = takeMany(pool, 3);
		assert.deepEqual(new Set(next.slice(0, 2)), new Set(needed));
		assert.ok(!burst.includes(next[2] ?? assert.fail()), "the others are gone");
	});

	it("is empty after two times at which nobody needed any", () => {
		const pool = new BufferPool();
		const burst = takeMany(pool, 10);
		giveBack(pool, burst);
		pool.trim();
		pool.trim();
		assert.ok(!burst.includes(pool.take(SIZE)));
	});

	it("makes what is larger than any of its own, and keeps none of that", () => {
		const pool = new BufferPool();
		const large = pool.take(2 << 20);
		pool.release(large);
		assert.equal(large.bytes.length, 2 << 20);
		assert.notEqual(pool.take(2 << 20), large);
	});
});
