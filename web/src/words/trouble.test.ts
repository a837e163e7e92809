import assert from "node:assert/strict";
import { it } from "node:test";
import type { PastDiagnosis } from "@pi-netboot/api";
import { pastTrouble } from "./trouble.ts";

function said(id: number, code: string, endedAt: number | null): PastDiagnosis {
	const words = { severity: "error", message: `It is ${code}.`, seen: "It asked.", fix: "Help it." } as const;
	return { id, code, ...words, bootId: null, at: id * 10, endedAt };
}

it("what was wrong again and again is told once, from the first time to the last; what still is, is not told", () => {
	const past = pastTrouble([
		said(5, "a", null),
		said(4, "b", 49),
		said(3, "b", 35),
		said(2, "c", 25),
		said(1, "b", 15),
	]);
	assert.deepEqual(
		past.map(({ code, at, endedAt, times }) => [code, at, endedAt, times]),
		[
			["b", 30, 49, 2],
			["c", 20, 25, 1],
			["b", 10, 15, 1],
		],
	);
	assert.deepEqual(pastTrouble([]), []);
});
