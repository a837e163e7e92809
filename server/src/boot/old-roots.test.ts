import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DEFAULT_RULE, type OldRoot, type OldRootRule, rootsToDrop } from "./old-roots.ts";

const DAY = 86_400_000;
const NOW = 1000 * DAY;

function root(id: string, daysAgo: number, more: { device?: number; image?: string; bytes?: number } = {}): OldRoot {
	const { device = 1, image = "pi", bytes = 100 } = more;
	const at = NOW - daysAgo * DAY;
	const owner = { deviceKey: device, imageId: image, buildId: `build-${id}` };
	const state = { mode: "persistent", state: "active", createdAt: at, lastUsedAt: at };
	return { bytes, row: { id, path: id, ...owner, ...state } };
}

function dropped(roots: readonly OldRoot[], rule: Partial<OldRootRule>, total = 0): string {
	const gone = rootsToDrop(roots, total, { kept: 9, days: null, budgetBytes: null, ...rule }, NOW);
	return gone
		.map(({ row }) => row.id)
		.sort()
		.join(" ");
}

describe("the rule for roots of older builds", () => {
	it("keeps the last ones of each device and image", () => {
		const roots = [root("a", 3), root("b", 1), root("c", 2), root("d", 9, { device: 2 }), root("e", 9, { image: "x" })];
		assert.equal(dropped(roots, { kept: 2 }), "a");
		assert.equal(dropped(roots, { kept: 0 }), "a b c d e");
		assert.equal(dropped(roots, {}), "");
	});

	it("drops what was not used for long", () => {
		assert.equal(dropped([root("a", 31), root("b", 29)], { days: 30 }), "a");
		assert.equal(dropped([root("a", 999)], {}), "");
	});

	it("drops the ones used longest ago while all together have too much, and no more than that", () => {
		const roots = [root("a", 3), root("b", 1), root("c", 2)];
		assert.equal(dropped(roots, { budgetBytes: 1000 }, 1000), "");
		assert.equal(dropped(roots, { budgetBytes: 1000 }, 1001), "a");
		assert.equal(dropped(roots, { budgetBytes: 1000 }, 1101), "a c");
		assert.equal(dropped(roots, { budgetBytes: 0 }, 5000), "a b c");
	});

	it("names each at most once, and says why", () => {
		const any = fc.record({ device: fc.nat(2), image: fc.constantFrom("x", "y"), bytes: fc.nat(1000) });
		fc.assert(
			fc.property(fc.array(fc.tuple(fc.nat(90), any), { maxLength: 20 }), fc.nat(20_000), (list, budgetBytes) => {
				const roots = list.map(([days, more], index) => root(String(index), days, more));
				const gone = rootsToDrop(roots, 20_000, { ...DEFAULT_RULE, budgetBytes }, NOW);
				assert.equal(new Set(gone.map(({ row }) => row.id)).size, gone.length);
				for (const { reason } of gone) assert.match(reason, /kept|days|bytes/);
			}),
		);
	});
});
