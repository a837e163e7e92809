import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NetbootError } from "../base/index.ts";
import type { ServedInterface } from "../net/index.ts";
import { type FullDhcpQuestion, planFullDhcp } from "./full-dhcp.ts";
import { type NetworkChoice, NetworkSettings } from "./network-settings.ts";
import type { OtherServer } from "./other-servers.ts";
import { memorySettings } from "./testing/settings.ts";

function served(name: string, address: string): ServedInterface {
	const addresses = [{ address, netmask: "255.255.255.0" }];
	return { address, interface: { name, mac: "02:00:00:00:00:01", kind: "wired", addresses, hasDefaultRoute: false } };
}

const ETH0 = served("eth0", "192.0.2.5");
const ETH1 = served("eth1", "10.0.0.1");

function other(address: string, givesAddresses = true): OtherServer {
	return { address, interface: "eth0", lastSeenAt: 0, givesAddresses };
}

function plan(choice: Partial<NetworkChoice>, change: Partial<FullDhcpQuestion> = {}) {
	const { choice: defaults } = new NetworkSettings({}, memorySettings());
	return planFullDhcp({
		choice: { ...defaults, mode: "full", ...choice },
		served: [ETH0, ETH1],
		wayOut: { gateway: "192.0.2.1", resolvers: ["9.9.9.9"] },
		others: () => [],
		standing: new Set(),
		...change,
	});
}

function refusal(...words: Parameters<typeof plan>): NetbootError {
	try {
		plan(...words);
	} catch (error) {
		if (error instanceof NetbootError) return error;
	}
	return assert.fail("it was not refused");
}

describe("full DHCP", () => {
	test("serves each interface where nobody else does, with the router and resolvers of this machine", () => {
		const { subnets, notes } = plan({});
		assert.deepEqual(
			subnets.map(({ interface: name, start, router, dns }) => [name, start, router, dns]),
			[
				["eth0", "192.0.2.100", "192.0.2.1", ["9.9.9.9"]],
				["eth1", "10.0.0.100", undefined, ["9.9.9.9"]],
			],
		);
		assert.deepEqual(notes, []);
	});

	test("leaves an interface to the server that is there, and says so; a proxy there does not matter", () => {
		const others = (address: string) => (address === "192.0.2.5" ? [other("192.0.2.1")] : [other("10.0.0.7", false)]);
		const { subnets, notes } = plan({}, { others });
		assert.deepEqual(
			subnets.map(({ interface: name }) => name),
			["eth1"],
		);
		assert.deepEqual(notes, ["On eth0 the DHCP server 192.0.2.1 gives out addresses: there the server is a proxy."]);
	});

	test("is refused where others are on all of them, or nobody could look", () => {
		const taken = refusal({}, { others: () => [other("192.0.2.1")] });
		assert.equal(taken.code, "conflict");
		assert.match(taken.message, /On eth0 the DHCP server 192\.0\.2\.1 gives out.*On eth1/);
		assert.match(taken.hint ?? "", /proxy mode.*insist/);
		assert.match(refusal({}, { others: () => undefined }).message, /On eth0 it is not known whether/);
	});

	test("goes on where it began, whoever comes later", () => {
		const { subnets } = plan({}, { others: () => [other("192.0.2.1")], standing: new Set(["10.0.0.1"]) });
		assert.deepEqual(
			subnets.map(({ interface: name }) => name),
			["eth1"],
		);
	});

	test("serves them all when a person insists, and only the subnet of a range that was asked for", () => {
		const others = () => [other("192.0.2.1")];
		assert.equal(plan({ insist: true }, { others }).subnets.length, 2);
		const ranges = [{ start: "10.0.0.20", end: "10.0.0.29" }];
		assert.deepEqual(
			plan({ ranges }).subnets.map(({ start }) => start),
			["10.0.0.20"],
		);
		assert.equal(refusal({ ranges: [{ start: "10.9.0.20", end: "10.9.0.29" }] }).code, "invalid-request");
	});

	test("waits without a word where there is no interface yet", () => {
		assert.deepEqual(plan({}, { served: [] }), { subnets: [], notes: [] });
	});
});
