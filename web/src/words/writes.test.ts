import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Write } from "@pi-netboot/api";
import { isWanted, together, whereOlderBegin } from "./writes.ts";

const disk = { model: "SD32G", serial: "0x77", size: 32e9, identity: "" };

const write = (id: string, createdAt: number, stage: Write["stage"] = "complete") =>
	({ id, createdAt, stage, deviceName: "bench-1", imageName: "raspios.img", target: "/dev/mmcblk0", disk }) as Write;

describe("lists of writes", () => {
	it("go on where the newer ones end, without a gap after the newer ones were asked for anew", () => {
		const first = [write("c", 3), write("b", 2), write("d", 4)];
		assert.equal(whereOlderBegin(first, undefined), "b");
		assert.equal(whereOlderBegin([...first, write("e", 5)], "b"), "b");
		assert.equal(whereOlderBegin([write("g", 7), write("f", 6), write("e", 5)], "b"), "e");
		assert.equal(whereOlderBegin([], undefined), undefined);
	});

	it("are one, the newest first, each write once as the last list has it", () => {
		const older = [write("b", 2), write("a", 1)];
		const all = together(older, [write("c", 3), write("b", 2, "failed")]);
		assert.deepEqual(
			all.map(({ id, stage }) => [id, stage]),
			[
				["c", "complete"],
				["b", "failed"],
				["a", "complete"],
			],
		);
	});

	it("are sifted by Pi, image, disk and outcome", () => {
		const one = write("a", 1);
		const isFound = (text: string) => isWanted(one, { text, stage: "all" });
		assert.deepEqual(["BENCH", " raspios ", "0x77", "mmcblk1"].map(isFound), [true, true, true, false]);
		assert.equal(isWanted(one, { text: "", stage: "failed" }), false);
	});
});
