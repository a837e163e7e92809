import assert from "node:assert/strict";
import { test } from "node:test";
import { Said } from "./said.ts";

test("a sentence is new once, until another one was said", () => {
	const said = new Said();
	assert.equal(said.isNew("a", "one"), true);
	assert.equal(said.isNew("a", "one"), false);
	assert.equal(said.isNew("b", "one"), true);
	assert.equal(said.isNew("a", "two"), true);
	assert.equal(said.isNew("a", "one"), true);
});

test("it does not grow for ever: what came long before is said once more", () => {
	const said = new Said();
	for (let round = 0; round < 1000; round++) said.isNew(`client ${round}`, "one");
	assert.equal(said.isNew("client 999", "one"), false);
	assert.equal(said.isNew("one more", "one"), true);
	assert.equal(said.isNew("client 0", "one"), true);
});
