import assert from "node:assert/strict";
import { test } from "node:test";
import type { Boot, Device } from "../devices/index.ts";
import { type BuildUsers, buildsOf } from "./image-builds.ts";

/** Devices with the builds that their boots are of. */
function users(boots: Readonly<Record<string, readonly string[]>>): BuildUsers {
	const devices = Object.keys(boots).map((name) => ({ name }) as Device);
	return {
		registry: {
			list: () => devices,
			bootsOf: ({ name }) => (boots[name] ?? []).map((buildId) => ({ buildId, imageId: "pi", startedAt: 5 }) as Boot),
		},
		care: { keptOf: (id) => new Map(id === "pi" ? [["old", { roots: 2, bytes: 7, usedAt: 3 }]] : []) },
	};
}

test("the newest build, those that Pis run, and those that roots are kept of", () => {
	const both = users({ b: ["new"], a: ["new", "middle"], c: ["closed"] });
	const builds = buildsOf({ id: "pi", buildId: "new" }, both, (id) => id !== "closed");
	assert.deepEqual(builds, [
		{ id: "new", isNewest: true, usedAt: 5, usedBy: ["a", "b"], roots: 0, bytes: 0 },
		{ id: "middle", isNewest: false, usedAt: 5, usedBy: ["a"], roots: 0, bytes: 0 },
		{ id: "old", isNewest: false, usedAt: 3, usedBy: [], roots: 2, bytes: 7 },
	]);
	assert.deepEqual(
		buildsOf({ id: "other", buildId: null }, both, () => true),
		[],
	);
});
