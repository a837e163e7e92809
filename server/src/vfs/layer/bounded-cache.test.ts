import assert from "node:assert/strict";
import { it } from "node:test";
import { BoundedCache } from "./bounded-cache.ts";

it("keeps what is used and forgets the rest", () => {
	const cache = new BoundedCache<string>(10);
	for (let key = 0; key < 1000; key++) {
		cache.set(key, `value ${key}`);
		assert.equal(cache.get(0), "value 0");
		assert.equal(cache.get(key), `value ${key}`);
	}
	const kept = Array.from({ length: 1000 }, (_, key) => cache.get(key)).filter((value) => value !== undefined);
	assert.ok(kept.length <= 20, `${kept.length} kept`);
	assert.equal(cache.get(500), undefined);
});

it("forgets sooner what is heavy, but never the latest", () => {
	const cache = new BoundedCache<number>(100, (weight) => weight);
	for (let key = 1; key < 50; key++) {
		cache.set(key, 1000);
		assert.equal(cache.get(key), 1000);
	}
	assert.equal(cache.get(1), undefined);
});

it("does not give what was deleted", () => {
	const cache = new BoundedCache<number>(2);
	for (let key = 0; key < 4; key++) cache.set(key, key);
	for (let key = 0; key < 4; key++) cache.delete(key);
	for (let key = 0; key < 4; key++) assert.equal(cache.get(key), undefined);
});
