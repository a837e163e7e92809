/** Every decoder on its corpus and on inputs that were never seen, the same ones each time; and the fuzzer itself on planted defects. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { readCorpus } from "./corpus.ts";
import { Supervisor } from "./supervisor.ts";
import { targets } from "./targets/index.ts";

const SEED = 1;
const SHORT_RUNS = 2000;

const hex = (text: string) => Buffer.from(text).toString("hex");

describe("decoders", () => {
	const supervisor = new Supervisor();
	after(() => supervisor.close());

	for (const { name, shortRuns = SHORT_RUNS } of targets) {
		it(`${name} takes any input, or refuses it`, async () => {
			const corpus = readCorpus(name).map(({ input }) => input.toString("hex"));
			const budget = { runs: shortRuns, seconds: Number.POSITIVE_INFINITY };
			const { runs, failures } = await supervisor.run({ target: name, corpus, seed: SEED, budget });
			assert.deepEqual(failures, []);
			assert.ok(runs > shortRuns, `${runs} runs`);
		});
	}
});

describe("the fuzzer", () => {
	const supervisor = new Supervisor(1500);
	after(() => supervisor.close());

	const runOn = (inputs: readonly string[], runs = 0) => {
		const budget = { runs, seconds: Number.POSITIVE_INFINITY };
		return supervisor.run({ target: "planted", corpus: inputs.map(hex), seed: SEED, budget });
	};

	it("counts what inputs come to", async () => {
		const { runs, outcomes, failures } = await runOn(["other"]);
		assert.deepEqual([runs, outcomes, failures.length], [2, 2, 0]);
	});

	const DEFECTS = [
		["error", /TypeError: an error that is not ours/],
		["promise", /RangeError: thrown while/],
		["allocation", /AllocationError: a buffer of 1073741824 bytes/],
		["swallowed", /AllocationError/],
		["hang", /one run takes more than 1500 ms/],
		["memory", /memory|takes more than/],
	] as const;

	for (const [defect, expected] of DEFECTS) {
		it(`finds a decoder that has the defect "${defect}", and says which input shows it`, async () => {
			const { failures } = await runOn(["good", defect, "other"]);
			assert.equal(failures.length, 1);
			assert.equal(failures[0]?.input, hex(defect));
			assert.match(failures[0]?.reason ?? "", expected);
		});
	}

	it("comes to a defect by itself, and to the same one with the same seed", async () => {
		const first = await runOn([], 400);
		assert.ok(first.failures.length > 0);
		assert.deepEqual((await runOn([], 400)).failures, first.failures);
	});
});
