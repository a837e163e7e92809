import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AgentDisk } from "@pi-netboot/api";
import { isConfirmed, NOT_CONFIRMED, typedFor, typedText } from "./confirmation.ts";

const stick: AgentDisk = {
	path: "/dev/sda",
	size: 32e9,
	model: "Stick",
	serial: "",
	identity: "",
	diskseq: 3,
	removable: true,
	readOnly: false,
	content: "mbr",
	partitions: [{ path: "/dev/sda1", size: 31e9, content: "fat" }],
	use: null,
};
const typed = typedFor(stick, " bench ");

describe("what is typed before a disk is written", () => {
	it("is the name of its Pi, where something is lost", () => {
		assert.ok(isConfirmed(stick, "bench", typed));
		assert.ok(!isConfirmed(stick, "shelf", typed));
		assert.ok(!isConfirmed(stick, "bench", NOT_CONFIRMED));
		assert.ok(isConfirmed({ ...stick, content: "empty", partitions: [] }, "bench", NOT_CONFIRMED));
	});

	it("counts for the disk that was seen, and not for another one at its place", () => {
		const others: readonly Partial<AgentDisk>[] = [
			{ path: "/dev/sdb" },
			{ diskseq: 4 },
			{ size: 64e9 },
			{ identity: "another" },
			{ partitions: [] },
			{ content: "", partitions: [] },
		];
		for (const other of others) {
			const disk = { ...stick, ...other };
			assert.deepEqual([typedText(disk, typed), isConfirmed(disk, "bench", typed)], ["", false], JSON.stringify(other));
		}
		assert.equal(typedText({ ...stick }, typed), " bench ");
	});
});
