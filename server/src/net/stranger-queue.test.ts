import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/index.ts";
import { StrangerQueue } from "./stranger-queue.ts";

test("a few get their turn at a time, in the order in which they came", () => {
	const clock = new ManualClock();
	const queue = new StrangerQueue(clock);
	const had: number[] = [];
	for (let each = 0; each < 6; each++) queue.wait(() => had.push(each));
	assert.equal(had.length, 0);
	clock.advance(10);
	assert.deepEqual(had, [0, 1, 2, 3]);
	queue.wait(() => had.push(6));
	clock.advance(10);
	assert.deepEqual(had, [0, 1, 2, 3, 4, 5, 6]);
});

test("who wants another turn waits behind the others", () => {
	const clock = new ManualClock();
	const queue = new StrangerQueue(clock);
	let greedy = 0;
	let modest = 0;
	const again = () => {
		greedy++;
		queue.wait(again);
	};
	for (let each = 0; each < 20; each++) queue.wait(again);
	queue.wait(() => modest++);
	clock.advance(60);
	assert.deepEqual([greedy, modest], [23, 1]);
});

test("nobody has a turn after the stop", () => {
	const clock = new ManualClock();
	const queue = new StrangerQueue(clock);
	queue.wait(() => assert.fail());
	queue.stop();
	clock.advance(1000);
});
