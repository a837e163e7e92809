import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NetworkSettings } from "./network-settings.ts";
import { memorySettings } from "./testing/settings.ts";

describe("the settings of the network", () => {
	test("are those of the start, else what was stored, else the defaults", () => {
		const kept = memorySettings({ dhcpMode: "off", interface: "eth1", dhcpRouter: null, dhcpLeaseSeconds: 600 });
		const { choice } = new NetworkSettings({ dhcp: "proxy", dhcpDns: null }, kept);
		assert.deepEqual(choice, {
			mode: "proxy",
			interface: "eth1",
			serverIp: undefined,
			ranges: undefined,
			router: null,
			dns: null,
			leaseSeconds: 600,
			serveEverybody: false,
			insist: false,
		});
	});

	test("change one by one; null takes a wish back, none and an empty list are answers", async () => {
		const kept = memorySettings();
		const settings = new NetworkSettings({ interface: "eth0" }, kept);
		const range = { start: "10.0.0.10", end: "10.0.0.20" };
		const changes = { mode: "full", range, router: "none", dns: [], interface: null, leaseSeconds: 300 } as const;
		const choice = settings.with({ ...changes, dns: [] });
		await settings.keep({ ...changes, dns: [] }, choice);
		const { choice: again } = new NetworkSettings({}, kept);
		assert.deepEqual(again, choice);
		assert.deepEqual(
			[again.mode, again.ranges, again.router, again.dns, again.interface, again.leaseSeconds],
			["full", [range], null, null, undefined, 300],
		);
		const back = settings.with({ range: null, router: null, dns: null });
		assert.deepEqual([back.ranges, back.router, back.dns], [undefined, undefined, undefined]);
	});

	test("say which flag will win over what was set", async () => {
		const kept = memorySettings();
		const settings = new NetworkSettings({ dhcp: "proxy", dhcpLease: 600 }, kept);
		assert.deepEqual(settings.overruled, []);
		const changes = { mode: "off", leaseSeconds: 600 } as const;
		await settings.keep(changes, settings.with(changes));
		assert.deepEqual(settings.overruled, ["At the next start --dhcp (or DHCP_MODE) wins over what was set here."]);
		const other = new NetworkSettings({ dhcp: "proxy" }, kept);
		assert.equal(other.choice.mode, "proxy");
		assert.deepEqual(other.overruled, []);
	});

	test("that cannot be stored do not hold", async () => {
		const kept = memorySettings();
		kept.fails = true;
		const settings = new NetworkSettings({}, kept);
		await assert.rejects(settings.keep({ mode: "off" }, settings.with({ mode: "off" })), /disk is full/);
		assert.equal(settings.choice.mode, "proxy");
	});
});
