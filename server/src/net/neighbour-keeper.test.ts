import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { ManualClock } from "../base/index.ts";
import { NeighbourKeeper } from "./neighbour-keeper.ts";

const ADDRESS = "192.0.2.7";
const [ONE, TWO, THREE] = ["b8:27:eb:00:00:01", "b8:27:eb:00:00:02", "b8:27:eb:00:00:03"];
const HEAD = "IP address       HW type     Flags       HW address            Mask     Device";

/** A kernel's table, and machines that answer when it asks. */
class World {
	readonly clock = new ManualClock();
	readonly table = new Map<string, string>();
	readonly answering = new Map<string, string>();
	/** What the kernel was told, and what it was to forget. */
	readonly done: string[] = [];
	mayTell = true;
	readonly keeper = new NeighbourKeeper({
		clock: this.clock,
		source: {
			platform: "linux",
			read: async () => [HEAD, ...[...this.table].map(([at, mac]) => `${at} 0x1 0x2 ${mac} * eth0`)].join("\n"),
			run: () => assert.fail("nothing is to be run"),
			addresses: () => ({}),
			list: async () => [],
		},
		tell: async ({ address, mac }) => {
			this.done.push(`tell ${mac}`);
			if (this.mayTell) this.table.set(address, mac);
			return this.mayTell;
		},
		forget: async (address) => {
			await setImmediate();
			this.done.push(`forget ${this.table.get(address)}`);
			this.table.delete(address);
		},
		ask: (address) => this.look(address, ""),
	});

	/** Asks the wire where the table has nobody. */
	async look(address: string, mac: string): Promise<{ mac: string } | undefined> {
		const found = this.table.get(address) ?? this.answering.get(address);
		if (found === undefined || found === mac) return undefined;
		this.table.set(address, found);
		return { mac: found };
	}

	/** @param isWanted somebody reads what is sent. */
	keep(address: string, isDeaf: boolean, isWanted = true) {
		return this.keeper.keep(address, isDeaf, { isWanted });
	}

	/** A machine that has the address asks us by ARP where we are. */
	speaks(mac: string): void {
		this.table.set(ADDRESS, mac);
	}

	tell(mac: string) {
		return this.keeper.tell({ address: ADDRESS, mac, interface: "eth0" });
	}

	findHolder(mac: string) {
		return this.keeper.findHolder(ADDRESS, mac, () => this.look(ADDRESS, mac));
	}

	async wait(milliseconds: number): Promise<void> {
		this.clock.advance(milliseconds);
		for (let turn = 0; turn < 5; turn++) await setImmediate();
	}
}

describe("a machine that does not answer while it fetches", () => {
	test("is not forgotten if it fetches for long, and not kept when it is done", async () => {
		const world = new World();
		world.speaks(ONE);
		const [first, second] = [world.keep(ADDRESS, true), world.keep(ADDRESS, true)];
		await world.wait(2999);
		assert.deepEqual(world.done, []);
		await world.wait(1);
		assert.deepEqual(world.done, [`tell ${ONE}`]);
		first.release();
		await world.wait(3000);
		assert.equal(world.done.length, 2);
		second.release();
		await world.wait(10_000);
		assert.equal(world.done.length, 2);
	});

	test("is told as the one who asked, whatever the kernel has heard since", async () => {
		const world = new World();
		world.speaks(ONE);
		assert.equal(await world.keep(ADDRESS, true).mac, ONE);
		world.speaks(TWO);
		await world.wait(3000);
		assert.equal(world.table.get(ADDRESS), ONE);
	});

	test("is not told where the kernel does not know it", async () => {
		const world = new World();
		assert.equal(await world.keep(ADDRESS, true).mac, undefined);
		await world.wait(3000);
		assert.deepEqual(world.done, []);
		assert.equal(await world.tell(ONE), "told");
	});

	test("is told once a minute by somebody who may not", async () => {
		const world = new World();
		world.mayTell = false;
		world.speaks(ONE);
		world.keep(ADDRESS, true);
		await world.wait(3000);
		await world.wait(3000);
		world.keep(ADDRESS, true);
		await world.wait(3000);
		assert.equal(world.done.length, 1);
		world.mayTell = true;
		await world.wait(60_000);
		assert.equal(world.done.length, 2);
	});

	test("is not told with a crowd, but nobody else is told either", async () => {
		const world = new World();
		const crowd = Array.from({ length: 32 }, (_, number) => `198.51.100.${number}`);
		for (const address of [...crowd, ADDRESS]) world.table.set(address, ONE);
		const keepings = [...crowd, ADDRESS].map((address) => world.keep(address, true));
		await Promise.all(keepings.map(({ mac }) => mac));
		await world.wait(3000);
		assert.equal(world.done.length, 32);
		world.table.delete(ADDRESS);
		assert.equal(await world.tell(TWO), "held");
	});

	test("is told whatever crowd asks for files that it does not read, or is not there", async () => {
		const world = new World();
		for (let number = 0; number < 200; number++) {
			const address = `198.51.100.${number}`;
			if (number % 2 === 0) world.table.set(address, TWO);
			world.keep(address, true, number % 2 !== 0);
		}
		world.speaks(ONE);
		await world.keep(ADDRESS, true).mac;
		await world.wait(3000);
		assert.deepEqual(world.done, [`tell ${ONE}`]);
	});
});

describe("what the kernel was told", () => {
	test("is no proof that somebody has an address", async () => {
		const world = new World();
		assert.equal(await world.tell(ONE), "told");
		const found = await Promise.all([world.findHolder(TWO), world.findHolder(TWO)]);
		assert.deepEqual(
			[found, world.done],
			[
				[undefined, undefined],
				[`tell ${ONE}`, `forget ${ONE}`],
			],
		);
	});

	test("is none either when it is told while somebody is looked for", async () => {
		const world = new World();
		await world.tell(ONE);
		const found = world.findHolder(TWO);
		await world.tell(THREE);
		assert.equal(await found, undefined);
	});

	test("does not hide who is there all the same", async () => {
		const world = new World();
		world.answering.set(ADDRESS, ONE);
		await world.tell(ONE);
		assert.deepEqual(await world.findHolder(TWO), { mac: ONE });
	});

	test("is not forgotten for the client itself", async () => {
		const world = new World();
		await world.tell(ONE);
		assert.equal(await world.findHolder(ONE), undefined);
		assert.deepEqual(world.done, [`tell ${ONE}`]);
	});
});

describe("an address that several were offered", () => {
	/** Two were told, and the first one took it. */
	async function contested(isDeaf: boolean): Promise<World> {
		const world = new World();
		await world.tell(ONE);
		world.speaks(ONE);
		await world.tell(TWO);
		if (!isDeaf) world.answering.set(ADDRESS, ONE);
		return world;
	}

	test("is the one's who answers when he asks for a file, and nobody else gets it meanwhile", async () => {
		const world = await contested(false);
		const keeping = world.keep(ADDRESS, false);
		const late = world.tell(THREE);
		assert.equal(await keeping.mac, ONE);
		assert.deepEqual([await late, await world.tell(TWO), await world.tell(ONE)], ["held", "held", "told"]);
		assert.deepEqual(await world.findHolder(TWO), { mac: ONE });
		assert.equal(await world.findHolder(ONE), undefined);
		assert.equal(world.table.get(ADDRESS), ONE);
		keeping.release();
		assert.equal(await world.tell(TWO), "told");
	});

	test("is whose it was when nobody answers", async () => {
		const world = await contested(true);
		world.speaks(ONE);
		assert.equal(await world.keep(ADDRESS, true).mac, ONE);
		assert.equal(world.table.get(ADDRESS), ONE);
		assert.equal(await world.tell(TWO), "held");
	});

	test("is not taken from his offer who asks anew while it is found out that he has it", async () => {
		const world = await contested(false);
		world.keep(ADDRESS, false);
		assert.equal(await world.tell(ONE), "told");
	});

	test("is looked for again when somebody was told after that", async () => {
		const world = await contested(false);
		const first = world.keep(ADDRESS, false);
		await first.mac;
		first.release();
		await world.tell(TWO);
		assert.equal(await world.keep(ADDRESS, false).mac, ONE);
	});

	test("is found to be taken by who was looking for it when the file was asked for", async () => {
		const world = await contested(false);
		const holder = world.keeper.findHolder(ADDRESS, THREE, async () => {
			world.keep(ADDRESS, false);
			return undefined;
		});
		assert.deepEqual(await holder, { mac: ONE });
	});

	test("is nobody's whose MAC does not matter: there is nothing to keep where but one was offered it", async () => {
		const world = new World();
		await world.tell(ONE);
		const keeping = world.keep(ADDRESS, false);
		assert.equal(await keeping.mac, undefined);
		assert.equal(await world.tell(TWO), "told");
	});
});
