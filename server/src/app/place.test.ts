import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pino } from "pino";
import { ManualClock } from "../base/index.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import { Place, type PlaceWish } from "./place.ts";
import { ipv4, LO, machine, settled, TWO } from "./testing/machine.ts";

async function started(addresses: typeof LO, wish: PlaceWish = {}, isStrict = true) {
	const { state, source } = machine(addresses);
	const clock = new ManualClock();
	const lines: string[] = [];
	const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
	const moves: (readonly string[])[] = [];
	let changes = 0;
	const place = new Place({
		wish,
		isStrict,
		clock,
		log,
		onChange: () => changes++,
		onMove: () => moves.push(place.addresses),
		source,
	});
	await place.start();
	await settled();
	const look = async (now?: typeof LO) => {
		if (now !== undefined) state.addresses = now;
		clock.advance(2000);
		await settled();
	};
	return { place, state, look, lines, moves, changes: () => changes, [Symbol.dispose]: () => place.stop() };
}

describe("the interface", () => {
	test("that was asked for is the only one", async () => {
		using lab = await started(TWO, { interface: "eth1" });
		assert.deepEqual(lab.place.addresses, ["10.1.128.1"]);
		const { interface: name, serverIp } = lab.place.network([]);
		assert.deepEqual([name, serverIp], ["eth1", "10.1.128.1"]);
		assert.ok(lab.place.isNear("10.1.255.254"));
		assert.ok(!lab.place.isNear("10.1.127.254"));
		assert.ok(!lab.place.isNear("192.0.2.5"));
		assert.ok(!lab.place.isNear("no address"));
	});

	test("that is not there is said, with those that are", async () => {
		for (const wish of [
			{ interface: "eth7" },
			{ serverIp: "192.0.2.9" },
			{ interface: "eth1", serverIp: "192.0.2.5" },
		]) {
			await assert.rejects(started(TWO, wish), (error: unknown) => {
				assert.ok(error instanceof Error && "hint" in error);
				assert.match(error.message, /eth7|192\.0\.2\./);
				assert.match(String(error.hint), /eth0 \(192\.0\.2\.5\).*eth1/);
				return true;
			});
		}
	});

	test("that is loopback serves virtual Pis, and says so", async () => {
		using lab = await started(TWO, { interface: "lo" });
		assert.match(lab.lines.at(-1) ?? "", /^serves lo \(127\.0\.0\.1\): virtual Pis of this machine alone$/);
	});

	test("that was stored, and is not there, is waited for", async () => {
		using lab = await started(TWO, { interface: "eth7" }, false);
		assert.deepEqual(lab.place.addresses, []);
		assert.match(lab.lines.join("\n"), /no Pi can boot yet: eth7 has no IPv4 address/);
		await lab.look({ ...TWO, eth7: ipv4("198.51.100.1", "255.255.255.0") });
		assert.deepEqual(lab.moves, [["198.51.100.1"]]);
	});

	test("that has no address yet is served as soon as it has one", async () => {
		using lab = await started({ ...LO }, { interface: "eth0" });
		assert.deepEqual(lab.place.addresses, []);
		assert.equal(lab.place.mainAddress, "127.0.0.1");
		await lab.look({ ...LO, eth0: ipv4("192.0.2.5", "255.255.255.0") });
		assert.deepEqual(lab.moves, [["192.0.2.5"]]);
		assert.match(lab.lines.at(-1) ?? "", /^serves eth0 \(192\.0\.2\.5\)$/);
	});

	test("whose address changes is followed, once; loopback does not count", async () => {
		using lab = await started(TWO);
		await lab.look({ ...TWO, eth0: ipv4("192.0.2.6", "255.255.255.0") });
		assert.deepEqual(
			lab.moves.map((addresses) => [...addresses].sort()),
			[["10.1.128.1", "192.0.2.6"]],
		);
		await lab.look();
		assert.equal(lab.moves.length, 1);
		await lab.look({ ...LO });
		assert.deepEqual(lab.place.addresses, []);
		assert.match(lab.lines.at(-1) ?? "", /no Pi can boot yet: no interface of this machine has an IPv4 address/);
		assert.equal(lab.changes(), 2);
	});

	test("of loopback alone is served for virtual Pis", async () => {
		using lab = await started({ ...LO }, { serverIp: "127.0.0.1" });
		assert.deepEqual(lab.place.addresses, []);
		assert.equal(lab.place.mainAddress, "127.0.0.1");
	});
});

describe("an interface with two addresses", () => {
	const both = {
		...LO,
		eth0: [
			...ipv4("169.254.7.7", "255.255.0.0"),
			...ipv4("10.0.0.1", "255.255.255.0"),
			...ipv4("192.0.2.5", "255.255.255.0"),
		],
	};

	test("is served from the first that somebody gave it, and asked at all of them", async () => {
		using lab = await started(both);
		assert.deepEqual(lab.place.addresses, ["10.0.0.1"]);
		assert.deepEqual(lab.place.askedAddresses, ["169.254.7.7", "10.0.0.1", "192.0.2.5"]);
	});

	test("is served from where its DHCP server is, as soon as that is known", async () => {
		using lab = await started(both);
		lab.place.sawDhcpServers(["192.0.2.1"]);
		assert.deepEqual([lab.place.addresses, lab.moves], [["192.0.2.5"], [["192.0.2.5"]]]);
		lab.place.sawDhcpServers([]);
		assert.deepEqual(lab.place.addresses, ["10.0.0.1"]);
	});

	test("is served from the one that a person named alone", async () => {
		using lab = await started(both, { serverIp: "192.0.2.5" });
		lab.place.sawDhcpServers(["10.0.0.254"]);
		assert.deepEqual([lab.place.addresses, lab.place.askedAddresses], [["192.0.2.5"], ["192.0.2.5"]]);
	});
});

describe("another wish", () => {
	test("is met at once", async () => {
		using lab = await started(TWO, { interface: "eth1" });
		await lab.place.check({ interface: "eth0" });
		lab.place.want({ interface: "eth0" });
		assert.deepEqual([lab.place.addresses, lab.moves], [["192.0.2.5"], [["192.0.2.5"]]]);
		await assert.rejects(lab.place.check({ interface: "eth9" }), { code: "no-interface" });
	});
});

describe("the MAC behind an address", () => {
	const table = (address: string, mac: string) =>
		`IP address HW type Flags HW address Mask Device\n${address} 0x1 0x2 ${mac} * eth0\n`;

	test("comes from the neighbour table, which is read again for those who are not in it", async () => {
		const { state, source } = machine(TWO);
		const clock = new ManualClock();
		const neighbours = new Neighbourhood(clock, source);
		state.files.set("/proc/net/arp", table("192.0.2.20", "DC:A6:32:00:00:01"));
		clock.advance(10);
		assert.equal(await neighbours.macOf("192.0.2.20"), "dc:a6:32:00:00:01");
		assert.equal(await neighbours.macOf("192.0.2.21"), undefined);
		state.files.set("/proc/net/arp", table("192.0.2.21", "dc:a6:32:00:00:02"));
		clock.advance(10);
		assert.equal(await neighbours.macOf("192.0.2.21"), "dc:a6:32:00:00:02");
	});
});
