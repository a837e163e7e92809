import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NetbootError } from "../../base/index.ts";
import { type DhcpPlace, planSubnets } from "./settings.ts";

const HOME: DhcpPlace = {
	interface: "eth0",
	address: "192.168.1.2",
	netmask: "255.255.255.0",
	gateway: "192.168.1.1",
	resolvers: ["127.0.0.53", "192.168.1.1"],
};
const CABLE: DhcpPlace = { ...HOME, interface: "eth1", address: "10.0.0.1", netmask: "255.255.255.248" };

function refusal(...words: Parameters<typeof planSubnets>): NetbootError {
	try {
		planSubnets(...words);
	} catch (error) {
		if (error instanceof NetbootError) return error;
	}
	return assert.fail("it was not refused");
}

describe("the subnets of full DHCP", () => {
	test("have the contract's range, the machine's own router where it is near, and no resolver on loopback", () => {
		assert.deepEqual(planSubnets([HOME, CABLE]), [
			{
				serverAddress: "192.168.1.2",
				interface: "eth0",
				netmask: "255.255.255.0",
				start: "192.168.1.100",
				end: "192.168.1.200",
				router: "192.168.1.1",
				dns: ["192.168.1.1"],
			},
			{
				serverAddress: "10.0.0.1",
				interface: "eth1",
				netmask: "255.255.255.248",
				start: "10.0.0.4",
				end: "10.0.0.6",
				router: undefined,
				dns: ["192.168.1.1"],
			},
		]);
	});

	test("begin at .100 of the first 256 in a large one, and are none where there is no room", () => {
		const [large] = planSubnets([{ ...HOME, address: "172.16.9.9", netmask: "255.255.0.0" }]);
		assert.deepEqual([large?.start, large?.end], ["172.16.0.100", "172.16.0.200"]);
		assert.deepEqual(planSubnets([{ ...HOME, netmask: "255.255.255.252" }]), []);
		assert.deepEqual(planSubnets([{ ...HOME, address: "127.0.0.1", netmask: "255.0.0.0" }]), []);
	});

	test("that were asked for leave the other interfaces alone", () => {
		const wish = { ranges: [{ start: "10.0.0.2", end: "10.0.0.3" }], router: null, dns: ["9.9.9.9"] };
		const [only, ...more] = planSubnets([HOME, CABLE], wish);
		assert.deepEqual(more, []);
		assert.deepEqual(
			[only?.interface, only?.start, only?.router, only?.dns],
			["eth1", "10.0.0.2", undefined, ["9.9.9.9"]],
		);
	});

	test("behind a relay have the relay for a router", () => {
		const wish = { ranges: [{ start: "10.5.0.10", end: "10.5.0.99", prefix: 24 }] };
		const [here, behind] = planSubnets([HOME], wish);
		assert.equal(here?.start, "192.168.1.100");
		assert.deepEqual(
			[behind?.serverAddress, behind?.netmask, behind?.router],
			["192.168.1.2", "255.255.255.0", undefined],
		);
	});

	test("are refused where two ranges are in one network", () => {
		const near = { start: "192.168.1.10", end: "192.168.1.19" };
		for (const other of [
			{ start: "192.168.1.30", end: "192.168.1.39" },
			{ start: "192.168.1.30", end: "192.168.1.39", prefix: 24 },
			{ start: "192.168.77.1", end: "192.168.77.9", prefix: 16 },
		]) {
			assert.match(refusal([HOME], { ranges: [near, other] }).message, /are in one network, which can have but one/);
		}
	});

	test("refuse a range or a router that is nowhere, with what there is", () => {
		const range = refusal([HOME], { ranges: [{ start: "192.168.1.250", end: "192.168.2.5" }] });
		assert.equal(range.code, "invalid-request");
		assert.match(range.message, /192\.168\.1\.250-192\.168\.2\.5 is in none of the subnets/);
		assert.match(range.hint ?? "", /192\.168\.1\.1 to 192\.168\.1\.254 on eth0/);
		const backwards = refusal([HOME], { ranges: [{ start: "192.168.9.1", end: "192.168.1.200" }] });
		assert.equal(backwards.message, "The first address, 192.168.9.1, comes after the last one, 192.168.1.200.");
		assert.match(refusal([HOME], { router: "10.9.9.9" }).message, /The router 10\.9\.9\.9 is in none/);
		assert.match(
			refusal([HOME], { ranges: [{ start: "10.5.0.10", end: "10.6.0.99", prefix: 24 }] }).message,
			/does not fit a subnet of 24 bits/,
		);
	});
});
