import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ipv4FromNumber, ipv4ToNumber } from "../../wire/dhcp/index.ts";
import { type Lease, LeaseBook } from "./lease-book.ts";
import type { Offer } from "./offers.ts";
import type { DhcpSubnet } from "./settings.ts";

const SUBNET: DhcpSubnet = {
	serverAddress: "192.0.2.1",
	interface: "eth0",
	netmask: "255.255.255.0",
	start: "192.0.2.100",
	end: "192.0.2.104",
	router: "192.0.2.102",
	dns: [],
};
const HOUR = 3_600_000;

function macOf(number: number): string {
	return `02:00:00:00:00:${number.toString(16).padStart(2, "0")}`;
}

/** Gives an address for an hour. */
function give(book: LeaseBook, mac: string, now: number, subnet = SUBNET): string | undefined {
	const address = book.choose(mac, subnet, now);
	if (address !== undefined) book.assign({ address, mac, state: "leased", expiresAt: now + HOUR }, subnet);
	return address;
}

function offerOf(address: string, mac: string, expiresAt: number, since = 0): Offer {
	return { address, mac, state: "offered", expiresAt, since, isBinding: false };
}

describe("the choice of an address", () => {
	test("is the same for a client each time, also in another book", () => {
		for (let number = 0; number < 20; number++) {
			assert.equal(new LeaseBook().choose(macOf(number), SUBNET, 0), new LeaseBook().choose(macOf(number), SUBNET, 0));
		}
		const spread = new Set(Array.from({ length: 20 }, (_, number) => new LeaseBook().choose(macOf(number), SUBNET, 0)));
		assert.ok(spread.size > 2, [...spread].join());
	});

	test("stays what was given, when the client is found to have had another one that somebody else was to get", () => {
		const book = new LeaseBook();
		const given = give(book, macOf(1), 0) ?? assert.fail();
		for (const address of ["192.0.2.100", "192.0.2.101", "192.0.2.103", "192.0.2.104"]) {
			if (address !== given) book.block(address, "in-use", macOf(1), HOUR);
		}
		assert.equal(book.choose(macOf(1), SUBNET, 1), given);
		assert.equal(book.of(macOf(1), SUBNET)?.address, given);
	});

	test("gives out all of the range but our own, the router's, the network's and the broadcast address", () => {
		const subnet = {
			...SUBNET,
			netmask: "255.255.255.248",
			serverAddress: "192.0.2.97",
			start: "192.0.2.96",
			end: "192.0.2.103",
		};
		const book = new LeaseBook();
		const given = Array.from({ length: 9 }, (_, number) => give(book, macOf(number), 0, subnet));
		assert.deepEqual(given.filter((address) => address !== undefined).sort(), [
			"192.0.2.100",
			"192.0.2.101",
			"192.0.2.98",
			"192.0.2.99",
		]);
	});

	test("is what the client asks for, if that is free", () => {
		const book = new LeaseBook();
		assert.equal(book.choose(macOf(1), SUBNET, 0, { requested: "192.0.2.104" }), "192.0.2.104");
		book.assign({ address: "192.0.2.104", mac: macOf(9), state: "leased", expiresAt: HOUR }, SUBNET);
		assert.notEqual(book.choose(macOf(1), SUBNET, 0, { requested: "192.0.2.104" }), "192.0.2.104");
		assert.notEqual(book.choose(macOf(1), SUBNET, 0, { requested: "192.0.2.102" }), "192.0.2.102");
		assert.notEqual(book.choose(macOf(1), SUBNET, 0, { requested: "198.51.100.1" }), "198.51.100.1");
	});

	test("leaves a lease that ran out to its client until somebody else needs it; then the oldest goes first", () => {
		const book = new LeaseBook();
		const given = [1, 2, 3, 4].map((number) => give(book, macOf(number), number));
		assert.equal(give(book, macOf(5), 5), undefined);
		const later = HOUR + 5;
		assert.equal(give(book, macOf(3), later), given[2]);
		assert.equal(give(book, macOf(5), later), given[0]);
		assert.equal(give(book, macOf(6), later), given[1]);
		assert.equal(give(book, macOf(1), later), given[3]);
	});

	test("takes what was offered and never taken before what somebody had", () => {
		const book = new LeaseBook();
		const given = [1, 2, 3].map((number) => give(book, macOf(number), 0));
		const offered = book.choose(macOf(4), SUBNET, 0) ?? "";
		book.offer(offerOf(offered, macOf(4), 2 * HOUR), SUBNET);
		assert.equal(give(book, macOf(5), 3 * HOUR), offered);
		assert.ok(!given.includes(offered));
	});

	test("takes an offer that nobody took in time, then one that may be taken, then what somebody was found with", () => {
		const book = new LeaseBook();
		const range = ["192.0.2.100", "192.0.2.101", "192.0.2.103", "192.0.2.104"] as const;
		book.assign({ address: range[0], mac: macOf(1), state: "leased", expiresAt: HOUR }, SUBNET);
		book.block(range[1], "declined", macOf(2), HOUR);
		book.offer(offerOf(range[2], macOf(3), HOUR, 9000), SUBNET);
		book.offer(offerOf(range[3], macOf(4), HOUR, 0), SUBNET);
		const now = 10_000;
		assert.equal(book.choose(macOf(5), SUBNET, now), range[3]);
		assert.equal(book.choose(macOf(5), SUBNET, now, { isForeign: (address) => address === range[3] }), range[2]);
		const offered = (address: string) => address === range[2] || address === range[3];
		assert.equal(book.choose(macOf(5), SUBNET, now, { isForeign: offered }), range[1]);
		assert.equal(book.choose(macOf(2), SUBNET, now, { isForeign: offered }), undefined);
	});

	test("does not give a client what it declined", () => {
		const book = new LeaseBook();
		const address = give(book, macOf(1), 0) ?? "";
		book.block(address, "declined", macOf(1), HOUR);
		assert.notEqual(book.choose(macOf(1), SUBNET, 1), address);
		assert.equal(book.isFreeFor(macOf(1), address, 1), false);
	});
});

/** What may be done with the book, as the keeper does it. */
const step = fc.record({
	act: fc.constantFrom("give", "offer", "bind", "free", "decline", "in-use", "wait"),
	client: fc.integer({ min: 1, max: 8 }),
	amount: fc.integer({ min: 1, max: HOUR }),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A book, and what a disk has of it. */
class Model {
	readonly book = new LeaseBook();
	readonly stored = new Map<string, Lease>();
	now = 0;

	take({ act, client, amount }: Step): void {
		const mac = macOf(client);
		if (act === "wait") this.now += amount;
		else if (act === "give") this.#give(mac, amount);
		else if (act === "offer" || act === "bind") this.#offer(mac, amount, act === "bind");
		else this.#end(mac, act, amount);
		const { put, gone } = this.book.changes();
		for (const address of gone) this.stored.delete(address);
		for (const lease of put) this.stored.set(lease.address, lease);
		check(this.book, this.stored);
	}

	#give(mac: string, amount: number): void {
		const { book, now } = this;
		const address = book.choose(mac, SUBNET, now);
		if (address === undefined) {
			const kept = book.list().filter(({ expiresAt, state }) => expiresAt > now && state !== "offered");
			assert.equal(kept.length, 4, "an address was free");
			return;
		}
		if (book.isFreeFor(mac, address, now))
			book.assign({ address, mac, state: "leased", expiresAt: now + amount }, SUBNET);
	}

	#offer(mac: string, amount: number, isBinding: boolean): void {
		const { book, now } = this;
		const given = book.list().filter(({ state }) => state === "leased" || state === "declined");
		const address = book.choose(mac, SUBNET, now);
		if (address === undefined) return;
		book.offer({ address, mac, state: "offered", expiresAt: now + amount, since: now, isBinding }, SUBNET);
		for (const lease of given)
			if (lease.expiresAt > now) assert.deepEqual(book.own(lease.mac, lease.address) ?? lease, lease);
	}

	#end(mac: string, act: "free" | "decline" | "in-use", amount: number): void {
		const own = this.book.of(mac, SUBNET);
		if (own === undefined) return;
		if ("isBinding" in own) this.book.withdraw(own);
		else if (act === "free") this.book.free(own, this.now);
		else if (act === "decline") this.book.block(own.address, "declined", mac, this.now + amount);
		else this.book.block(own.address, "in-use", "", this.now + amount);
	}
}

test("whatever happens: one address per client, no address for two, none outside of the range, and what is stored is what holds", () => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
			const model = new Model();
			for (const one of steps) model.take(one);
		}),
		{ numRuns: 300 },
	);
});

function check(book: LeaseBook, stored: ReadonlyMap<string, unknown>): void {
	const leases = book.list();
	assert.equal(new Set(leases.map(({ address }) => address)).size, leases.length);
	for (const { address, mac } of leases) {
		const number = ipv4ToNumber(address);
		assert.ok(number >= ipv4ToNumber(SUBNET.start) && number <= ipv4ToNumber(SUBNET.end));
		assert.ok(address !== SUBNET.router && address !== SUBNET.serverAddress);
		const own = leases.filter((lease) => lease.mac === mac && (lease.state === "leased" || lease.state === "released"));
		assert.ok(own.length <= 1, `${mac} has ${own.length} addresses`);
		assert.equal(ipv4FromNumber(number), address);
	}
	for (const lease of leases) if (lease.state !== "offered") assert.deepEqual(stored.get(lease.address), lease);
}
