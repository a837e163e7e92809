/**
 * A stranger on the LAN does its worst to a server that runs: whatever it is, the server's memory, its file descriptors and its
 * log stay bounded, and a Pi that is switched on meanwhile boots within the patience of its firmware.
 */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import type { DeviceList } from "@pi-netboot/api";
import { eventually } from "../harness/eventually.ts";
import { fetchCmdline } from "../harness/export.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";
import { ADDRESSES, type Aftermath, Battlefield, NEWCOMER, VICTIM, VICTIM_ADDRESS } from "./hostile/battlefield.ts";

/** Megabytes that an attack may make the server grow by; measured are 5 to 140. */
const GROWTH = 200;
/** Megabytes that are left of all of them: what was needed once is kept for the next time. */
const LEFT = 300;
/** Lines that an attack may make the server log, those of the honest Pi among them. */
const LINES = 400;
const RAIDER = { mac: "e4:5f:01:66:66:66", address: "10.77.0.200", serial: "66666666" };

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let field: Battlefield;
let descriptors = 0;
let memory = 0;

before(async () => {
	if (skip !== false) return;
	field = await Battlefield.open();
	assertBooted(await powerOn(field.lab, "pi", VICTIM));
	descriptors = field.descriptors;
	memory = field.memory;
});

after(async () => {
	if (skip === false) await field?.close();
});

function check(context: TestContext, { counts, before, peak, lines, pi }: Aftermath): void {
	const took = pi.steps.at(-1)?.atMs ?? 0;
	context.diagnostic(
		`${JSON.stringify(counts)}: ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most, ${lines} lines logged, the Pi booted in ${took} ms`,
	);
	assert.ok(peak - before < GROWTH, `from ${before} to ${peak} MB`);
	assert.ok(lines < LINES, `${lines} lines logged:\n${field.server.log.slice(-3000)}`);
	assert.equal(pi.address, VICTIM_ADDRESS);
}

const BOOT_FILE = "91cdf03d/kernel8.img";

describe("a Pi boots while a stranger", { skip }, () => {
	it("sends 10,000 DHCP messages of machines that are not there", async (context) => {
		check(context, await field.under(() => field.attack("dhcp-flood", 10_000, VICTIM.mac, VICTIM_ADDRESS)));
		const { devices } = (await field.server.api("GET", "/api/v1/devices")) as DeviceList;
		assert.ok(devices.length < 300, `${devices.length} devices`);
		const victim = devices.find(({ mac }) => mac === VICTIM.mac);
		assert.deepEqual([victim?.id, victim?.model, victim?.bootCount], ["91cdf03d", "pi4", 2]);
	});

	it("begins 2,000 TFTP transfers from one address and acknowledges nothing", async (context) => {
		check(context, await field.under(() => field.attack("tftp-flood", 2000, 1, BOOT_FILE, "silent")));
	});

	it("begins 2,000 TFTP transfers from many addresses and acknowledges nothing, or one block", async (context) => {
		check(
			context,
			await field.under(
				() => field.attack("tftp-flood", 2000, ADDRESSES, BOOT_FILE, "silent"),
				() => field.attack("tftp-flood", 500, ADDRESSES, BOOT_FILE, "slow"),
			),
		);
	});

	it("asks for 5,000 files that are not there, and for one again and again from one port", async (context) => {
		check(
			context,
			await field.under(
				() => field.attack("tftp-flood", 5000, ADDRESSES, BOOT_FILE, "missing"),
				() => field.attack("tftp-flood", 2000, 1, BOOT_FILE, "repeat"),
			),
		);
	});

	it("sends 20,000 datagrams without sense to every port", async (context) => {
		check(context, await field.under(() => field.attack("datagrams", 20_000, 67, 69, 111, 2049)));
	});

	for (const mode of ["garbage", "lengths", "fragments", "empty", "arguments"]) {
		it(`sends the NFS server and the portmapper nonsense over 100 connections: ${mode}`, async (context) => {
			check(
				context,
				await field.under(
					() => field.attack("connections", 2049, 50, ADDRESSES, mode),
					() => field.attack("connections", 111, 50, ADDRESSES, mode),
				),
			);
		});
	}

	it("opens 3,000 connections to the NFS server and says nothing", async (context) => {
		check(context, await field.under(() => field.attack("connections", 2049, 3000, ADDRESSES, "idle")));
	});

	it("opens and closes 5,000 connections", async (context) => {
		check(
			context,
			await field.under(
				() => field.attack("connections", 2049, 2500, ADDRESSES, "storm"),
				() => field.attack("connections", 38434, 2500, ADDRESSES, "storm"),
			),
		);
	});

	it("sends over 600 connections all of a call of 1 MiB but its last byte", async (context) => {
		check(context, await field.under(() => field.attack("connections", 2049, 600, ADDRESSES, "half")));
	});

	it("makes calls over 300 connections and reads no reply", async (context) => {
		check(context, await field.under(() => field.attack("connections", 2049, 300, ADDRESSES, "unread")));
	});

	it("tries paths to mount, a new one each time", async (context) => {
		check(context, await field.under(() => field.attack("connections", 2049, 200, ADDRESSES, "mounts")));
	});

	it("begins requests of HTTP that never end, listens, and guesses tokens", async (context) => {
		const http = (count: number, mode: string) => () => field.attack("connections", 38434, count, ADDRESSES, mode);
		check(
			context,
			await field.under(http(300, "headers"), http(20, "bodies"), http(20, "logins"), http(300, "listeners")),
		);
	});

	it("is another Pi, which asks for a million times a megabyte and reads nothing", async (context) => {
		const { exportPath } = await fetchCmdline(field.lab, RAIDER);
		await field.lab.addHost("raid", { mac: RAIDER.mac });
		await field.giveAddresses("raid", 200, 20);
		check(
			context,
			await field.under(() => field.attackFrom("raid", 200, "slow-reader", exportPath, "usr/share/big", 400, 20)),
		);
	});
});

describe("when the stranger is gone", { skip }, () => {
	it("nothing is left of it", async (context) => {
		await eventually("the descriptors", () => (field.descriptors < descriptors + 40 ? true : undefined), 60_000);
		context.diagnostic(`${field.memory.toFixed(0)} MB, ${field.descriptors} descriptors (${descriptors} at first)`);
		assert.ok(field.memory - memory < LEFT, `from ${memory} to ${field.memory} MB`);
	});

	it("a Pi that nobody knew boots, and the one that was there is what it was", async () => {
		assertBooted(await powerOn(field.lab, "new", NEWCOMER));
		const { devices } = (await field.server.api("GET", "/api/v1/devices")) as DeviceList;
		const known = devices.filter(({ bootCount }) => bootCount > 0).map(({ id, model }) => [id, model]);
		assert.deepEqual(
			known.sort(),
			[
				["2a120007", "pi3bp"],
				["66666666", null],
				["91cdf03d", "pi4"],
			].sort(),
		);
	});
});
