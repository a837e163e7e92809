import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../base/index.ts";
import { type MemoryHolder, SharedMemory } from "./shared-memory.ts";

class Holder implements MemoryHolder {
	readonly address: string;
	wakes = 0;
	isGone = false;
	readonly #woken: Holder[] | undefined;
	constructor(address: string, woken?: Holder[]) {
		this.address = address;
		this.#woken = woken;
	}
	roomAgain(): void {
		this.wakes++;
		this.#woken?.push(this);
	}
	giveUp(): void {
		this.isGone = true;
	}
}

const settled = () => Promise.resolve();

test("who finds no room is told when there may be some, once", async () => {
	const memory = new SharedMemory({ limit: 160, part: 10, clock: new ManualClock() });
	const [first, second] = [new Holder("192.0.2.1"), new Holder("192.0.2.2")];
	assert.ok(memory.reserve(first, 80));
	assert.ok(memory.reserve(second, 10));
	assert.ok(!memory.reserve(second, 30));
	assert.equal(memory.total, 90);
	memory.set(first, 50);
	await settled();
	assert.deepEqual([first.wakes, second.wakes], [0, 1]);
	memory.forget(first);
	await settled();
	assert.deepEqual([memory.total, second.wakes], [10, 1]);
	memory.stop();
});

test("when half is taken an address has a small part, over all that it opened", () => {
	const memory = new SharedMemory({ limit: 160, part: 10, clock: new ManualClock() });
	const greedy = [1, 2, 3].map(() => new Holder("192.0.2.1"));
	assert.deepEqual(
		greedy.map((holder) => memory.reserve(holder, 40)),
		[true, true, false],
	);
	for (let each = 10; each < 17; each++) assert.ok(memory.reserve(new Holder(`192.0.2.${each}`), 10));
	const late = new Holder("192.0.2.99");
	assert.ok(memory.reserve(late, 12), "there is a reserve for who has nothing");
	assert.ok(!memory.reserve(late, 13), "which is used once");
	assert.ok(!memory.reserve(new Holder("192.0.2.100"), 90), "and not without end");
	memory.stop();
});

test("of those that wait, one of each address is told before the second of any", async () => {
	const woken: Holder[] = [];
	const memory = new SharedMemory({ limit: 10, part: 1, clock: new ManualClock() });
	const holder = new Holder("192.0.2.9");
	memory.set(holder, 10);
	const greedy = [1, 2, 3].map(() => new Holder("192.0.2.1", woken));
	const modest = new Holder("192.0.2.2", woken);
	for (const each of [...greedy, modest]) assert.ok(!memory.hasRoom(each, 20));
	memory.set(holder, 5);
	await settled();
	assert.deepEqual(woken, [greedy[0], modest, greedy[1], greedy[2]]);
	memory.stop();
});

test("who holds memory and makes no progress loses it when others wait, and only then", () => {
	const clock = new ManualClock();
	const memory = new SharedMemory({ limit: 10, part: 1, clock, patience: 5000 });
	const [stuck, slow, waiting] = [new Holder("192.0.2.1"), new Holder("192.0.2.2"), new Holder("192.0.2.3")];
	memory.set(stuck, 6);
	memory.set(slow, 4);
	clock.advance(60_000);
	assert.ok(!stuck.isGone);
	memory.set(slow, 3);
	assert.ok(!memory.hasRoom(waiting, 10));
	clock.advance(2000);
	assert.deepEqual([stuck.isGone, slow.isGone], [true, false]);
	memory.forget(waiting);
	clock.advance(60_000);
	assert.ok(!slow.isGone, "nobody waits any more");
});

test("whatever is taken and given back, the total is what is held, and reserving never goes over the limit and its reserve", () => {
	const step = fc.record({ who: fc.nat(4), bytes: fc.nat(60) });
	fc.assert(
		fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
			const memory = new SharedMemory({ limit: 100, part: 6, clock: new ManualClock() });
			const holders = Array.from({ length: 5 }, (_, index) => new Holder(`192.0.2.${index}`));
			const held = new Map<Holder, number>();
			for (const { who, bytes } of steps) {
				const holder = holders[who] ?? assert.fail();
				if (memory.reserve(holder, bytes)) held.set(holder, bytes);
				assert.equal(
					memory.total,
					[...held.values()].reduce((sum, each) => sum + each, 0),
				);
				assert.ok(memory.total <= 150);
			}
			memory.stop();
		}),
	);
});
