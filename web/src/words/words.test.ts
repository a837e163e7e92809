import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AgentDisk, AskedFile, Write } from "@pi-netboot/api";
import { sampleDevice } from "../testing/sample-device.ts";
import { bytesText, memoryText } from "./bytes.ts";
import { diskContent, isEmptyDisk } from "./disks.ts";
import { answerText, isTrouble } from "./files.ts";
import { filterLines, lineText } from "./log-lines.ts";
import { isVirtual, listText, modelText, namesText } from "./models.ts";
import { statusOf } from "./status.ts";
import { agoText, durationText } from "./time.ts";

const NOW = 1_700_000_000_000;

describe("the words of the page", () => {
	it("say sizes as people do", () => {
		const said = [0, 1, 999, 1000, 1_400_000, 29_100_000_000, 2e12].map(bytesText);
		assert.deepEqual(said, ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "1.4 MB", "29 GB", "2.0 TB"]);
	});

	it("say memory as it is sold, though the firmware keeps some of it", () => {
		const mebibytes = [430, 921, 1849, 3792, 8062, 16_220, 8192];
		const said = mebibytes.map((size) => memoryText(size * 2 ** 20));
		assert.deepEqual(said, ["512 MB", "1 GB", "2 GB", "4 GB", "8 GB", "16 GB", "8 GB"]);
	});

	it("tell virtual Pis by their addresses", () => {
		assert.deepEqual(
			["127.0.0.9", "192.0.2.127", null].map((ip) => isVirtual({ ip })),
			[true, false, false],
		);
	});

	it("say what became of a boot file, and whether that is worth a look", () => {
		const file = { path: "kernel8.img", answer: "found", outcome: null, bytes: 0, size: null, times: 1 } as const;
		const at = { at: NOW, endedAt: null };
		const cases: [Partial<AskedFile>, string, boolean][] = [
			[{}, "Being sent", false],
			[{ answer: "missing" }, "Not there", false],
			[{ answer: "refused" }, "Refused: not its address", true],
			[{ outcome: "complete", bytes: 2000, size: 1000 }, "Sent, 1.0 kB", false],
			[{ outcome: "probe", size: 1000 }, "Size asked, 1.0 kB", false],
			[{ outcome: "timeout", bytes: 500, size: 1000 }, "The Pi fell silent after 500 bytes of 1.0 kB", true],
			[{ outcome: "aborted", bytes: 500, size: 1000 }, "Broken off by the Pi after 500 bytes of 1.0 kB", true],
			[{ outcome: "failed", size: 0 }, "It could not be read", true],
		];
		for (const [part, text, trouble] of cases) {
			const one: AskedFile = { ...file, ...at, ...part };
			assert.deepEqual([answerText(one), isTrouble(one)], [text, trouble]);
		}
	});

	it("say times as people do", () => {
		assert.deepEqual(
			[0, 5_000, 90_000, 3_600_000, 86_400_000].map((past) => agoText(NOW - past, NOW)),
			["just now", "just now", "2 minutes ago", "1 hour ago", "yesterday"],
		);
		assert.deepEqual(
			[3_569_000, 3_570_000, 84_599_000, 84_600_000].map((past) => agoText(NOW - past, NOW)),
			["59 minutes ago", "1 hour ago", "23 hours ago", "yesterday"],
		);
		assert.deepEqual([400, 12_300, 200_000, 7_500_000].map(durationText), ["0.4 s", "12 s", "3 min 20 s", "2 h 5 min"]);
		assert.deepEqual([9_970, 59_700, 119_700].map(durationText), ["10 s", "1 min 0 s", "2 min 0 s"]);
	});

	it("name models, known and new", () => {
		assert.deepEqual(["pi3bp", "pi3b", "pi4", "pi400", "cm5l", "zero2w", "pi1ap"].map(modelText), [
			"Pi 3 B+",
			"Pi 3 B",
			"Pi 4",
			"Pi 400",
			"CM5L",
			"Zero 2 W",
			"Pi 1 A+",
		]);
		assert.equal(listText(["a", "b", "c"]), "a, b, and c");
		assert.equal(namesText(["a", "b", "c"], 2), "a, b, and c");
		assert.equal(namesText(["a", "b", "c", "d"], 2), "a, b, and 2 more");
	});
});

const device = sampleDevice;

describe("what a Pi is doing", () => {
	const kernel = (at: number) => device({ stage: "kernel", stages: [{ stage: "kernel", at }] });

	it("is seen, starting, stopped, running", () => {
		assert.equal(statusOf(device({}), NOW).word, "Seen");
		assert.equal(statusOf(kernel(NOW - 5000), NOW).word, "Starting");
		assert.equal(statusOf(kernel(NOW - 3_600_000), NOW).word, "Stopped");
		assert.equal(statusOf(device({ stage: "userspace" }), NOW).word, "Running");
		assert.equal(statusOf(device({ intent: "ignore" }), NOW).word, "Left alone");
	});

	it("is being written, unless it needs help", () => {
		const write = { imageName: "raspios.img", disk: { model: "SD64G" }, percent: 42.7 } as Write;
		const running = device({ stage: "agent" });
		const { kind, word, sentence } = statusOf(running, NOW, write);
		assert.deepEqual([kind, word, sentence], ["writing", "Writing", "raspios.img to SD64G: 42 %."]);
		const waiting = { ...write, waiting: { for: "turn", message: "2 writes are before it." } } as const;
		assert.equal(statusOf(running, NOW, waiting).sentence, "2 writes are before it.");
		const diagnosis = { code: "x", severity: "error", message: "No root.", seen: "It asked.", fix: "Help." } as const;
		assert.equal(statusOf(device({ diagnosis }), NOW, write).kind, "trouble");
	});

	it("is trouble where the rule book says so, but not for a remark", () => {
		const diagnosis = { code: "x", message: "No kernel for this model.", seen: "It asked.", fix: "Change it." };
		const troubled = statusOf(device({ stage: "firmware", diagnosis: { ...diagnosis, severity: "error" } }), NOW);
		assert.deepEqual([troubled.kind, troubled.sentence], ["trouble", diagnosis.message]);
		const remark = device({ stage: "userspace", diagnosis: { ...diagnosis, severity: "info" } });
		assert.equal(statusOf(remark, NOW).kind, "running");
		const words = ["waits-for-its-turn", "own-disk", "left-alone"].map((code) => {
			const said = { ...diagnosis, code, severity: "info" } as const;
			const { kind, word, sentence } = statusOf(device({ stage: "dhcp", diagnosis: said }), NOW);
			assert.equal(sentence, diagnosis.message);
			return [kind, word];
		});
		assert.deepEqual(words, [
			["starting", "Waiting"],
			["quiet", "On its disk"],
			["quiet", "Left alone"],
		]);
	});
});

describe("what is on a disk", () => {
	const disk = (content: string, partitions: AgentDisk["partitions"]): AgentDisk => ({
		path: "/dev/mmcblk0",
		size: 32e9,
		model: "SD32G",
		serial: "",
		identity: "",
		diskseq: 1,
		readOnly: false,
		removable: true,
		content,
		partitions,
		use: null,
	});

	it("is told before it is lost", () => {
		assert.equal(diskContent(disk("empty", [])), "Empty");
		assert.equal(diskContent(disk("gpt", [])), "A partition table with nothing in it");
		assert.equal(diskContent(disk("", [])), "Unknown data, without partitions");
		assert.equal(diskContent(disk("ext", [])), "Linux (ext), without partitions");
		const both = [
			{ path: "/dev/mmcblk0p1", size: 540e6, content: "fat" },
			{ path: "/dev/mmcblk0p2", size: 31e9, content: "" },
		];
		assert.equal(diskContent(disk("", both)), "2 partitions: FAT of 540 MB and unknown data of 31 GB");
		assert.deepEqual([disk("empty", []), disk("", []), disk("ext", []), disk("empty", both)].map(isEmptyDisk), [
			true,
			false,
			false,
			false,
		]);
	});
});

describe("lines of the log", () => {
	const line = {
		id: 1,
		time: NOW,
		level: "warn",
		service: "tftp",
		device: "7bf18f79",
		message: "No such file",
	} as const;
	const all = { level: "debug", service: null, device: null, text: "" } as const;

	it("are sifted by all that is asked for", () => {
		const count = (more: object) => filterLines([line], { ...all, ...more }).length;
		assert.deepEqual([count({}), count({ level: "warn" }), count({ level: "error" })], [1, 1, 0]);
		assert.deepEqual([count({ service: "nfs" }), count({ device: "7bf18f79" }), count({ device: "x" })], [0, 1, 0]);
		assert.deepEqual([count({ text: "no SUCH" }), count({ text: "kernel" })], [1, 0]);
	});

	it("are saved with all that they say", () => {
		assert.equal(lineText(line), "2023-11-14T22:13:20.000Z warn tftp 7bf18f79: No such file");
	});
});
