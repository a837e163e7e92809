import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Write } from "@pi-netboot/api";
import { Floor } from "../writes/testing/floor.ts";
import { publishWrites } from "./write-events.ts";
import { WriteAnswers } from "./write-service.ts";

function answers({ bench, jobs, agents }: Floor): WriteAnswers {
	return new WriteAnswers({ registry: bench.registry, jobs, agents });
}

describe("a write as the API shows it", () => {
	it("says in a sentence what it waits for, and nothing that the API does not know", async () => {
		await using floor = await Floor.open();
		floor.atOnce = 1;
		const [a, b] = [await floor.boot(1), await floor.boot(2)];
		const { promise, resolve } = Promise.withResolvers<void>();
		floor.packs.pack = () => promise.then(() => floor.packs.result);
		const [first, second] = [await floor.order(a), await floor.order(b)];
		const writes = answers(floor);
		const waiting = (job: { readonly id: string }) => Write.strict().parse(writes.get(job.id)).waiting;
		const message = "debian.img is being prepared: 25 %.";
		assert.deepEqual(waiting(first), { for: "image", message, percent: 25 });
		resolve();
		await floor.settled();
		assert.match(waiting(second)?.message ?? "", /^Another Pi is written first/);
		await floor.next(a);
		assert.equal(waiting(first), undefined);
		floor.bench.clock.advance(60_000);
		assert.match(waiting(first)?.message ?? "", /is away\. It goes on as soon as/);
	});

	it("is listed by device and by whether it is over; what nobody has is an error", async () => {
		await using floor = await Floor.open();
		const [a, b] = [await floor.boot(1), await floor.boot(2)];
		const [first, second] = [await floor.order(a), await floor.order(b)];
		await floor.jobs.cancel(first.id);
		const writes = answers(floor);
		const ids = (query: object) => writes.list({ limit: 100, ...query }).map(({ id }) => id);
		assert.deepEqual(ids({}), [second.id, first.id]);
		assert.deepEqual(ids({ device: a.device.id }), [first.id]);
		assert.deepEqual(ids({ device: "ffffffff" }), []);
		assert.deepEqual([ids({ open: true }), ids({ open: false })], [[second.id], [first.id]]);
		assert.deepEqual(ids({ limit: 1 }), [second.id]);
		assert.deepEqual([ids({ before: second.id }), ids({ before: first.id })], [[first.id], []]);
		assert.deepEqual(ids({ before: "0".repeat(16) }), []);
		assert.throws(() => writes.get("0".repeat(16)), { code: "write-not-found" });
		await assert.rejects(writes.start("ffffffff", { target: "/dev/sda", confirm: true, verify: "full" }), {
			code: "device-not-found",
		});
	});
});

describe("the page", () => {
	it("is told of each stage at once, of bytes from time to time, and of agents that come and go", async () => {
		await using floor = await Floor.open();
		const told: string[] = [];
		const hub = {
			publish: (event: { readonly type: string; readonly data: unknown }) => {
				told.push(event.type === "write" ? `write ${(event.data as { write: Write }).write.stage}` : event.type);
			},
		};
		const writes = answers(floor);
		const devices = { show: () => ({}) } as never;
		const { jobs, agents, bench } = floor;
		const { registry, clock } = bench;
		const stop = publishWrites({
			hub: hub as never,
			...{ jobs, agents, writes, registry, devices, clock },
		});
		const pi = await floor.boot();
		clock.advance(400);
		assert.deepEqual(new Set(told.splice(0)), new Set(["device"]));
		const job = await floor.order(pi);
		await floor.next(pi);
		told.splice(0);
		for (let bytesDone = 0; bytesDone < 10; bytesDone++) await floor.report(pi, job, { bytesDone });
		clock.advance(500);
		await floor.report(pi, job, { bytesDone: 20 });
		await floor.report(pi, job, { stage: "verifying" });
		assert.deepEqual(told.splice(0), ["write writing", "write writing", "write verifying"]);
		for (let degrees = 10; degrees < 90; degrees += 5) agents.feel(pi.device, { temperature: degrees });
		clock.advance(400);
		assert.deepEqual(told.splice(0), ["device", "device"], "at once, and how it was last");
		clock.advance(60_000);
		assert.ok(told.includes("device"), "it is away");
		stop();
		told.splice(0);
		await floor.jobs.cancel(job.id);
		assert.deepEqual(told, []);
	});
});
