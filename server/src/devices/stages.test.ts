import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AskedFiles, NAMES_MAX } from "./asked-files.ts";
import { type Fact, STAGES } from "./facts.ts";
import { BootTracker } from "./stages.ts";
import { facts, PI3BP, PI3BP_ROM, PI4, PI5, PI5_BARE } from "./testing/sequences.ts";

const START = 1_000_000;

/** Tells a tracker facts, one each 100 ms. */
class Story {
	readonly tracker = new BootTracker();
	now = START;

	tell(...list: Fact[]): this {
		for (const fact of list) {
			this.now += 100;
			this.tracker.fact(fact, this.now);
		}
		return this;
	}

	wait(ms: number): this {
		this.now += ms;
		return this;
	}

	get names(): string[] {
		return this.tracker.stages.map(({ stage }) => stage);
	}
}

const DISCOVER: Fact = { kind: "discover" };
const OFFER: Fact = { kind: "offer" };
const REQUEST: Fact = { kind: "request" };
const KERNEL: Fact = { kind: "linux-dhcp", by: "initramfs" };
const USERLAND: Fact = { kind: "linux-dhcp", by: "userland" };

function linux(bootId = "b1"): Fact[] {
	return [KERNEL, { kind: "portmap" }, { kind: "mount", bootId }, { kind: "nfs", bootId }];
}

describe("a boot as captured", () => {
	const sequences: [string, Fact[]][] = [
		["Pi 3B+", [DISCOVER, OFFER, ...facts(PI3BP_ROM), DISCOVER, OFFER, ...facts(PI3BP)]],
		["Pi 4", [DISCOVER, OFFER, REQUEST, ...facts(PI4)]],
		["Pi 5", [DISCOVER, OFFER, REQUEST, ...facts(PI5)]],
	];
	for (const [model, sequence] of sequences) {
		test(`${model}: every stage once, in order, in one attempt`, () => {
			const story = new Story().tell(...sequence);
			assert.deepEqual(story.names, ["dhcp", "firmware"]);
			assert.equal(story.tracker.attempt?.startedAt, START + 100);
			story.tell(...linux());
			assert.equal(story.tracker.stage, "root");
			story.tell({ kind: "os-release", bootId: "b1" }, USERLAND, { kind: "agent", bootId: "b1" });
			assert.deepEqual(story.names, [...STAGES]);
			const times = story.tracker.stages.map(({ at }) => at);
			assert.deepEqual(
				times,
				times.toSorted((a, b) => a - b),
			);
			assert.equal(story.tracker.attempt?.bootId, "b1");
			assert.deepEqual(story.tracker.failed, []);
		});
	}

	test("a Pi 3B+ asks DHCP twice in one boot", () => {
		const story = new Story().tell(DISCOVER, ...facts(PI3BP_ROM), DISCOVER, ...facts(PI3BP));
		assert.equal(story.tracker.attempt?.discovers, 2);
	});

	test("a power-cycle is another attempt with times of its own", () => {
		const story = new Story().tell(DISCOVER, ...facts(PI4), ...linux(), { kind: "os-release", bootId: "b1" });
		story.wait(3_600_000);
		const again = story.now + 100;
		story.tell(DISCOVER);
		assert.deepEqual(story.tracker.stages, [{ stage: "dhcp", at: again }]);
		story.tell(...facts(PI4, "b2"), ...linux("b2"));
		assert.equal(story.tracker.attempt?.bootId, "b2");
		assert.equal(story.tracker.stage, "root");
		assert.deepEqual(story.tracker.failed, []);
	});

	test("a bootloader that asks again and again is one attempt", () => {
		const story = new Story();
		for (let tries = 0; tries < 11; tries++) story.tell(DISCOVER, OFFER).wait(4000);
		assert.equal(story.tracker.attempt?.discovers, 11);
		assert.deepEqual(story.tracker.failed, []);
		story.wait(180_000).tell(DISCOVER);
		assert.equal(story.tracker.attempt?.discovers, 1);
	});

	test("where another server does DHCP, the first file begins an attempt", () => {
		const story = new Story().tell(...facts(PI5), ...linux(), { kind: "os-release", bootId: "b1" });
		assert.deepEqual(story.names, ["dhcp", "firmware", "kernel", "root", "userspace"]);
		story.tell(...facts(PI5, "b2"));
		assert.deepEqual(story.names, ["dhcp", "firmware"]);
		assert.equal(story.tracker.attempt?.bootId, "b2");
	});

	test("attempts that fail are counted until one works, at most five", () => {
		const story = new Story();
		for (let round = 0; round < 8; round++) story.tell(DISCOVER, ...facts(PI5_BARE)).wait(5000);
		assert.equal(story.tracker.failed.length, 5);
		assert.equal(story.tracker.failed[0]?.stage, "firmware");
		story.tell(DISCOVER, ...facts(PI5), ...linux(), { kind: "os-release", bootId: "b1" }, DISCOVER);
		assert.deepEqual(story.tracker.failed, []);
	});
});

describe("facts out of order", () => {
	test("a mount without a kernel's DHCP says that the kernel runs", () => {
		const story = new Story().tell(DISCOVER, ...facts(PI4), { kind: "mount", bootId: "b1" });
		assert.deepEqual(story.names, ["dhcp", "firmware", "kernel", "root"]);
	});

	test("a lease renewed, a late offer or a late transfer takes nothing back", () => {
		const story = new Story().tell(DISCOVER, ...facts(PI4), ...linux(), { kind: "os-release", bootId: "b1" });
		const before = story.tracker.stages;
		story.tell(OFFER, USERLAND, KERNEL, { kind: "tftp-end", path: "x", outcome: "timeout", bytes: 0, size: 1 });
		assert.deepEqual(story.tracker.stages, before);
	});

	test("a system from its own disk is no userspace of ours", () => {
		const story = new Story().tell(DISCOVER, ...facts("config.txt x")).tell(USERLAND);
		assert.deepEqual(story.names, ["dhcp", "firmware"]);
		assert.notEqual(story.tracker.attempt?.ownSystemAt, undefined);
	});

	test("the root of another boot does not move this one", () => {
		const story = new Story().tell(DISCOVER, ...facts(PI4, "b2"), { kind: "nfs", bootId: "b1" });
		assert.deepEqual(story.names, ["dhcp", "firmware"]);
	});

	test("a forged DISCOVER does not hide a Pi that runs", () => {
		const story = new Story().tell(DISCOVER, ...facts(PI4), ...linux(), { kind: "os-release", bootId: "b1" });
		const running = story.tracker.stages;
		story.tell(DISCOVER);
		assert.equal(story.tracker.stage, "dhcp");
		story.tell({ kind: "nfs", bootId: "b1" });
		assert.deepEqual(story.tracker.stages, running);
	});

	test("a boot goes on over a restart of the server", () => {
		const tracker = new BootTracker();
		tracker.restore("b1", START, null, [
			{ stage: "firmware", at: START - 5 },
			{ stage: "dhcp", at: START - 5 },
		]);
		assert.deepEqual(
			tracker.stages.map(({ stage }) => stage),
			["dhcp", "firmware"],
		);
		tracker.fact({ kind: "mount", bootId: "b1" }, START + 1000);
		assert.equal(tracker.stage, "root");
		tracker.fact(DISCOVER, START + 2000);
		assert.equal(tracker.stage, "dhcp");
	});

	test("a client that asks for a million names costs no memory", () => {
		const story = new Story().tell(DISCOVER);
		for (let number = 0; number < 10_000; number++) {
			const path = `x${number}`;
			story.tell(
				{ kind: "tftp-open", path, found: number % 2 === 0 },
				{ kind: "tftp-end", path, outcome: "complete", bytes: 1, size: 1 },
			);
		}
		const { attempt } = story.tracker;
		assert.equal(attempt?.tftpRequests, 10_000);
		const kept = (attempt?.opened.size ?? 0) + (attempt?.missing.size ?? 0) + (attempt?.complete.size ?? 0);
		assert.ok(kept <= 300, `${kept} names`);
	});
});

const path = fc.constantFrom("config.txt", "start4.elf", "cmdline.txt", "kernel8.img", "bootcode.bin", "x");
const bootId = fc.constantFrom("b1", "b2");
const anyFact: fc.Arbitrary<Fact> = fc.oneof(
	fc.constantFrom<Fact>(DISCOVER, OFFER, REQUEST, KERNEL, USERLAND, { kind: "portmap" }),
	fc.record({ kind: fc.constant("tftp-open" as const), path, found: fc.boolean() }),
	fc.record({
		kind: fc.constant("tftp-end" as const),
		path,
		outcome: fc.constantFrom("complete", "probe", "aborted", "timeout", "failed"),
		bytes: fc.nat(),
		size: fc.nat(),
	}),
	fc.record({ kind: fc.constantFrom("cmdline", "mount", "nfs", "os-release", "agent"), bootId }),
	fc.record({ kind: fc.constant("mount-refused" as const), path, reason: path }),
);

test("whatever is told: stages come in order and grow, their times too", () => {
	fc.assert(
		fc.property(fc.array(fc.tuple(anyFact, fc.nat(200_000)), { maxLength: 80 }), (list) => {
			const story = new Story();
			for (const [fact, wait] of list) {
				story.wait(wait).tell(fact);
				const { stages } = story.tracker;
				assert.deepEqual(story.names, STAGES.slice(0, stages.length), "a stage that is reached passed those before it");
				assert.ok(stages.every(({ at }, index) => at >= (stages[index - 1]?.at ?? 0) && at <= story.now));
				assert.ok(story.tracker.failed.length <= 5);
			}
		}),
		{ seed: 20261121 },
	);
});

describe("what is shown of the last power-ons", () => {
	const END = { kind: "tftp-end", path: "kernel8.img", outcome: "complete", bytes: 500, size: 500 } as const;
	const fileOf = (story: Story, path: string) =>
		story.tracker.attempts[0]?.files.find((file) => file.path === path) ?? assert.fail(path);

	test("each file once, with its answer, its bytes and its end", () => {
		const story = new Story().tell(DISCOVER, ...facts(PI4));
		const { answer, outcome, bytes, times } = fileOf(story, "config.txt");
		assert.deepEqual({ answer, outcome, bytes, times }, { answer: "found", outcome: "complete", bytes: 6e6, times: 7 });
		assert.deepEqual(
			[fileOf(story, "recovery.elf").answer, fileOf(story, "recovery.elf").outcome],
			["missing", undefined],
		);
		assert.equal(fileOf(story, "start4.elf").outcome, "complete");
		story.tell({ kind: "tftp-open", path: "recovery.elf", found: true });
		assert.equal(fileOf(story, "recovery.elf").answer, "found", "under another prefix");
	});

	test("what was sent at each stage, of boot files and of the root", () => {
		const story = new Story().tell(DISCOVER, { kind: "tftp-open", path: "kernel8.img", found: true }, END);
		story.tell({ kind: "cmdline", bootId: "b1" }, { kind: "tftp-open", path: "kernel8.img", found: true }, END);
		story.tell(...linux(), { kind: "os-release", bootId: "b1", bytes: 70 }, { kind: "nfs", bootId: "b1", bytes: 9 });
		const sent = story.tracker.attempts[0]?.stages.map(({ stage, bytes }) => [stage, bytes]);
		const none = ["dhcp", "kernel"].map((stage) => [stage, 0]);
		assert.deepEqual(sent, [none[0], ["firmware", 1000], none[1], ["root", 70], ["userspace", 9]]);
	});

	test("a command line that was refused, and one that was given afterwards", () => {
		const story = new Story().tell(DISCOVER, { kind: "cmdline-refused", address: "192.0.2.9" });
		assert.equal(fileOf(story, "cmdline.txt").answer, "refused");
		story.tell({ kind: "tftp-open", path: "cmdline.txt", found: true });
		assert.equal(fileOf(story, "cmdline.txt").answer, "found");
	});

	test("this one and the last four that asked for files", () => {
		const story = new Story();
		for (let round = 0; round < 8; round++) {
			story.tell(DISCOVER, ...facts(PI5, `b${round}`), ...linux(`b${round}`)).wait(300_000);
			story.tell(DISCOVER).wait(300_000);
		}
		const { attempts } = story.tracker;
		assert.deepEqual(
			attempts.map(({ bootId }) => bootId),
			[undefined, "b7", "b6", "b5", "b4"],
		);
		assert.equal(attempts[0]?.files.length, 0);
	});

	test("a transfer that ends after the Pi began anew belongs to the power-on before", () => {
		const story = new Story().tell(DISCOVER, { kind: "tftp-open", path: "start4.elf", found: true }).wait(20_000);
		story.tell(DISCOVER, { kind: "tftp-end", path: "start4.elf", outcome: "timeout", bytes: 3, size: 500 });
		const files = story.tracker.attempts.map((attempt) => attempt.files.map(({ outcome, bytes }) => [outcome, bytes]));
		assert.deepEqual(files, [[], [["timeout", 3]]]);
	});

	test("a power-on that was somebody else's DISCOVER is none", () => {
		const story = new Story().tell(DISCOVER, ...facts(PI5), ...linux()).wait(300_000);
		story.tell(DISCOVER, { kind: "nfs", bootId: "b1" });
		assert.deepEqual(
			story.tracker.attempts.map(({ bootId }) => bootId),
			["b1"],
		);
	});

	test("whatever is asked for, little is kept", () => {
		fc.assert(
			fc.property(fc.array(fc.string({ maxLength: 500 }), { maxLength: 300 }), (paths) => {
				const files = new AskedFiles();
				for (const path of paths) {
					files.opened(path, "found", START);
					files.ended({ ...END, path }, START);
				}
				const list = files.list();
				assert.ok(list.length <= NAMES_MAX && list.every(({ path }) => path.length <= 200));
			}),
			{ numRuns: 30 },
		);
	});
});
