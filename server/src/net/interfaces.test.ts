import assert from "node:assert/strict";
import type { NetworkInterfaceInfo } from "node:os";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ManualClock, silentLogger } from "../base/index.ts";
import {
	chooseInterfaces,
	defaultRouteOf,
	type InterfaceSource,
	listInterfaces,
	watchInterfaces,
} from "./interfaces.ts";
import { parseArpOutput, parseLinuxTable, readNeighbours } from "./neighbours.ts";

function ipv4(address: string, mac: string, internal = false): NetworkInterfaceInfo {
	return { address, netmask: "255.255.255.0", family: "IPv4", mac, internal, cidr: `${address}/24` };
}

const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100A8C0	0003	0	0	600	00000000	0	0	0
wlan0	00000000	0101A8C0	0003	0	0	100	00000000	0	0	0
eth0	0000A8C0	00000000	0001	0	0	600	00FFFFFF	0	0	0
`;

/** A laptop: on Wi-Fi, with a Pi on its cable and a container bridge. */
const laptop: InterfaceSource = {
	platform: "linux",
	addresses: () => ({
		lo: [ipv4("127.0.0.1", "00:00:00:00:00:00", true)],
		eth0: [ipv4("192.168.0.5", "02:00:00:00:00:01")],
		wlan0: [ipv4("192.168.1.5", "02:00:00:00:00:02")],
		docker0: [ipv4("172.17.0.1", "02:00:00:00:00:03")],
		tun0: [],
	}),
	read: async (path) => (path === "/proc/net/route" ? ROUTES : path.endsWith("/type") ? "1\n" : undefined),
	list: async (path) => {
		if (path.endsWith("/wlan0")) return ["device", "wireless", "type"];
		return path.endsWith("/eth0") ? ["device", "type"] : ["type", "bridge"];
	},
	run: async () => "",
};

test("interfaces are told apart, and the default route with the lowest metric is found", async () => {
	const found = await listInterfaces(laptop);
	assert.deepEqual(
		found.map(({ name, kind, hasDefaultRoute }) => [name, kind, hasDefaultRoute]),
		[
			["lo", "loopback", false],
			["eth0", "wired", false],
			["wlan0", "wireless", true],
			["docker0", "virtual", false],
		],
	);
	assert.deepEqual(found[1]?.addresses, [{ address: "192.168.0.5", netmask: "255.255.255.0" }]);
});

test("a machine without a default route", () => {
	assert.equal(defaultRouteOf(""), undefined);
	assert.equal(defaultRouteOf("Iface\tDestination\n"), undefined);
});

test("on macOS the facts come from route and networksetup", async () => {
	const mac: InterfaceSource = {
		...laptop,
		platform: "darwin",
		addresses: () => ({
			en0: [ipv4("192.168.1.5", "02:00:00:00:00:02")],
			en7: [ipv4("192.168.0.5", "02:00:00:00:00:01")],
			utun3: [ipv4("10.0.0.2", "00:00:00:00:00:00")],
		}),
		run: async (program) =>
			program === "route"
				? "   route to: default\n  interface: en0\n      flags: <UP,GATEWAY>\n"
				: "\nHardware Port: Wi-Fi\nDevice: en0\nEthernet Address: a\n\nHardware Port: USB 10/100/1000 LAN\nDevice: en7\n",
	};
	const found = await listInterfaces(mac);
	assert.deepEqual(
		found.map(({ name, kind, hasDefaultRoute }) => [name, kind, hasDefaultRoute]),
		[
			["en0", "wireless", true],
			["en7", "wired", false],
			["utun3", "virtual", false],
		],
	);
});

test("served are the default route's interface and every wired one, or what was asked for", async () => {
	const found = await listInterfaces(laptop);
	const chosen = (wish?: Parameters<typeof chooseInterfaces>[1]): string[] =>
		chooseInterfaces(found, wish).map((served) => `${served.interface.name} ${served.address}`);
	assert.deepEqual(chosen(), ["wlan0 192.168.1.5", "eth0 192.168.0.5"]);
	assert.deepEqual(chosen({ interface: "docker0" }), ["docker0 172.17.0.1"]);
	assert.deepEqual(chosen({ serverIp: "127.0.0.1" }), ["lo 127.0.0.1"]);
	assert.deepEqual(chosen({ interface: "eth0", serverIp: "192.168.1.5" }), []);
});

test("a machine with nothing but loopback serves loopback", async () => {
	const found = (await listInterfaces(laptop)).filter(({ kind }) => kind === "loopback");
	assert.deepEqual(
		chooseInterfaces(found).map(({ address }) => address),
		["127.0.0.1"],
	);
});

test("this very machine can be asked", async () => {
	assert.ok((await listInterfaces()).some(({ kind }) => kind === "loopback"));
	assert.ok((await readNeighbours()).size >= 0);
});

test("a change is told once, and none after the watch was stopped", async () => {
	const clock = new ManualClock();
	const seen: number[] = [];
	let address = "192.168.0.5";
	const source = { ...laptop, addresses: () => ({ eth0: [ipv4(address, "02:00:00:00:00:01")] }) };
	const stop = watchInterfaces({
		known: await listInterfaces(source),
		clock,
		log: silentLogger,
		source,
		onChange: (found) => void seen.push(found.length),
	});
	const look = async (): Promise<void> => {
		clock.advance(5000);
		for (let round = 0; round < 5; round++) await turn();
	};
	await look();
	assert.deepEqual(seen, []);
	address = "192.168.0.6";
	await look();
	await look();
	assert.deepEqual(seen, [1]);
	stop();
	address = "192.168.0.7";
	await look();
	assert.deepEqual(seen, [1]);
});

test("the neighbour table of Linux: only complete entries", () => {
	const table = `IP address       HW type     Flags       HW address            Mask     Device
192.168.0.20     0x1         0x2         DC:a6:32:ec:fc:3c     *        eth0
192.168.0.21     0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.0.22     0x1         0x6         b8:27:eb:00:00:01     *        eth0
`;
	assert.deepEqual(
		[...parseLinuxTable(table)],
		[
			["192.168.0.20", "dc:a6:32:ec:fc:3c"],
			["192.168.0.22", "b8:27:eb:00:00:01"],
		],
	);
});

test("the neighbour table of macOS: leading zeros are put back", () => {
	const text = `? (192.168.0.20) at dc:a6:32:1:2:c on en0 ifscope [ethernet]
? (192.168.0.21) at (incomplete) on en0 ifscope [ethernet]
`;
	assert.deepEqual([...parseArpOutput(text)], [["192.168.0.20", "dc:a6:32:01:02:0c"]]);
});
