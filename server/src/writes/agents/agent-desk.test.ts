import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { silentLogger } from "../../base/index.ts";
import { disk, Floor, inventory } from "../testing/floor.ts";
import { AgentDesk } from "./agent-desk.ts";
import { type AgentCaller, AgentGate } from "./agent-gate.ts";

const WISH = { intent: "write-then-disk", writeTarget: "/dev/mmcblk0" } as const;

function deskOf({ bench, agents, jobs, packs }: Floor): AgentDesk {
	const { registry, clock } = bench;
	const gate = new AgentGate({ keys: () => undefined, macOf: async () => undefined, registry, clock });
	const shelf = { map: (name: string) => packs.map(name), pack: async () => undefined };
	return new AgentDesk({ gate, book: agents, jobs, packs: shelf, log: silentLogger });
}

describe("a Pi that is to be written at its next boot", () => {
	const hello = (bootId: string) => ({ version: "1", inventory: { ...inventory(disk("/dev/mmcblk0")), bootId } });
	const ask = (desk: AgentDesk, pi: AgentCaller) => desk.next(pi, { wait: 0 }, new AbortController().signal);

	it("is left in peace in the run in which a person wished so, also over a restart of the agent, and written in the next", async () => {
		await using floor = await Floor.open();
		const desk = deskOf(floor);
		const pi = await floor.boot();
		await desk.hello(pi, hello("one"));
		assert.equal(await ask(desk, pi), null);
		await floor.bench.registry.patch(pi.device.id, WISH);
		await desk.hello(pi, hello("one"));
		assert.equal(await ask(desk, pi), null);
		assert.deepEqual([floor.jobs.list(), pi.device.intent], [[], "write-then-disk"]);
		await desk.hello(pi, hello("two"));
		await ask(desk, pi);
		const [job] = floor.jobs.list();
		assert.deepEqual([job?.origin, job?.target.path, pi.device.intent], ["intent", "/dev/mmcblk0", "netboot"]);
	});

	it("is written as soon as its image is there", async () => {
		await using floor = await Floor.open();
		const desk = deskOf(floor);
		const pi = await floor.boot();
		await floor.bench.registry.patch(pi.device.id, WISH);
		await desk.hello(pi, hello("one"));
		const { image } = floor;
		floor.image = undefined;
		assert.equal(await ask(desk, pi), null);
		floor.image = image;
		await ask(desk, pi);
		assert.equal(floor.jobs.list().length, 1);
	});
});

test("an agent that says hello all the time is told to wait, and nobody else is", async () => {
	await using floor = await Floor.open();
	const desk = deskOf(floor);
	const [rogue, other] = [await floor.boot(1), await floor.boot(2)];
	const hello = { version: "1", inventory: inventory() };
	// One came with its boot.
	for (let count = 1; count < 30; count++) await desk.hello(rogue, hello);
	await assert.rejects(desk.hello(rogue, hello), { code: "unavailable", hint: "Ask later." });
	await desk.hello(other, hello);
	floor.bench.clock.advance(2000);
	await desk.hello(rogue, hello);
	await assert.rejects(desk.hello(rogue, hello), { code: "unavailable" });
});
