import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ReachedStage, Stage } from "@pi-netboot/api";
import { bootLength, stageTimes, usualTimes } from "./stage-times.ts";

/** A boot whose stages are reached at these seconds. */
function boot(...seconds: readonly number[]): { stages: ReachedStage[] } {
	const stages: readonly Stage[] = ["dhcp", "firmware", "kernel", "root"];
	return { stages: seconds.map((second, index) => ({ stage: stages[index] ?? "root", at: second * 1000 })) };
}

describe("the times of a boot", () => {
	it("go from one stage to the next; the last one has no end", () => {
		assert.deepEqual(stageTimes(boot(5, 7, 7.5).stages), [
			{ stage: "dhcp", took: 2000 },
			{ stage: "firmware", took: 500 },
		]);
		assert.equal(bootLength(boot(5, 7, 7.5).stages), 2500);
	});

	it("are none without a stage, and none of one stage", () => {
		assert.deepEqual([stageTimes([]), stageTimes(boot(5).stages)], [[], []]);
		assert.deepEqual([bootLength([]), bootLength(boot(5).stages)], [0, 0]);
	});

	it("are usually the median: one boot that waited for an hour does not count", () => {
		const usual = usualTimes([boot(0, 1, 4), boot(0, 3600, 3605), boot(0, 2, 5)]);
		assert.deepEqual(
			[...usual],
			[
				["dhcp", 2000],
				["firmware", 3000],
			],
		);
		assert.equal(usualTimes([]).size, 0);
	});
});
