import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock, silentLogger } from "../base/index.ts";
import type { DhcpSettings } from "../boot/index.ts";
import type { LanAnswer } from "../net/index.ts";
import { NetworkControl } from "./network-control.ts";
import { NetworkSettings } from "./network-settings.ts";
import { OtherServers } from "./other-servers.ts";
import { Place } from "./place.ts";
import { ipv4, LO, machine, settled, TWO } from "./testing/machine.ts";
import { memorySettings } from "./testing/settings.ts";

const ROUTER: LanAnswer = {
	kind: "asked",
	offers: [{ server: "192.0.2.1", offered: "192.0.2.40", isBootServer: false }],
};
const NOBODY: LanAnswer = { kind: "asked", offers: [] };

/** The network service of a machine with eth0 and eth1. */
async function started(given: ConstructorParameters<typeof NetworkSettings>[0] = {}) {
	const { state, source } = machine(TWO);
	const clock = new ManualClock();
	const kept = memorySettings();
	const settings = new NetworkSettings(given, kept);
	const configured: DhcpSettings[] = [];
	const lan = { answer: (_address: string): LanAnswer => NOBODY };
	const port = { isOpen: false, refusal: undefined as string | undefined, opened: 0 };
	const seen = { changes: 0 };
	const place = new Place({
		wish: settings.choice,
		isStrict: true,
		clock,
		log: silentLogger,
		source,
		onMove: () => undefined,
		onChange: () => network.replan(),
	});
	const others = new OtherServers({
		clock,
		log: silentLogger,
		ownAddresses: () => place.ownAddresses,
		onAsked: () => undefined,
		ask: async ({ address }) => lan.answer(address),
	});
	const network = new NetworkControl({
		settings,
		place,
		others,
		dhcp: { configure: (wanted) => void configured.push(wanted) },
		leases: () => [],
		port: {
			get isOpen() {
				return port.isOpen;
			},
			async open() {
				port.opened++;
				port.isOpen = port.refusal === undefined;
				return port.refusal;
			},
			async close() {
				port.isOpen = false;
			},
		},
		clock,
		log: silentLogger,
		onChange: () => seen.changes++,
		wayOut: async () => ({ gateway: "192.0.2.1", resolvers: [] }),
	});
	await place.start();
	return {
		network,
		settings,
		kept,
		configured,
		lan,
		port,
		seen,
		state,
		clock,
		place,
		[Symbol.dispose]: () => place.stop(),
	};
}

describe("the start", () => {
	test("as a proxy opens the port and asks nobody", async () => {
		using lab = await started();
		lab.lan.answer = () => assert.fail("asked");
		await lab.network.start();
		assert.deepEqual([lab.network.mode, lab.port.isOpen, lab.configured.length], ["proxy", true, 0]);
	});

	test("with DHCP off leaves the port alone", async () => {
		using lab = await started({ dhcp: "off" });
		await lab.network.start();
		assert.deepEqual([lab.network.mode, lab.port.opened], ["off", 0]);
	});

	test("in full mode beside other servers is a proxy, and says why", async () => {
		using lab = await started({ dhcp: "full" });
		lab.lan.answer = () => ROUTER;
		await lab.network.start();
		const { mode, range, notes } = lab.network.network();
		assert.deepEqual([mode, range, lab.port.isOpen], ["proxy", null, true]);
		assert.match(notes.join(), /the DHCP server 192\.0\.2\.1 gives out addresses/);
		assert.deepEqual(lab.configured.at(-1)?.subnets, []);
	});

	test("in full mode gives out addresses where nobody else does", async () => {
		using lab = await started({ dhcp: "full" });
		lab.lan.answer = (address) => (address === "192.0.2.5" ? ROUTER : NOBODY);
		await lab.network.start();
		assert.deepEqual(
			lab.configured.at(-1)?.subnets.map(({ interface: name }) => name),
			["eth1"],
		);
		assert.deepEqual(lab.network.network().range, { start: "10.1.128.100", end: "10.1.128.200" });
	});
});

describe("a change", () => {
	test("applies at once, is stored, and is told", async () => {
		using lab = await started();
		await lab.network.start();
		const off = await lab.network.change({ mode: "off" });
		assert.deepEqual([off.mode, lab.port.isOpen, lab.kept.get("dhcpMode")], ["off", false, "off"]);
		const range = { start: "10.1.128.10", end: "10.1.128.19" };
		const full = await lab.network.change({ mode: "full", range, leaseSeconds: 120, serveEverybody: true });
		assert.deepEqual([full.mode, full.range, lab.port.isOpen], ["full", range, true]);
		const { leaseSeconds, serveEverybody } = lab.configured.at(-1) ?? assert.fail();
		assert.deepEqual([leaseSeconds, serveEverybody], [120, true]);
		const proxy = await lab.network.change({ mode: "proxy", interface: "eth1" });
		assert.deepEqual([proxy.serverIp, proxy.subnets], ["10.1.128.1", []]);
		assert.deepEqual(lab.configured.at(-1)?.subnets, []);
		assert.ok(lab.seen.changes >= 3);
	});

	test("that is wrong, or fails at the port or the disk, leaves everything as it was", async () => {
		using lab = await started();
		await lab.network.start();
		await lab.network.change({ mode: "off" });
		// What was learnt of others is no change of ours.
		const now = () => JSON.stringify({ ...lab.network.network(), otherDhcpServers: [] });
		const before = now();
		await assert.rejects(lab.network.change({ mode: "proxy", interface: "eth9" }), { code: "invalid-request" });
		await assert.rejects(lab.network.change({ serverIp: "203.0.113.1" }), { code: "invalid-request" });
		const far = { start: "10.9.0.1", end: "10.9.0.9" };
		await assert.rejects(lab.network.change({ mode: "full", range: far }), { code: "invalid-request" });
		lab.lan.answer = () => ROUTER;
		await assert.rejects(lab.network.change({ mode: "full" }), { code: "conflict" });
		lab.port.refusal = "another program has the port";
		await assert.rejects(lab.network.change({ mode: "proxy" }), (error: Error) => {
			assert.match(error.message, /Nothing was changed: another program has the port/);
			return true;
		});
		lab.port.refusal = undefined;
		lab.kept.fails = true;
		await assert.rejects(lab.network.change({ mode: "proxy" }), /disk is full/);
		assert.deepEqual([now(), lab.port.isOpen], [before, false]);
	});

	test("to full mode beside another server needs insisting, which is remembered", async () => {
		using lab = await started();
		await lab.network.start();
		lab.lan.answer = () => ROUTER;
		const { mode, insist } = await lab.network.change({ mode: "full", insist: true });
		assert.deepEqual([mode, insist, lab.kept.get("dhcpInsist")], ["full", true, true]);
	});

	test("that nobody confirms is taken back, and was never stored", async () => {
		using lab = await started();
		await lab.network.start();
		const range = { start: "10.1.128.10", end: "10.1.128.19" };
		const wanted = { mode: "full", interface: "eth1", range, confirmWithin: 30 } as const;
		const { mode, unconfirmedUntil } = await lab.network.change(wanted);
		assert.deepEqual([mode, unconfirmedUntil, lab.kept.get("dhcpMode")], ["full", lab.clock.now() + 30_000, undefined]);
		lab.clock.advance(29_000);
		await settled();
		assert.equal(lab.network.mode, "full");
		lab.clock.advance(1000);
		await settled();
		const after = lab.network.network();
		assert.deepEqual([after.mode, after.interface, after.unconfirmedUntil], ["proxy", "eth0", null]);
		assert.deepEqual([lab.configured.at(-1)?.subnets, lab.port.isOpen], [[], true]);
		await assert.rejects(lab.network.confirm(), { code: "conflict", message: /waits to be confirmed/ });
	});

	test("that is taken back gives DHCP back as it was: closed, or full", async () => {
		using lab = await started();
		await lab.network.start();
		for (const [before, wanted] of [
			["off", "proxy"],
			["full", "off"],
		] as const) {
			await lab.network.change({ mode: before });
			await lab.network.change({ mode: wanted, confirmWithin: 5 });
			lab.clock.advance(5000);
			await settled();
			assert.deepEqual(
				[lab.network.mode, lab.port.isOpen, lab.kept.get("dhcpMode")],
				[before, before !== "off", before],
			);
		}
		assert.equal(lab.configured.at(-1)?.subnets.length, 2);
	});

	test("that is confirmed is stored with those before it, and stays", async () => {
		using lab = await started();
		await lab.network.start();
		await lab.network.change({ leaseSeconds: 300, confirmWithin: 10 });
		lab.clock.advance(9000);
		await lab.network.change({ mode: "off", confirmWithin: 10 });
		lab.clock.advance(9000);
		await settled();
		assert.equal((await lab.network.confirm()).unconfirmedUntil, null);
		assert.equal((await lab.network.confirm()).mode, "off", "whoever did not hear the answer asks again");
		lab.clock.advance(60_000);
		await settled();
		assert.deepEqual(
			[lab.network.mode, lab.kept.get("dhcpMode"), lab.kept.get("dhcpLeaseSeconds")],
			["off", "off", 300],
		);
		await lab.network.change({ mode: "proxy", confirmWithin: 10 });
		await lab.network.change({ serveEverybody: true });
		assert.equal(lab.kept.get("dhcpMode"), "proxy", "a change that needs no confirmation confirms those before");
	});

	test("that cannot be stored when it is confirmed is taken back in time", async () => {
		using lab = await started();
		await lab.network.start();
		await lab.network.change({ mode: "off", confirmWithin: 10 });
		lab.kept.fails = true;
		await assert.rejects(lab.network.confirm(), /disk is full/);
		lab.clock.advance(10_000);
		await settled();
		assert.deepEqual([lab.network.mode, lab.port.isOpen], ["proxy", true]);
	});

	test("comes after the one before it", async () => {
		using lab = await started();
		await lab.network.start();
		const modes = ["off", "proxy", "off"] as const;
		const all = await Promise.all(modes.map((mode) => lab.network.change({ mode })));
		assert.deepEqual(
			all.map(({ mode }) => mode),
			modes,
		);
		assert.equal(lab.port.isOpen, false);
	});
});

describe("full mode", () => {
	test("goes with an address that changes, and is a proxy's where nobody has looked yet", async () => {
		using lab = await started({ dhcp: "full" });
		await lab.network.start();
		const subnets = () => lab.configured.at(-1)?.subnets.map(({ serverAddress }) => serverAddress);
		assert.deepEqual(subnets(), ["192.0.2.5", "10.1.128.1"]);
		lab.state.addresses = { ...LO, eth0: ipv4("192.0.2.5", "255.255.255.0"), eth1: ipv4("10.8.0.1", "255.255.255.0") };
		lab.clock.advance(2000);
		await settled();
		assert.deepEqual(subnets(), ["192.0.2.5"]);
		assert.match(lab.network.network().notes.join(), /On eth1 it is not known whether another DHCP server/);
	});
});
