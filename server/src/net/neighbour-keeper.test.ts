import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { ManualClock } from "../base/index.ts";
import { NeighbourKeeper } from "./neighbour-keeper.ts";
import type { Neighbour } from "./neighbours.ts";

const HEAD = "IP address       HW type     Flags       HW address            Mask     Device";

class World {
	readonly clock = new ManualClock();
	readonly told: Neighbour[] = [];
	mayTell = true;
	readonly keeper = new NeighbourKeeper({
		clock: this.clock,
		source: {
			platform: "linux",
			read: async () =>
				`${HEAD}\n192.0.2.7 0x1 0x2 b8:27:eb:00:00:07 * eth0\n192.0.2.8 0x1 0x0 00:00:00:00:00:00 * eth0\n`,
			run: () => assert.fail("nothing is to be run"),
			addresses: () => ({}),
			list: async () => [],
		},
		tell: async (neighbour) => {
			this.told.push(neighbour);
			return this.mayTell;
		},
	});

	async wait(milliseconds: number): Promise<void> {
		this.clock.advance(milliseconds);
		await setImmediate();
		await setImmediate();
	}
}

test("a machine that fetches for long is not forgotten, and one that is done is not kept", async () => {
	const world = new World();
	const first = world.keeper.keep("192.0.2.7");
	const second = world.keeper.keep("192.0.2.7");
	await world.wait(2999);
	assert.deepEqual(world.told, []);
	await world.wait(1);
	assert.deepEqual(world.told, [{ address: "192.0.2.7", mac: "b8:27:eb:00:00:07", interface: "eth0" }]);
	first();
	await world.wait(3000);
	assert.equal(world.told.length, 2);
	second();
	await world.wait(10_000);
	assert.equal(world.told.length, 2);
});

test("of a machine that the kernel does not know nothing is said", async () => {
	const world = new World();
	for (const address of ["192.0.2.8", "192.0.2.9"]) world.keeper.keep(address);
	await world.wait(3000);
	assert.deepEqual(world.told, []);
});

test("who may not tell the kernel tries it once", async () => {
	const world = new World();
	world.mayTell = false;
	world.keeper.keep("192.0.2.7");
	await world.wait(3000);
	await world.wait(3000);
	world.keeper.keep("192.0.2.7");
	await world.wait(3000);
	assert.equal(world.told.length, 1);
});

test("of a crowd not all are kept", async () => {
	const world = new World();
	for (let number = 0; number < 32; number++) world.keeper.keep(`198.51.100.${number}`);
	world.keeper.keep("192.0.2.7");
	await world.wait(3000);
	assert.deepEqual(world.told, []);
});
