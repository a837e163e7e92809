import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type LogLine, ManualClock } from "./base/index.ts";
import { LogLimiter } from "./log-limiter.ts";

const line = (message: string, level: LogLine["level"] = "warn", service = "tftp"): LogLine => ({
	time: 0,
	level,
	service,
	message,
});

function limiter(limits = { burst: 3, perSecond: 1, kinds: 4 }) {
	const clock = new ManualClock();
	const summaries: string[] = [];
	return { clock, summaries, limiter: new LogLimiter(clock, ({ message }) => summaries.push(message), limits) };
}

describe("a flood of lines", () => {
	it("of one kind passes as far as its credit goes, which comes back with the time", () => {
		const { clock, limiter: it } = limiter();
		const passed = () => [1, 2, 3, 4, 5].filter((n) => it.passes(line(`192.0.2.${n} asked for "a/${n}.img"`))).length;
		assert.equal(passed(), 3);
		assert.equal(passed(), 0);
		clock.advance(2000);
		assert.equal(passed(), 2);
		clock.advance(3_600_000);
		assert.equal(passed(), 3);
	});

	it("is counted, and the count is said after a while, or at once when the server stops", () => {
		const { clock, limiter: it, summaries } = limiter();
		for (let n = 0; n < 1003; n++) it.passes(line(`192.0.2.1 asked for "${n}"`));
		clock.advance(10_000);
		assert.deepEqual(summaries, ['and 1,000 more like this: 192.0.2.1 asked for "3"']);
		for (let n = 0; n < 13; n++) it.passes(line(`192.0.2.1 asked for "${n}"`));
		it.flush();
		assert.equal(summaries[1], 'and 10 more like this: 192.0.2.1 asked for "3"');
		clock.advance(60_000);
		assert.equal(summaries.length, 2);
	});

	it("leaves lines of another kind, level or service alone", () => {
		const { limiter: it } = limiter();
		for (let n = 0; n < 10; n++) it.passes(line("too many"));
		assert.ok(!it.passes(line("too many")));
		assert.ok(it.passes(line("too many", "error")));
		assert.ok(it.passes(line("too many", "warn", "nfs")));
		assert.ok(it.passes(line("it boots")));
	});

	it("does not touch what somebody asked to see", () => {
		const { limiter: it } = limiter();
		for (let n = 0; n < 100; n++) assert.ok(it.passes(line("a packet", "debug")));
	});

	it("of whatever kinds is bounded: what is not told apart any more is one kind", () => {
		const kinds = fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 300 });
		fc.assert(
			fc.property(kinds, (messages) => {
				const { limiter: it } = limiter();
				const passed = messages.filter((message) => it.passes(line(message))).length;
				assert.ok(passed <= 5 * 3, `${passed} lines`);
			}),
		);
	});
});
