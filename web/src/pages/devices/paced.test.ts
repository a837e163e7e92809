import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sampleDevice } from "../../testing/sample-device.ts";
import { MOST_AT_ONCE, type Painted, paceOn } from "./paced.ts";
import { type ShownDevice, withStatus } from "./shown-devices.ts";

const NOW = 1_700_000_000_000;
const nothing: Painted = new Map();

function crowd(count: number, bootCount = 1): ShownDevice[] {
	const ids = Array.from({ length: count }, (_, index) => index.toString(16).padStart(8, "0"));
	return withStatus(
		ids.map((id) => sampleDevice({ id, name: `pi-${id}`, bootCount })),
		NOW,
	);
}

/** Step by step, until all is painted. */
function steps(before: Painted, wanted: readonly ShownDevice[]): Painted[] {
	const { painted, isBehind } = paceOn(before, wanted);
	return isBehind ? [painted, ...steps(painted, wanted)] : [painted];
}

function changes(before: Painted, after: Painted): number {
	return [...after].filter(([id, one]) => before.get(id) !== one).length;
}

describe("a crowd of Pis", () => {
	it("is painted a few at a time, when they come and when all of them change", () => {
		const wanted = crowd(200);
		const arrival = steps(nothing, wanted);
		const changed = crowd(200, 2);
		const change = steps(arrival.at(-1) ?? nothing, changed);
		const all = [nothing, ...arrival, ...change];
		assert.equal(arrival.length, Math.ceil(200 / MOST_AT_ONCE));
		for (const [index, painted] of all.slice(1).entries()) {
			assert.ok(changes(all[index] ?? nothing, painted) <= MOST_AT_ONCE);
		}
		assert.deepEqual([...(change.at(-1)?.values() ?? [])], changed);
	});

	it("stays on the page while it waits for its turn, and leaves it at once", () => {
		const before = steps(nothing, crowd(50)).at(-1) ?? nothing;
		const { painted } = paceOn(before, crowd(40, 2));
		assert.equal(painted.size, 40);
	});

	it("of which nothing changed is left as it is", () => {
		const before = steps(nothing, crowd(50)).at(-1) ?? nothing;
		const again = [...before.values()].map(({ device, status }) => ({ device, status: { ...status } }));
		const { painted, isBehind } = paceOn(before, again);
		assert.deepEqual([changes(before, painted), isBehind], [0, false]);
	});
});
