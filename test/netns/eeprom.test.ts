/** What the owner of a Pi set in its EEPROM: other names for the files, and no DHCP at all. And a Pi with a second address. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Device, DeviceList } from "@pi-netboot/api";
import { Background, must } from "../harness/command.ts";
import { ROUTER_ADDRESS, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { assertBooted, type PiReport, powerOn, type VirtualPi } from "../harness/virtual-pi.ts";
import { type Serving, Workshop } from "../harness/workshop.ts";

const CLIENT = fileURLToPath(new URL("unfinished-client.ts", import.meta.url));

interface Set extends VirtualPi {
	readonly host: string;
	readonly flags: readonly string[];
	/** What stands before the names that it asks for. */
	readonly prefix: string;
}

const CASES: readonly Set[] = [
	{
		host: "pia",
		model: "pi4-2026",
		mac: "e4:5f:01:09:02:f7",
		serial: "1000000091cdf03d",
		flags: ["--tftp-prefix", "string:bench/left/"],
		prefix: "bench/left/",
	},
	{
		host: "pib",
		model: "pi5-2026",
		mac: "88:a2:9e:11:4e:cc",
		serial: "d7bd1a077bf18f79",
		flags: ["--tftp-prefix", "mac"],
		prefix: "88-a2-9e-11-4e-cc/",
	},
	{
		host: "pic",
		model: "pi4-2021",
		mac: "dc:a6:32:ec:fc:3c",
		serial: "10000000e0ff06da",
		flags: ["--tftp-prefix", "none"],
		prefix: "",
	},
	{
		host: "pid",
		model: "pi5-2026",
		mac: "2c:cf:67:00:00:09",
		serial: "10000000aa00bb09",
		flags: [
			...["--client-ip", "10.77.0.20", "--subnet", "255.255.255.0", "--gateway", ROUTER_ADDRESS],
			...["--tftp-ip", SERVER_ADDRESS],
		],
		prefix: "aa00bb09/",
	},
];

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let shop: Workshop;
let server: Serving;

before(async () => {
	if (skip !== false) return;
	shop = await Workshop.open();
	for (const { host, mac } of CASES) await shop.lab.addHost(host, { mac });
	server = await shop.serve();
});

after(async () => {
	if (skip === false) await shop?.close();
});

async function deviceOf({ mac }: VirtualPi): Promise<Device> {
	const { devices } = await server.api<DeviceList>("GET", "devices");
	return devices.find((device) => device.mac === mac) ?? assert.fail(JSON.stringify(devices));
}

describe("a Pi whose EEPROM was set", { skip }, () => {
	const reports = new Map<string, PiReport>();

	before(async () => {
		const boots = CASES.map(async (pi) => {
			reports.set(pi.host, await powerOn(shop.lab, pi.host, pi, { flags: pi.flags }));
		});
		await Promise.all(boots);
	});

	for (const pi of CASES) {
		it(`boots with ${pi.flags.join(" ")}`, async () => {
			const report = reports.get(pi.host) ?? assert.fail();
			assertBooted(report);
			const cmdline = report.files.find((name) => name.endsWith("cmdline.txt")) ?? "";
			assert.ok(cmdline.startsWith(pi.prefix), cmdline);
			const { id, stage, bootCount } = await deviceOf(pi);
			assert.deepEqual([id, stage, bootCount], [pi.serial.slice(-8), "userspace", 1]);
		});
	}

	it("without DHCP is known by its files and the neighbour table alone", async () => {
		const [, , , pi] = CASES;
		const report = reports.get("pid");
		assert.ok(pi && report);
		const first = report.steps.findIndex(({ detail }) => detail.includes("config.txt"));
		assert.ok(first >= 0, JSON.stringify(report.steps));
		const before = report.steps.slice(0, first).map(({ detail }) => detail);
		assert.ok(!before.some((detail) => detail.startsWith("DISCOVER")), before.join());
		assert.equal((await deviceOf(pi)).model, "pi5");
	});
});

describe("a Pi that has another address than its firmware", { skip }, () => {
	it("mounts its root from there: the neighbour table says whose the address is", async () => {
		const [pi] = CASES;
		assert.ok(pi);
		const report = await powerOn(shop.lab, pi.host, pi, { flags: ["--firmware-only"] });
		assertBooted(report);
		const path = /nfsroot=[\d.]+:([^,]+),/.exec(report.cmdline ?? "")?.[1] ?? assert.fail(report.cmdline);
		await must(shop.lab.on(pi.host, ["ip", "addr", "add", "10.77.0.33/24", "dev", `${pi.host}0`]));
		const words = [process.execPath, CLIENT, SERVER_ADDRESS, "91cdf03d/kernel8.img", path];
		const client = new Background(shop.lab.on(pi.host, words));
		shop.keep(client);
		await client.waitFor(/^open$/m, 10_000);
		assert.match(server.log(), /mounts its root \(persistent\) from 10\.77\.0\.33/);
		const { ip, stage } = await deviceOf(pi);
		assert.deepEqual([ip, stage], ["10.77.0.33", "root"]);
	});
});
