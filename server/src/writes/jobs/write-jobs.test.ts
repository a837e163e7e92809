import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PackError } from "../pack/index.ts";
import { disk, Floor, IMAGE, inventory, MAP } from "../testing/floor.ts";
import type { AgentWork } from "./work.ts";

function isWrite(work: AgentWork | null, job: { readonly id: string }): boolean {
	return work?.kind === "write" && work.job === job.id;
}

describe("an order", () => {
	it("becomes work for the agent, with the disk as it was confirmed", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		assert.deepEqual(await floor.next(pi), {
			kind: "write",
			job: job.id,
			map: MAP,
			target: { path: "/dev/mmcblk0", size: 32_000_000_000, identity: "cid of /dev/mmcblk0" },
			verify: "full",
			done: null,
		});
		assert.deepEqual(
			[floor.now(job).stage, floor.now(job).attempts, floor.jobs.waitOf(floor.now(job))],
			["wiping", 1, undefined],
		);
	});

	it("is refused with a sentence for each reason", async () => {
		await using floor = await Floor.open();
		const use = { code: "mounted", message: "/dev/sdb is mounted at /mnt." };
		const disks = [
			disk("/dev/mmcblk0"),
			disk("/dev/sda", { size: 1000 }),
			disk("/dev/sdb", { use }),
			disk("/dev/sdc", { readOnly: true }),
		];
		const pi = await floor.boot(1, ...disks);
		const refused = async (target: object, code: string, message: RegExp) => {
			const order = { target: { path: "/dev/mmcblk0", ...target }, verify: "full" } as const;
			await assert.rejects(floor.jobs.order(pi.device, order), { name: "WriteError", code, message });
		};
		await refused({ path: "/dev/nvme0n1" }, "disk-not-found", /has no disk \/dev\/nvme0n1/);
		await refused({ path: "/dev/sda" }, "disk-refused", /has 1000 bytes, and debian.img needs 2000000000/);
		await refused({ path: "/dev/sdb" }, "disk-refused", /is mounted at \/mnt/);
		await refused({ path: "/dev/sdc" }, "disk-refused", /is read-only/);
		await refused({ size: 31_000_000_000 }, "disk-refused", /another disk than the one that was confirmed/);
		await refused({ identity: "another" }, "disk-refused", /another disk/);
		floor.image = undefined;
		await refused({}, "image-not-ready", /still arriving/);
		floor.image = IMAGE;
		await floor.order(pi);
		await refused({}, "write-running", /debian.img is being written to \/dev\/mmcblk0/);
		assert.equal(floor.jobs.list().length, 1);
	});

	it("of two at once is taken once", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const order = { target: { path: "/dev/mmcblk0" }, verify: "full" } as const;
		const both = await Promise.allSettled([floor.jobs.order(pi.device, order), floor.jobs.order(pi.device, order)]);
		assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
	});
});

describe("an image", () => {
	it("is prepared first; the agent waits for it and is told at once", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const { promise, resolve } = Promise.withResolvers<void>();
		floor.packs.pack = async () => {
			await promise;
			return floor.packs.result;
		};
		const job = await floor.order(pi);
		assert.deepEqual(floor.jobs.waitOf(floor.now(job)), { for: "image", percent: 25 });
		assert.ok(floor.jobs.needs("b1"));
		const asked = floor.jobs.next(pi, 25_000, new AbortController().signal);
		await floor.settled();
		resolve();
		assert.ok(isWrite(await asked, job));
	});

	it("that changed or arrives meanwhile is waited for; one that cannot be prepared fails the write", async () => {
		await using floor = await Floor.open();
		const [a, b] = [await floor.boot(1), await floor.boot(2)];
		floor.packs.pack = async () => {
			throw new PackError("pack-image-changed", "It was changed.");
		};
		const waits = await floor.order(a);
		assert.equal(floor.now(waits).endedAt, null);
		floor.image = undefined;
		floor.bench.clock.advance(2000);
		await floor.settled();
		floor.image = { ...IMAGE, buildId: "b2" };
		floor.packs.pack = async () => floor.packs.result;
		floor.bench.clock.advance(2000);
		await floor.settled();
		assert.deepEqual([floor.now(waits).buildId, floor.now(waits).map], ["b2", MAP]);

		floor.packs.pack = async () => {
			throw new PackError("pack-no-space", "There is no room left.", "Free some space.");
		};
		const fails = await floor.order(b);
		const failure = { code: "pack-no-space", message: "There is no room left.", hint: "Free some space." };
		assert.deepEqual([floor.now(fails).stage, floor.now(fails).failure], ["failed", failure]);
	});
});

describe("the queue", () => {
	it("lets so many load at once; who is read back makes room, who is away holds up nobody", async () => {
		await using floor = await Floor.open();
		floor.atOnce = 1;
		const [a, b, c] = [await floor.boot(1), await floor.boot(2), await floor.boot(3)];
		const [first, second, third] = [await floor.order(a), await floor.order(b), await floor.order(c)];
		assert.deepEqual(floor.jobs.waitOf(floor.now(second)), { for: "turn", before: 1 });
		assert.equal(await floor.next(c), null, "it is not its turn");
		assert.ok(isWrite(await floor.next(a), first));
		assert.equal(await floor.next(b), null);
		const asked = floor.jobs.next(b, 25_000, new AbortController().signal);
		await floor.settled();
		await floor.report(a, first, { stage: "verifying", percent: 60, bytesDone: 1000 });
		assert.ok(isWrite(await asked, second));
		assert.equal(await floor.next(c), null);
		// The second Pi loses its power.
		floor.bench.clock.advance(50_000);
		assert.deepEqual(floor.jobs.waitOf(floor.now(second)), { for: "device" });
		assert.ok(isWrite(await floor.next(c), third));
	});

	it("two questions of one agent do not wake each other for ever, and one that nobody waits for gets nothing", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const gone = new AbortController();
		const first = floor.jobs.next(pi, 25_000, gone.signal);
		await floor.settled();
		const second = floor.jobs.next(pi, 25_000, new AbortController().signal);
		assert.equal(await first, null);
		const job = await floor.order(pi);
		assert.ok(isWrite(await second, job));
	});
});

describe("a write that an agent has", () => {
	it("is followed: counts, stages, percent that never falls, whatever is reported", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		await floor.next(pi);
		await floor.report(pi, job, { stage: "wiping", percent: 80 });
		assert.equal(floor.now(job).percent, 10, "no stage is further than its range");
		floor.bench.clock.advance(2000);
		await floor.report(pi, job, { percent: 50, bytesDone: 500, wireBytes: 200, durable: "AQ==" });
		await floor.report(pi, job, { percent: 20, bytesDone: 5000, wireBytes: 210 });
		const { percent, counts, durable, times } = floor.now(job);
		assert.deepEqual([percent, counts.bytesDone, counts.wireBytes, durable], [50, 1000, 210, "AQ=="]);
		assert.deepEqual(
			times.map(({ stage }) => stage),
			["wiping", "writing"],
		);
		assert.ok(floor.jobs.paceOf(floor.now(job)).bytesPerSecond > 0);
	});

	it("that another Pi reports of, or a report from before, changes nothing", async () => {
		await using floor = await Floor.open();
		const [pi, other] = [await floor.boot(1), await floor.boot(2)];
		const job = await floor.order(pi);
		await floor.next(pi);
		assert.equal(await floor.complete(other, job), true, "the stranger is told to stop");
		await floor.report(pi, job, { percent: 40, seq: 50 });
		await floor.complete(pi, job, { seq: 49 });
		assert.deepEqual([floor.now(job).percent, floor.now(job).endedAt], [40, null]);
		assert.equal(await floor.report(pi, { id: "0".repeat(16) }, {}), true);
	});

	it("ends well only when all of it was written and read back", async () => {
		await using floor = await Floor.open();
		for (const lack of [{ bytesDone: 999 }, { verifiedBytes: 1099 }]) {
			const pi = await floor.boot();
			const job = await floor.order(pi);
			await floor.next(pi);
			await floor.complete(pi, job, lack);
			assert.deepEqual([floor.now(job).stage, floor.now(job).failure?.code], ["failed", "unproved"]);
			assert.equal(pi.device.intent, "netboot");
		}
	});

	it("that is done: the Pi boots from its disk from now on, and is told to reboot, over kill -9 of the server too", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		await floor.next(pi);
		assert.equal(await floor.complete(pi, job), false);
		await floor.restart();
		const again = floor.again(pi);
		assert.equal(again.device.intent, "disk");
		assert.deepEqual(await floor.next(again), { kind: "reboot" });
		assert.deepEqual(await floor.next(again), { kind: "reboot" }, "an answer can be lost");
		const { stage, percent, counts, endedAt } = floor.now(job);
		assert.deepEqual([stage, percent, counts.verifiedBytes, endedAt === null], ["complete", 100, 1100, false]);
		assert.equal(await floor.next(await floor.boot()), null, "another boot is not ended");
	});

	it("that was begun again behind a younger one is done: the Pi is told to reboot all the same", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot(1);
		const older = await floor.order(pi);
		await floor.jobs.cancel(older.id);
		const younger = await floor.order(pi);
		await floor.jobs.cancel(younger.id);
		await floor.jobs.retry(older.id);
		await floor.settled();
		floor.bench.clock.advance(1000);
		await floor.next(pi);
		await floor.complete(pi, older);
		assert.equal(floor.now(older).stage, "complete");
		assert.deepEqual(await floor.next(pi), { kind: "reboot" });
	});

	it("is rebooted once, also where the agent was installed and keeps its id over reboots", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const rises = (bootId: string) =>
			floor.agents.greet(pi, { version: "1", inventory: { ...inventory(disk("/dev/mmcblk0")), bootId } });
		await rises("one");
		const job = await floor.order(pi);
		await floor.next(pi);
		await floor.complete(pi, job);
		assert.deepEqual(await floor.next(pi), { kind: "reboot" });
		await rises("two");
		assert.equal(await floor.next(pi), null);
		floor.jobs.reboot(pi.device);
		assert.deepEqual(await floor.next(pi), { kind: "reboot" });
		await rises("three");
		assert.equal(await floor.next(pi), null);
	});

	it("goes on after a restart of the agent, of the Pi and of the server where the disk is", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		await floor.next(pi);
		await floor.report(pi, job, { percent: 50, bytesDone: 500, wireBytes: 200, durable: "Dw==" });
		const agent = await floor.next(pi);
		assert.ok(agent?.kind === "write" && agent.done === "Dw==", "a new run of the agent");
		await floor.report(pi, job, { seq: 1, stage: "wiping", percent: 1, wireBytes: 30, durable: "Hw==" });
		assert.deepEqual([floor.now(job).percent, floor.now(job).counts.wireBytes], [50, 230]);
		const rebooted = await floor.boot();
		const second = await floor.next(rebooted);
		assert.ok(second?.kind === "write" && second.done === "Hw==");
		await floor.restart();
		floor.image = { ...IMAGE, buildId: "b2" };
		const again = floor.again(rebooted);
		assert.deepEqual(floor.jobs.waitOf(floor.now(job)), { for: "device" });
		assert.equal(await floor.report(again, job, { seq: 77, percent: 60, bytesDone: 600 }), false);
		assert.deepEqual([floor.now(job).percent, floor.now(job).buildId], [60, "b1"]);
		assert.equal(floor.now(job).attempts, 3);
	});

	it("begins anew with another build when its pack is gone, and goes on when the server was away too long", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		await floor.next(pi);
		const error = { code: "unreachable", message: "The server cannot be reached." };
		await floor.report(pi, job, { stage: "failed", durable: "Dw==", error });
		assert.equal(floor.now(job).endedAt, null);
		const again = await floor.next(pi);
		assert.ok(again?.kind === "write" && again.done === "Dw==");
		floor.packs.pack = async () => ({ ...floor.packs.result, map: "ef".repeat(32) });
		const gone = { code: "pack-gone", message: "The server no longer has it." };
		await floor.report(pi, job, { stage: "failed", error: gone });
		await floor.settled();
		const third = await floor.next(pi);
		assert.ok(third?.kind === "write" && third.map === "ef".repeat(32) && third.done === null);
	});

	it("that arrives damaged has its pack looked at", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		await floor.next(pi);
		await floor.report(pi, job, { stage: "failed", error: { code: "bad-data", message: "It arrives damaged." } });
		assert.deepEqual([floor.now(job).stage, floor.packs.checked], ["failed", ["b1"]]);
	});

	it("is proved by who has it: who writes an earlier order is told to stop, and nobody is done before it began", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		assert.equal(await floor.complete(pi, job), true, "nobody was given it");
		assert.equal(floor.now(job).endedAt, null);
		await floor.next(pi);
		await floor.report(pi, job, { percent: 50, bytesDone: 1000, durable: "Dw==" });
		// Its cable is out: the person cancels, the image is replaced, the person begins again.
		floor.bench.clock.advance(60_000);
		await floor.jobs.cancel(job.id);
		floor.packs.pack = async () => ({ ...floor.packs.result, map: "ef".repeat(32), dataBytes: 900 });
		await floor.jobs.retry(job.id);
		await floor.settled();
		assert.equal(await floor.complete(pi, job), true, "this was the other build");
		const { endedAt, map, durable, attempts, counts } = floor.now(job);
		assert.deepEqual([endedAt, map, durable, attempts, counts.bytesDone], [null, "ef".repeat(32), null, 0, 0]);
		assert.equal(pi.device.intent, "netboot");
		await floor.next(pi);
		await floor.complete(pi, job, { bytesDone: 0 });
		assert.equal(floor.now(job).failure?.code, "unproved");
	});

	it("loses its agent when its map was lost with the server and the image is another one now", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		await floor.next(pi);
		await floor.report(pi, job, { percent: 50, bytesDone: 500, durable: "Dw==" });
		floor.packs.maps.clear();
		floor.packs.pack = async () => ({ ...floor.packs.result, map: "ef".repeat(32) });
		await floor.restart();
		await floor.settled();
		const again = floor.again(pi);
		assert.equal(await floor.complete(again, job), true);
		assert.deepEqual([floor.now(job).endedAt, floor.now(job).counts.bytesDone], [null, 0]);
		const work = await floor.next(again);
		assert.ok(work?.kind === "write" && work.map === "ef".repeat(32) && work.done === null);
	});

	it("is given up when the Pi is restarted each time, and may be begun again", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		for (let run = 0; run < 30; run++) assert.ok(isWrite(await floor.next(pi), job));
		assert.equal(await floor.next(pi), null);
		assert.deepEqual([floor.now(job).stage, floor.now(job).failure?.code], ["failed", "never-ends"]);
		await floor.jobs.retry(job.id);
		await floor.settled();
		assert.ok(isWrite(await floor.next(pi), job));
	});

	it("that failed says why, leaves the intent alone, and can be begun again", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		await floor.next(pi);
		await floor.report(pi, job, { percent: 50, durable: "Dw==" });
		const error = { code: "disk-error", message: "/dev/mmcblk0 failed to write at byte 4096.", offset: 4096 };
		await floor.report(pi, job, { stage: "failed", error });
		assert.deepEqual([floor.now(job).stage, floor.now(job).failure], ["failed", error]);
		assert.equal(pi.device.intent, "netboot");
		assert.equal(await floor.next(pi), null);
		await floor.jobs.retry(job.id);
		await floor.settled();
		assert.deepEqual([floor.now(job).percent, floor.now(job).failure], [0, null]);
		const work = await floor.next(pi);
		assert.ok(work?.kind === "write" && work.done === null, "nothing of a broken disk is believed");
		await assert.rejects(floor.jobs.retry(job.id), { code: "conflict" });
	});
});

describe("cancelling", () => {
	it("stops the preparing of an image that nobody else needs", async () => {
		await using floor = await Floor.open();
		const [a, b] = [await floor.boot(1), await floor.boot(2)];
		const { promise, reject } = Promise.withResolvers<never>();
		floor.packs.pack = () => promise;
		const [first, second] = [await floor.order(a), await floor.order(b)];
		await floor.jobs.cancel(first.id);
		assert.deepEqual(floor.packs.stopped, []);
		await floor.jobs.cancel(second.id);
		assert.deepEqual(floor.packs.stopped, ["b1"]);
		// Somebody wants it again before it has stopped.
		const third = await floor.order(a);
		floor.packs.pack = async () => floor.packs.result;
		reject(new PackError("pack-cancelled", "It was cancelled."));
		await floor.settled();
		floor.bench.clock.advance(2000);
		await floor.settled();
		assert.ok(isWrite(await floor.next(a), third));
	});

	it("stops what waits at once, and what runs when its agent is heard", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const waiting = await floor.order(pi);
		await floor.jobs.cancel(waiting.id);
		assert.equal(floor.now(waiting).stage, "cancelled");
		assert.equal(await floor.next(pi), null);
		const running = await floor.order(pi);
		await floor.next(pi);
		await floor.jobs.cancel(running.id);
		assert.deepEqual([floor.now(running).endedAt, floor.now(running).isCancelled], [null, true]);
		assert.equal(await floor.report(pi, running, {}), true);
		await floor.report(pi, running, { stage: "cancelled", durable: "Dw==" });
		assert.equal(floor.now(running).stage, "cancelled");
		await assert.rejects(floor.jobs.cancel(running.id), { code: "conflict" });
		await floor.jobs.retry(running.id);
		await floor.settled();
		const work = await floor.next(pi);
		assert.ok(work?.kind === "write" && work.done === "Dw==", "what is on the disk is good");
	});

	it("does not wait for a Pi that is away, and one that comes back stops, or asks and gets nothing", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		await floor.next(pi);
		await floor.jobs.cancel(job.id);
		floor.bench.clock.advance(60_000);
		await floor.settled();
		assert.equal(floor.now(job).stage, "cancelled");
		assert.match(floor.now(job).failure?.message ?? "", /boots only if the write came to its end there/);
		assert.equal(await floor.report(pi, job, {}), true);
		assert.equal(await floor.next(pi), null);
	});

	it("says that the disk does not boot where the agent is there and writes nothing", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const job = await floor.order(pi);
		await floor.next(pi);
		await floor.jobs.cancel(job.id);
		assert.equal(await floor.next(pi), null);
		assert.equal(floor.now(job).failure?.message, "It was cancelled. The disk does not boot.");
	});
});

describe("a reboot", () => {
	it("is an order for the boot that runs, not for one that is being written, and not for who is away", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		const asked = floor.jobs.next(pi, 25_000, new AbortController().signal);
		await floor.settled();
		floor.jobs.reboot(pi.device);
		assert.deepEqual(await asked, { kind: "reboot" });
		const rebooted = await floor.boot();
		assert.equal(await floor.next(rebooted), null);
		await floor.order(rebooted);
		assert.throws(() => floor.jobs.reboot(pi.device), { code: "write-running" });
		const other = await floor.boot(2);
		floor.bench.clock.advance(60_000);
		assert.throws(() => floor.jobs.reboot(other.device), { code: "agent-away" });
	});
});

describe("the intent write-then-disk", () => {
	const wish = { intent: "write-then-disk", writeTarget: "/dev/mmcblk0" } as const;

	it("is used up by the write that it makes, together with it", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot();
		await floor.bench.registry.patch(pi.device.id, wish);
		await floor.jobs.orderIntended(pi.device, "/dev/mmcblk0");
		await floor.restart();
		const again = floor.again(pi);
		const [job] = floor.jobs.list();
		assert.deepEqual(
			[job?.origin, job?.endedAt, again.device.intent, again.device.writeTarget],
			["intent", null, "netboot", null],
		);
	});

	it("waits for an image that arrives; a disk that is not there is a failure that can be tried again", async () => {
		await using floor = await Floor.open();
		const pi = await floor.boot(1, disk("/dev/sda"));
		await floor.bench.registry.patch(pi.device.id, wish);
		floor.image = undefined;
		await assert.rejects(floor.jobs.orderIntended(pi.device, "/dev/mmcblk0"), { code: "image-not-ready" });
		assert.equal(pi.device.intent, "write-then-disk");
		floor.image = IMAGE;
		await floor.jobs.orderIntended(pi.device, "/dev/mmcblk0");
		const [job] = floor.jobs.list();
		assert.ok(job);
		assert.deepEqual([job.stage, job.failure?.code, pi.device.intent], ["failed", "disk-not-found", "netboot"]);
		await assert.rejects(floor.jobs.retry(job.id), { code: "disk-not-found" });
		await floor.agents.greet(pi, { version: "1", inventory: inventory(disk("/dev/mmcblk0")) });
		await floor.jobs.retry(job.id);
		await floor.settled();
		assert.ok(isWrite(await floor.next(pi), job));
	});
});
