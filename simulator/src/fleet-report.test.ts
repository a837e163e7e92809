import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fleetLines, fleetSummary } from "./fleet-report.ts";
import type { BootReport } from "./report.ts";

function report(model: string, atMs: number, error?: string): BootReport {
	return {
		model,
		mac: "02:00:00:00:00:01",
		serial: atMs.toString(16).padStart(8, "0"),
		address: undefined,
		addresses: [],
		serverAddress: undefined,
		steps: [{ atMs, step: "done", detail: "" }],
		files: new Map(),
		sizes: new Map([["kernel8.img", 1000]]),
		cmdline: undefined,
		config: undefined,
		kernelName: undefined,
		initramfsName: undefined,
		osRelease: undefined,
		hostname: undefined,
		rootEntries: undefined,
		ok: error === undefined,
		error,
	};
}

describe("what is said of many boots", () => {
	const reports = Array.from({ length: 100 }, (_, index) => report(index < 50 ? "pi4" : "pi5", (index + 1) * 10));

	it("has the times of nearest rank, and the slowest Pi", () => {
		const { seconds, slowest, bytes } = fleetSummary(reports.toReversed());
		const expected = { shortest: 0.01, median: 0.5, percentile90: 0.9, percentile99: 0.99, longest: 1 };
		assert.deepEqual(seconds, expected);
		assert.deepEqual(slowest, { serial: "000003e8", model: "pi5", seconds: 1 });
		assert.equal(bytes, 100_000);
	});

	it("is a table of the models for a person", () => {
		assert.deepEqual(fleetLines(reports), [
			"",
			"All 100 virtual Pis booted.",
			"",
			"model  Pis  booted  shortest  median    90 %    99 %  longest",
			"pi4     50      50    0.01 s  0.25 s  0.45 s  0.50 s   0.50 s",
			"pi5     50      50    0.51 s  0.75 s  0.95 s  1.00 s   1.00 s",
			"all    100     100    0.01 s  0.50 s  0.90 s  0.99 s   1.00 s",
			"",
			"The slowest was 000003e8 (pi5).",
		]);
		assert.deepEqual(fleetLines(reports.slice(0, 1)), ["", "The virtual Pi booted."]);
	});

	it("takes failures together that differ in the Pi and in numbers", () => {
		const error = (serial: string, got: number) => `${serial}/start.elf: only ${got} bytes of 1200002 came within 30 s`;
		const some = [1, 2].map((atMs) => report("pi3bp", atMs, error(`0000000${atMs}`, atMs * 1000)));
		assert.deepEqual(fleetSummary(some).failures, [
			{ reason: error("00000001", 1000), count: 2, serials: ["00000001", "00000002"] },
		]);
	});

	it("says each reason of those that failed once, with who it was", () => {
		const some = [report("pi3b", 1, "no answer"), report("pi3b", 2, "no answer"), report("pi4", 3, "no kernel")];
		assert.deepEqual(fleetSummary(some).failures, [
			{ reason: "no answer", count: 2, serials: ["00000001", "00000002"] },
			{ reason: "no kernel", count: 1, serials: ["00000003"] },
		]);
		assert.equal(fleetSummary(some).seconds, undefined);
		assert.deepEqual(fleetLines(some).slice(1), [
			"0 of 3 virtual Pis booted.",
			"  2 did not, like this: no answer",
			"  1 did not: no kernel",
		]);
		assert.match(fleetLines([...some, report("pi3b", 9)]).join("\n"), /pi4 +1 +0\n/);
	});
});
