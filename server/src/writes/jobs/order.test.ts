import assert from "node:assert/strict";
import { test } from "node:test";
import { confirmedTarget } from "./order.ts";

test("of a Pi that never told its disks nothing is confirmed", () => {
	const image = { id: "debian", name: "debian.img", size: 2_000_000_000 };
	assert.throws(() => confirmedTarget(undefined, { path: "/dev/mmcblk0" }, image), { code: "disks-unknown" });
});
