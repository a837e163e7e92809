import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ManualClock } from "../base/index.ts";
import { Attempts } from "./attempts.ts";

const MINUTE = 60_000;

function fail(attempts: Attempts, address: string, times: number): void {
	for (let count = 0; count < times; count++) attempts.failed(address);
}

describe("attempts", () => {
	it("are twenty a minute for each address", () => {
		const clock = new ManualClock();
		const attempts = new Attempts(clock);
		fail(attempts, "192.0.2.1", 19);
		assert.equal(attempts.exhausted("192.0.2.1"), false);
		fail(attempts, "192.0.2.1", 1);
		assert.deepEqual([attempts.exhausted("192.0.2.1"), attempts.exhausted("192.0.2.2")], [true, false]);
		clock.advance(MINUTE);
		assert.equal(attempts.exhausted("192.0.2.1"), false);
	});

	it("of strangers together are so many, which keeps nobody out who was right from there before", () => {
		const clock = new ManualClock();
		const attempts = new Attempts(clock, 50);
		attempts.welcome("192.0.2.9");
		for (let host = 0; host < 10; host++) fail(attempts, `198.51.100.${host}`, 5);
		assert.deepEqual([attempts.exhausted("203.0.113.1"), attempts.exhausted("192.0.2.9")], [true, false]);
		fail(attempts, "192.0.2.9", 20);
		assert.equal(attempts.exhausted("192.0.2.9"), true);
		clock.advance(MINUTE);
		assert.deepEqual([attempts.exhausted("203.0.113.1"), attempts.exhausted("192.0.2.9")], [false, false]);
	});

	it("that were right are none", () => {
		const attempts = new Attempts(new ManualClock(), 2);
		for (let count = 0; count < 30; count++) {
			attempts.failed("192.0.2.1");
			attempts.forget("192.0.2.1");
		}
		assert.deepEqual([attempts.exhausted("192.0.2.1"), attempts.exhausted("192.0.2.2")], [false, false]);
	});
});
