import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ManualClock, silentLogger } from "../../base/index.ts";
import type { AddressHolder } from "../../net/index.ts";
import type { LeaseRepository, LeaseRow } from "../../store/index.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import type { DhcpSubnet } from "./settings.ts";

const SUBNET: DhcpSubnet = {
	serverAddress: "192.0.2.1",
	interface: "eth0",
	netmask: "255.255.255.0",
	start: "192.0.2.100",
	end: "192.0.2.105",
	dns: [],
};

const GRANT = { seconds: 600, isThere: false };

function macOf(number: number): string {
	return `02:00:00:00:00:${number.toString(16).padStart(2, "0")}`;
}

/** A disk that can fail. */
class Rows implements Pick<LeaseRepository, "list" | "save"> {
	readonly rows = new Map<string, LeaseRow>();
	isBroken = false;

	async list(): Promise<LeaseRow[]> {
		return [...this.rows.values()].sort((a, b) => a.expiresAt - b.expiresAt);
	}

	async save(rows: readonly LeaseRow[], gone: readonly string[]): Promise<void> {
		await Promise.resolve();
		if (this.isBroken) throw new Error("the disk is full");
		for (const address of gone) this.rows.delete(address);
		for (const row of rows) this.rows.set(row.address, row);
	}
}

class World {
	readonly clock = new ManualClock();
	readonly rows = new Rows();
	/** What a look on the wire finds, by address; and the looks that were taken. */
	readonly machines = new Map<string, string>();
	readonly looks: string[] = [];
	readonly booted = new Set<string>();
	/** Who was told that nothing is left. */
	readonly exhausted: string[] = [];
	keeper = this.#keeper();

	#keeper(): LeaseKeeper {
		return new LeaseKeeper({
			rows: this.rows,
			clock: this.clock,
			log: silentLogger,
			findHolder: (address, mac) => this.#find(address, mac),
			isForeign: () => false,
			hasBooted: (mac) => this.booted.has(mac),
			exhausted: (mac) => void this.exhausted.push(mac),
		});
	}

	async #find(address: string, mac: string): Promise<AddressHolder> {
		this.looks.push(address);
		await Promise.resolve();
		const found = this.machines.get(address);
		return found === undefined || found === mac ? undefined : { mac: found };
	}

	async restart(): Promise<void> {
		await this.keeper.settle();
		this.keeper = this.#keeper();
		await this.keeper.load();
	}

	async lease(number: number): Promise<string> {
		const offer = await this.keeper.offer(macOf(number), SUBNET, { isBinding: false });
		if (!offer) return assert.fail("nothing is offered");
		assert.ok(await this.keeper.grant(macOf(number), offer.address, SUBNET, GRANT));
		return offer.address;
	}
}

test("a range of which other machines have every address is exhausted, and each is looked for once", async () => {
	const world = new World();
	const subnet = { ...SUBNET, end: "192.0.2.101" };
	for (const address of [subnet.start, subnet.end]) world.machines.set(address, macOf(9));
	assert.equal(await world.keeper.offer(macOf(1), subnet, { isBinding: false }), null);
	assert.deepEqual([world.exhausted, world.looks.toSorted()], [[macOf(1)], [subnet.start, subnet.end]]);
	world.machines.clear();
	assert.ok(await world.keeper.offer(macOf(1), subnet, { isBinding: false }), "one of them went away");
});

describe("an address", () => {
	test("is looked for on the wire before it is offered, and not again while it is leased", async () => {
		const world = new World();
		const address = await world.lease(1);
		assert.deepEqual(world.looks, [address]);
		await world.keeper.offer(macOf(1), SUBNET, { isBinding: false });
		assert.equal(world.looks.length, 1);
		world.clock.advance(601_000);
		await world.keeper.offer(macOf(1), SUBNET, { isBinding: false });
		assert.deepEqual(world.looks, [address, address]);
	});

	test("is offered once to a client that asks again while it is looked for", async () => {
		const world = new World();
		const wish = { isBinding: true };
		const offers = await Promise.all([1, 2, 3].map(() => world.keeper.offer(macOf(1), SUBNET, wish)));
		assert.equal(world.looks.length, 1);
		assert.equal(new Set(offers.map((offer) => offer?.address)).size, 1);
	});

	test("is tried anew a minute after somebody was found with it", async () => {
		const world = new World();
		const address = await world.lease(1);
		await world.keeper.free(macOf(1), address);
		world.machines.set(address, macOf(9));
		const other = await world.keeper.offer(macOf(1), SUBNET, { isBinding: false });
		assert.notEqual(other?.address, address);
		world.machines.clear();
		world.clock.advance(61_000);
		for (let number = 2; number <= 7; number++) await world.lease(number);
		assert.ok(world.keeper.list().some((lease) => lease.address === address && lease.state === "leased"));
	});

	test("is given up after a few tries, so that the client asks again in time", async () => {
		const world = new World();
		for (let last = 100; last <= 105; last++) world.machines.set(`192.0.2.${last}`, macOf(9));
		assert.equal(await world.keeper.offer(macOf(1), SUBNET, { isBinding: false }), undefined);
		assert.equal(world.looks.length, 4);
	});

	test("is not said to be given when that could not be stored, and is stored with the next one", async () => {
		const world = new World();
		const offer = await world.keeper.offer(macOf(1), SUBNET, { isBinding: false });
		assert.ok(offer);
		world.rows.isBroken = true;
		await assert.rejects(world.keeper.grant(macOf(1), offer.address, SUBNET, GRANT), /the disk is full/);
		world.rows.isBroken = false;
		await world.lease(2);
		assert.equal(world.rows.rows.get(offer.address)?.mac, macOf(1));
	});
});

describe("strangers without number", () => {
	/** So many clients ask, and never come back; every second one as a Pi 3, which takes what it is offered. */
	async function flood(world: World, count: number): Promise<void> {
		for (let number = 0; number < count; number++) {
			const mac = `02:01:00:00:${(number >> 8).toString(16).padStart(2, "0")}:${(number & 255).toString(16).padStart(2, "0")}`;
			assert.ok(await world.keeper.offer(mac, SUBNET, { isBinding: number % 2 === 0 }), `${mac} got nothing`);
		}
	}

	test("do not keep a new client from its address", async () => {
		const world = new World();
		await flood(world, 300);
		const address = await world.lease(1);
		await flood(world, 300);
		assert.equal(await world.lease(1), address);
		assert.equal(world.keeper.of(macOf(1), SUBNET)?.state, "leased");
	});

	test("do not take what a client had, though its lease ran out", async () => {
		const world = new World();
		const addresses: string[] = [];
		for (let number = 1; number <= 6; number++) addresses.push(await world.lease(number));
		world.clock.advance(700_000);
		await flood(world, 300);
		for (let number = 1; number <= 6; number++) assert.equal(await world.lease(number), addresses[number - 1]);
	});

	test("get what a device had that booted after what others had", async () => {
		const world = new World();
		const addresses: string[] = [];
		for (let number = 1; number <= 6; number++) {
			addresses.push(await world.lease(number));
			world.clock.advance(1000);
		}
		for (let number = 1; number <= 5; number++) world.booted.add(macOf(number));
		world.clock.advance(700_000);
		assert.equal(await world.lease(7), addresses[5]);
		assert.equal(await world.lease(8), addresses[0]);
	});

	test("are more than the memory holds, and the oldest of them are forgotten", async () => {
		const world = new World();
		await flood(world, 1500);
		assert.ok(world.keeper.list().length <= 6);
		assert.equal(world.rows.rows.size <= 6, true);
	});

	test("cannot empty the range by declining all they are offered", async () => {
		const world = new World();
		for (let round = 0; round < 40; round++) {
			const mac = macOf(round % 2 === 0 ? 9 : 20 + round);
			const offer = await world.keeper.offer(mac, SUBNET, { isBinding: false });
			if (offer) assert.ok(await world.keeper.decline(mac, offer.address));
		}
		const declined = world.keeper.list().filter(({ state, mac }) => state === "declined" && mac === macOf(9));
		assert.ok(declined.length <= 3, `${declined.length}`);
		await world.lease(1);
	});
});

test("of two clients that were offered one address the first that asks for it gets it", async () => {
	const world = new World();
	const narrow = { ...SUBNET, end: SUBNET.start };
	for (const number of [1, 2]) {
		const offer = await world.keeper.offer(macOf(number), narrow, { isBinding: false });
		assert.equal(offer?.address, SUBNET.start);
	}
	assert.equal(await world.keeper.grant(macOf(3), SUBNET.start, narrow, GRANT), undefined);
	assert.ok(await world.keeper.grant(macOf(1), SUBNET.start, narrow, GRANT));
	assert.equal(await world.keeper.grant(macOf(2), SUBNET.start, narrow, GRANT), undefined);
});

test("who speaks from an address keeps it, to whomever it was offered, unless that one took it", async () => {
	const world = new World();
	const offer = await world.keeper.offer(macOf(2), SUBNET, { isBinding: true });
	const address = offer?.address ?? assert.fail();
	assert.equal(await world.keeper.grant(macOf(1), address, SUBNET, GRANT), undefined);
	assert.ok(await world.keeper.grant(macOf(1), address, SUBNET, { ...GRANT, isThere: true }));
	assert.equal(await world.keeper.grant(macOf(3), address, SUBNET, { ...GRANT, isThere: true }), undefined);
});

describe("a clock", () => {
	test("that is set back takes the leases with it", async () => {
		const world = new World();
		const address = await world.lease(1);
		await world.keeper.offer(macOf(2), SUBNET, { isBinding: true });
		world.clock.set(1000);
		assert.equal(world.keeper.of(macOf(1), SUBNET)?.expiresAt, 601_000);
		world.clock.advance(601_000);
		assert.ok(world.keeper.list().every(({ expiresAt }) => expiresAt <= world.clock.now()));
		assert.equal(await world.lease(1), address);
		assert.equal(world.rows.rows.get(address)?.expiresAt, world.clock.now() + 600_000);
	});

	test("that was years ahead when the server ran last keeps no address for longer than a week", async () => {
		const world = new World();
		const address = await world.lease(1);
		world.clock.set(1000);
		await world.restart();
		assert.deepEqual(
			world.keeper.list().map((lease) => [lease.address, lease.expiresAt]),
			[[address, 1000 + 7 * 86_400_000]],
		);
	});

	test("that is set forward leaves each client its address", async () => {
		const world = new World();
		const address = await world.lease(1);
		world.clock.advance(365 * 86_400_000);
		assert.equal(await world.lease(1), address);
	});
});

const step = fc.record({
	act: fc.constantFrom("offer", "bind", "grant", "free", "decline", "wait", "restart", "appear"),
	client: fc.integer({ min: 1, max: 8 }),
	last: fc.integer({ min: 98, max: 107 }),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(world: World, { act, client, last }: Step): Promise<void> {
	const { keeper } = world;
	const mac = macOf(client);
	const address = `192.0.2.${last}`;
	if (act === "offer" || act === "bind") await keeper.offer(mac, SUBNET, { isBinding: act === "bind" });
	else if (act === "grant") await keeper.grant(mac, keeper.of(mac, SUBNET)?.address ?? address, SUBNET, GRANT);
	else if (act === "free") await keeper.free(mac, address);
	else if (act === "decline") await keeper.decline(mac, keeper.of(mac, SUBNET)?.address ?? address);
	else if (act === "wait") world.clock.advance(last * 2000);
	else if (act === "restart") await world.restart();
	else world.machines.set(address, macOf(client + 100));
}

test("a range of any size fills no more than its places, whatever is asked for", async () => {
	const world = new World();
	const wide: DhcpSubnet = { ...SUBNET, netmask: "255.255.0.0", start: "192.0.0.1", end: "192.0.255.254" };
	const addressOf = (number: number) => `192.0.${4 + (number >> 8)}.${number & 255}`;
	const clientOf = (number: number) =>
		`02:00:00:00:${[number >> 8, number & 255].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}`;
	for (let number = 0; number < 4200; number++) {
		const given = await world.keeper.grant(clientOf(number), addressOf(number), wide, {
			...GRANT,
			isThere: number % 2 === 0,
		});
		assert.equal(given !== undefined, number < 4096, addressOf(number));
	}
	const requested = "192.0.200.1";
	assert.equal(await world.keeper.offer(clientOf(5000), wide, { requested, isBinding: false }), null);
	assert.equal(world.keeper.list().length, 4096);
	assert.ok(await world.keeper.grant(clientOf(7), addressOf(7), wide, GRANT), "who has one keeps it");
	world.clock.advance(601_000);
	assert.ok(
		await world.keeper.offer(clientOf(5000), wide, { requested, isBinding: false }),
		"one that ran out is given on",
	);
});

test("whatever happens at the same time: no address for two, none outside of the range, and the disk has what holds", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 25 }), async (rounds) => {
			const world = new World();
			for (const round of rounds) {
				const restarts = round.filter(({ act }) => act === "restart");
				await Promise.all(round.filter(({ act }) => act !== "restart").map((one) => take(world, one)));
				for (const one of restarts) await take(world, one);
				checkWorld(world);
			}
		}),
		{ numRuns: 150 },
	);
});

function checkWorld({ keeper, rows, clock }: World): void {
	const leases = keeper.list();
	assert.equal(new Set(leases.map(({ address }) => address)).size, leases.length);
	for (const lease of leases) {
		const last = Number(lease.address.split(".")[3]);
		assert.ok(last >= 100 && last <= 105, lease.address);
		if (lease.state !== "offered") assert.deepEqual(rows.rows.get(lease.address), lease);
	}
	const running = leases.filter(({ state, expiresAt }) => state === "leased" && expiresAt > clock.now());
	assert.equal(new Set(running.map(({ mac }) => mac)).size, running.length, "a client has two addresses");
}
