/**
 * A stranger on a LAN where we give out the addresses wants them all: a Pi that had one keeps it, and one that nobody knew gets one as
 * long as the stranger only asks.
 */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import type { BootAttemptList, DeviceList, Network } from "@pi-netboot/api";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { assertBooted, type PiReport, powerOn } from "../harness/virtual-pi.ts";
import { type Aftermath, Battlefield, NEWCOMER, PI_3B, VICTIM } from "./hostile/battlefield.ts";

const RANGE = "10.77.0.100-10.77.0.140";
const ADDRESSES_IN_RANGE = 41;
/** Megabytes that an attack may make the server grow by. */
const GROWTH = 150;

const skip = await lacks(["ip", "curl", ...IMAGE_PROGRAMS]);
let field: Battlefield;
let address = "";

before(async () => {
	if (skip !== false) return;
	field = await Battlefield.open({ hasRouter: false, flags: ["--dhcp", "full", "--dhcp-range", RANGE] });
	const report = await powerOn(field.lab, "pi", VICTIM);
	assertBooted(report);
	address = report.address ?? "";
});

after(async () => {
	if (skip === false) await field?.close();
});

async function network(): Promise<Network> {
	return (await field.server.api("GET", "/api/v1/network")) as Network;
}

async function check(
	context: TestContext,
	{ counts, before, peak, lines, mostLines, faults, pi }: Aftermath,
): Promise<void> {
	const { leases } = await network();
	const { devices } = (await field.server.api("GET", "/api/v1/devices")) as DeviceList;
	context.diagnostic(
		`${JSON.stringify(counts)}: ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most, ${lines} lines logged, ${leases.length} leases, ${devices.length} devices, the Pi booted in ${pi.steps.at(-1)?.atMs} ms`,
	);
	assert.ok(peak - before < GROWTH, `from ${before} to ${peak} MB`);
	assert.ok(lines < mostLines, `${lines} lines logged:\n${field.server.log.slice(-3000)}`);
	assert.deepEqual(faults, []);
	assert.ok(leases.length <= ADDRESSES_IN_RANGE, `${leases.length} leases`);
	assert.ok(devices.length < 300, `${devices.length} devices`);
	assert.equal(leases.find(({ mac }) => mac === VICTIM.mac)?.address, address);
}

function assertOwnAddress(pi: PiReport): void {
	assert.match(pi.address ?? "", /^10\.77\.0\.1[0-4]\d$/);
	assert.notEqual(pi.address, address);
}

describe("a stranger who wants all addresses", { skip }, () => {
	const attack = (count: number, mode: string) => () => field.attack("dhcp-flood.ts", count, VICTIM.mac, address, mode);

	it("and asks for them, has others' declined and released, takes none from a Pi that had one", async (context) => {
		const aftermath = await field.under(attack(10_000, "leases"));
		await check(context, aftermath);
		assert.equal(aftermath.pi.address, address);
		const { devices } = (await field.server.api("GET", "/api/v1/devices")) as DeviceList;
		const victim = devices.find(({ mac }) => mac === VICTIM.mac);
		assert.deepEqual([victim?.id, victim?.model, victim?.bootCount], ["91cdf03d", "pi4", 2]);
	});

	// It sends no REQUEST, and others are offered the same address: it has it from its first request for a file on.
	it(`and asks for them, leaves one for a ${NEWCOMER.model} that nobody knew`, async (context) => {
		const aftermath = await field.underWith("new", NEWCOMER, attack(2000, "leases"));
		await check(context, aftermath);
		assertOwnAddress(aftermath.pi);
		// What was asked for before it said its serial is known to be its own, too.
		const url = `/api/v1/devices/${NEWCOMER.serial.slice(-8)}/attempts`;
		const { attempts } = (await field.server.api("GET", url)) as BootAttemptList;
		assert.equal(attempts[0]?.files[0]?.path, "bootcode.bin");
	});

	// A ROM asks five times, and among thousands of others who nobody knows either it may have no luck.
	it(`and has asked for them, leaves one for a ${PI_3B.model} that nobody knew`, async (context) => {
		const counts = await field.end(await attack(2000, "leases")());
		const aftermath = await field.underWith("rom", PI_3B);
		await check(context, { ...aftermath, counts });
		assertOwnAddress(aftermath.pi);
	});

	it("and takes them, takes none from a Pi that had one", async (context) => {
		const aftermath = await field.under(attack(3000, "takes"));
		await check(context, aftermath);
		assert.equal(aftermath.pi.address, address);
		assert.ok((aftermath.counts.taken ?? 0) > ADDRESSES_IN_RANGE, JSON.stringify(aftermath.counts));
	});
});
