/** Networks that change under a server that runs: an address that moves, an interface that comes later. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { DeviceList, Health, Network } from "@pi-netboot/api";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";
import { type Serving, Workshop } from "../harness/workshop.ts";

const OTHER_ADDRESS = "10.77.0.2";
const PI4 = { model: "pi4-2026", mac: "e4:5f:01:09:02:f7", serial: "1000000091cdf03d" };
const PI3 = { model: "pi3bp", mac: "b8:27:eb:07:bc:c6", serial: "000000008b07bcc6" };

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let shop: Workshop;

before(async () => {
	if (skip !== false) return;
	shop = await Workshop.open();
	await shop.lab.addHost("pia", { mac: PI4.mac });
	await shop.lab.addHost("pib", { mac: PI3.mac });
});

after(async () => {
	if (skip === false) await shop?.close();
});

const address = (verb: "add" | "del", which: string) =>
	must(shop.lab.on("srv", ["ip", "addr", verb, `${which}/24`, "dev", "srv0"]));

async function served(server: Serving): Promise<string | null> {
	return (await server.api<Network>("GET", "network")).serverIp;
}

const whenServed = (server: Serving, wanted: string | null) =>
	eventually(`the server at ${wanted}`, async () => ((await served(server)) === wanted ? true : undefined));

describe("a server whose address changes", { skip }, () => {
	afterEach(() => shop.stopAll());

	it("boots Pis from the new one, and says which Pi runs from the old one", async () => {
		const server = await shop.serve();
		const before = await powerOn(shop.lab, "pia", PI4);
		assertBooted(before);
		assert.equal(before.serverAddress, SERVER_ADDRESS);
		// In this order: with an address go the others of its subnet that came later.
		await address("del", SERVER_ADDRESS);
		await address("add", OTHER_ADDRESS);
		try {
			await whenServed(server, OTHER_ADDRESS);
			const { devices } = await server.api<DeviceList>("GET", "devices");
			const { code, message, fix } = devices[0]?.diagnosis ?? assert.fail(JSON.stringify(devices));
			assert.equal(code, "server-moved");
			assert.match(message ?? "", /changed from 10\.77\.0\.1 to 10\.77\.0\.2 while this Pi was running/);
			assert.match(fix ?? "", /^Reboot it\./);
			assert.match(server.log(), /runs from 10\.77\.0\.1, and this machine has 10\.77\.0\.2 and no longer has that/);
			for (const [host, pi] of [
				["pib", PI3],
				["pia", PI4],
			] as const) {
				const report = await powerOn(shop.lab, host, pi);
				assertBooted(report);
				assert.equal(report.serverAddress, OTHER_ADDRESS);
				assert.match(report.cmdline ?? "", /nfsroot=10\.77\.0\.2:/);
			}
			const now = await server.api<DeviceList>("GET", "devices");
			assert.deepEqual(
				now.devices.map(({ diagnosis }) => diagnosis?.code),
				[undefined, undefined],
			);
		} finally {
			await address("del", OTHER_ADDRESS);
			await address("add", SERVER_ADDRESS);
		}
	});

	it("starts without one, says what it waits for, and serves it when the cable is plugged in", async () => {
		await must(shop.lab.on("srv", ["ip", "link", "set", "srv0", "down"]));
		try {
			const server = await shop.serve();
			assert.equal(await served(server), null);
			assert.match(server.log(), /no Pi can boot yet: srv0 has no IPv4 address/);
			await must(shop.lab.on("srv", ["ip", "link", "set", "srv0", "up"]));
			await whenServed(server, SERVER_ADDRESS);
			assert.equal((await server.health()).status, "ok");
			assertBooted(await powerOn(shop.lab, "pia", PI4));
			await must(shop.lab.on("srv", ["ip", "link", "set", "srv0", "down"]));
			await whenServed(server, null);
			const { devices } = await server.api<DeviceList>("GET", "devices");
			assert.match(devices[0]?.diagnosis?.message ?? "", /lost its address 10\.77\.0\.1/);
			await must(shop.lab.on("srv", ["ip", "link", "set", "srv0", "up"]));
			await whenServed(server, SERVER_ADDRESS);
			const again = await server.api<DeviceList>("GET", "devices");
			assert.equal(again.devices[0]?.diagnosis, undefined);
		} finally {
			await must(shop.lab.on("srv", ["ip", "link", "set", "srv0", "up"]));
		}
	});
});

describe("the settings of the network", { skip }, () => {
	afterEach(() => shop.stopAll());

	it("change without a restart: off closes the port, a mistake changes nothing, and a start finds them again", async () => {
		const server = await shop.serve([], undefined, []);
		const state = async () => (await server.health()).services.dhcp.state;
		assert.equal((await server.api<Network>("PATCH", "network", { mode: "off" })).mode, "off");
		assert.equal(await state(), "off" satisfies Health["services"]["dhcp"]["state"]);
		const silent = await powerOn(shop.lab, "pia", PI4, { seconds: 6 });
		assert.equal(silent.ok, false);
		for (const wrong of [{ interface: "eth99" }, { serverIp: "192.0.2.1" }, { mode: "proxy", interface: "eth99" }]) {
			const { code, message } = await server.refusal("PATCH", "network", wrong);
			assert.equal(code, "invalid-request", message);
		}
		assert.equal(await state(), "off");
		const refused = await server.refusal("PATCH", "network", { mode: "full" });
		assert.equal(refused.code, "conflict");
		assert.match(refused.sentence, /On srv0 the DHCP server 10\.77\.0\.254 gives out addresses/);
		assert.equal(await state(), "off");
		await server.api<Network>("PATCH", "network", { mode: "proxy", interface: "srv0" });
		assert.equal(await state(), "running");
		assertBooted(await powerOn(shop.lab, "pia", PI4));
		await server.api<Network>("PATCH", "network", { mode: "off" });
		await server.program.stop();
		const again = await shop.serve([], server.data, []);
		const { mode, interface: name, notes } = await again.api<Network>("GET", "network");
		assert.deepEqual([mode, name, notes], ["off", "srv0", []]);
		await again.program.stop();
		const told = await shop.serve([], server.data, ["--dhcp", "proxy"]);
		const network = await told.api<Network>("PATCH", "network", { mode: "off" });
		assert.match(network.notes.join(), /At the next start --dhcp \(or DHCP_MODE\) wins/);
	});
});
