import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pino } from "pino";
import { ManualClock, silentLogger } from "../base/index.ts";
import type { InterfaceSource } from "../net/index.ts";
import { networkService, Place } from "./place.ts";

type Addresses = ReturnType<InterfaceSource["addresses"]>;

function ipv4(address: string, netmask: string, internal = false) {
	const mac = internal ? "00:00:00:00:00:00" : "02:00:00:00:00:01";
	return [{ address, netmask, family: "IPv4" as const, mac, internal, cidr: null }];
}

const LO: Addresses = { lo: ipv4("127.0.0.1", "255.0.0.0", true) };
const TWO: Addresses = {
	...LO,
	eth0: ipv4("192.0.2.5", "255.255.255.0"),
	eth1: ipv4("10.1.128.1", "255.255.128.0"),
};

/** A machine whose addresses and files a test decides. */
function machine(addresses: Addresses) {
	const files = new Map<string, string>([
		["/sys/class/net/eth0/type", "1\n"],
		["/sys/class/net/eth1/type", "1\n"],
		["/proc/net/route", "Iface\tDestination\neth0\t00000000\t0102000C\t0003\t0\t0\t100\t00000000\n"],
	]);
	const state = { addresses, files };
	const source: InterfaceSource = {
		platform: "linux",
		addresses: () => state.addresses,
		read: async (path) => files.get(path),
		list: async (path) => (/\/eth\d$/.test(path) ? ["device", "type"] : []),
		run: async () => assert.fail("no program is run on Linux"),
	};
	return { state, source };
}

/** Lets what waits for the machine's answers end. */
async function settled(): Promise<void> {
	for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function started(addresses: Addresses, wish: { interface?: string; serverIp?: string } = {}) {
	const { state, source } = machine(addresses);
	const clock = new ManualClock();
	const lines: string[] = [];
	const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
	const changes: number[] = [];
	const place = new Place({ dhcp: "proxy", ...wish }, clock, log, () => changes.push(clock.now()), source);
	await place.start();
	await settled();
	return { place, state, clock, lines, changes, [Symbol.dispose]: () => place.stop() };
}

describe("our address for a client", () => {
	test("is the one in its subnet, whatever comes first; the main one for those that are far", async () => {
		using lab = await started(TWO);
		assert.deepEqual(new Set(lab.place.addresses), new Set(["192.0.2.5", "10.1.128.1"]));
		assert.equal(lab.place.addressFor("192.0.2.200"), "192.0.2.5");
		assert.equal(lab.place.addressFor("10.1.255.254"), "10.1.128.1");
		assert.equal(lab.place.addressFor("10.1.127.254"), lab.place.mainAddress);
		assert.equal(lab.place.addressFor("203.0.113.9"), lab.place.mainAddress);
		assert.equal(lab.place.addressFor("no address"), lab.place.mainAddress);
	});

	test("on loopback is loopback", async () => {
		using lab = await started(TWO);
		assert.equal(lab.place.addressFor("127.0.0.9"), "127.0.0.1");
	});
});

describe("the interface", () => {
	test("that was asked for is the only one", async () => {
		using lab = await started(TWO, { interface: "eth1" });
		assert.deepEqual(lab.place.addresses, ["10.1.128.1"]);
		const network = networkService(lab.place).network();
		assert.deepEqual([(await network).interface, (await network).serverIp], ["eth1", "10.1.128.1"]);
	});

	test("that is not there is said, with those that are", async () => {
		await assert.rejects(started(TWO, { interface: "eth7" }), (error: unknown) => {
			assert.ok(error instanceof Error && "hint" in error);
			assert.match(error.message, /eth7/);
			assert.match(String(error.hint), /eth0 \(192\.0\.2\.5\).*eth1/);
			return true;
		});
	});

	test("whose address changes is told, once, with what to do; loopback does not count", async () => {
		using lab = await started(TWO);
		lab.state.addresses = { ...TWO, lo: ipv4("127.0.0.2", "255.0.0.0", true) };
		lab.clock.advance(5000);
		await settled();
		assert.equal(lab.changes.length, 1);
		assert.doesNotMatch(lab.lines.join("\n"), /restart/);
		lab.state.addresses = { ...LO, eth0: ipv4("192.0.2.6", "255.255.255.0") };
		lab.clock.advance(5000);
		await settled();
		assert.match(lab.lines.at(-1) ?? "", /changed to 192\.0\.2\.6.*restart/);
		lab.clock.advance(5000);
		await settled();
		assert.equal(lab.changes.length, 2);
	});

	test("of loopback alone is served without a word about changes, and nobody is asked for DHCP servers", async () => {
		using lab = await started(LO, { serverIp: "127.0.0.1" });
		assert.deepEqual(lab.place.addresses, []);
		lab.place.askAgainAndAgain();
		await settled();
		assert.equal(lab.place.otherDhcpServers, undefined);
		lab.state.addresses = { ...LO, eth0: ipv4("192.0.2.6", "255.255.255.0") };
		lab.clock.advance(5000);
		await settled();
		assert.doesNotMatch(lab.lines.join("\n"), /restart/);
	});
});

describe("the MAC behind an address", () => {
	const table = (address: string, mac: string) =>
		`IP address HW type Flags HW address Mask Device\n${address} 0x1 0x2 ${mac} * eth0\n`;

	test("comes from the neighbour table, which is read again for those who are not in it", async () => {
		using lab = await started(TWO);
		lab.state.files.set("/proc/net/arp", table("192.0.2.20", "DC:A6:32:00:00:01"));
		lab.clock.advance(10);
		assert.equal(await lab.place.macOf("192.0.2.20"), "dc:a6:32:00:00:01");
		assert.equal(await lab.place.macOf("192.0.2.21"), undefined);
		lab.state.files.set("/proc/net/arp", table("192.0.2.21", "dc:a6:32:00:00:02"));
		lab.clock.advance(10);
		assert.equal(await lab.place.macOf("192.0.2.21"), "dc:a6:32:00:00:02");
	});
});

test("the settings of the network cannot be changed while it runs, and the page is told how", async () => {
	const { source } = machine(TWO);
	const place = new Place({ dhcp: "proxy" }, new ManualClock(), silentLogger, () => undefined, source);
	assert.throws(() => networkService(place).change({}), { code: "conflict" });
});
