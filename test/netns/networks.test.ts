/** Two networks at one server, and a network behind a relay. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { DeviceList, Network } from "@pi-netboot/api";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { ROUTER_ADDRESS, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { assertBooted, type PiReport, powerOn, type VirtualPi } from "../harness/virtual-pi.ts";
import { Workshop } from "../harness/workshop.ts";

const SECOND_ADDRESS = "10.78.0.1";
const SECOND_ROUTER = "10.78.0.254";
const PIS = {
	pia: { model: "pi4-2026", mac: "e4:5f:01:09:02:f7", serial: "1000000091cdf03d" },
	pib: { model: "pi5-2026", mac: "88:a2:9e:11:4e:cc", serial: "d7bd1a077bf18f79" },
	pic: { model: "pi3bp", mac: "b8:27:eb:07:bc:c6", serial: "000000008b07bcc6" },
} as const satisfies Record<string, VirtualPi>;

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let shop: Workshop;

before(async () => {
	if (skip === false) shop = await Workshop.open();
});

after(async () => {
	if (skip === false) await shop?.close();
});

afterEach(() => shop.stopAll());

/** The sentences about OFFERs that the firmware took note of. */
function offers({ steps }: PiReport): string[] {
	return steps.map(({ detail }) => detail).filter((detail) => detail.startsWith("OFFER from "));
}

function power(host: keyof typeof PIS, seconds = 60): Promise<PiReport> {
	return powerOn(shop.lab, host, PIS[host], { seconds });
}

describe("a server with a cable in each of two networks", { skip }, () => {
	let second: Router;

	before(async () => {
		const { lab } = shop;
		await lab.addSwitch("br1");
		await lab.addCable("srv", "srv1", { mac: "02:00:00:00:01:01", address: `${SECOND_ADDRESS}/24`, bridge: "br1" });
		await lab.addHost("rt2", { mac: "02:00:00:00:01:fe", address: `${SECOND_ROUTER}/24`, bridge: "br1" });
		second = await Router.start(lab, { at: { host: "rt2", device: "rt20", address: SECOND_ROUTER } });
		await lab.addHost("pia", { mac: PIS.pia.mac });
		await lab.addHost("pib", { mac: PIS.pib.mac, bridge: "br1" });
	});

	after(async () => {
		await second?.stop();
		for (const host of ["pia", "pib", "rt2"]) await shop.lab.removeHost(host);
		await must(shop.lab.on("srv", ["ip", "link", "del", "srv1"]));
	});

	it("boots a Pi in each at the same time, and neither hears of the other's network", async () => {
		const server = await shop.serve([], undefined, []);
		const [here, there] = await Promise.all([power("pia"), power("pib")]);
		for (const [report, own, foreign] of [
			[here, "10.77.0.", "10.78.0."],
			[there, "10.78.0.", "10.77.0."],
		] as const) {
			assertBooted(report);
			assert.ok(report.address?.startsWith(own) && report.serverAddress === `${own}1`, JSON.stringify(report));
			assert.match(report.cmdline ?? "", new RegExp(`nfsroot=${own}1:`));
			const told = offers(report);
			assert.ok(
				told.some((offer) => offer.includes(`TFTP server ${own}1`)),
				told.join(),
			);
			assert.ok(!told.some((offer) => offer.includes(foreign)), told.join());
		}
		const { interfaces } = await server.api<Network>("GET", "network");
		assert.deepEqual(interfaces.map(({ name }) => name).sort(), ["lo", "srv0", "srv1"]);
	});

	it("gives out addresses where nobody else does, and is a proxy beside the router", async () => {
		await second.stop();
		const server = await shop.serve([], undefined, ["--dhcp", "full"]);
		const network = await server.api<Network>("GET", "network");
		assert.equal(network.mode, "full");
		assert.deepEqual(
			network.subnets.map(({ interface: name, start }) => [name, start]),
			[["srv1", "10.78.0.100"]],
		);
		assert.match(network.notes.join(), /On srv0 the DHCP server 10\.77\.0\.254 gives out addresses: there .* proxy/);
		const [here, there] = await Promise.all([power("pia"), power("pib")]);
		assertBooted(here);
		assertBooted(there);
		assert.match(there.address ?? "", /^10\.78\.0\.(1\d\d|200)$/);
		assert.ok(
			offers(here).some((offer) => offer.includes(`from ${ROUTER_ADDRESS}: address`)),
			offers(here).join(),
		);
		assert.ok(!offers(here).some((offer) => offer.includes(`from ${SERVER_ADDRESS}: address`)), offers(here).join());
	});
});

describe("full mode beside a router", { skip }, () => {
	it("is refused with its address, and the server is a proxy, until somebody insists", async () => {
		await shop.lab.addHost("pia", { mac: PIS.pia.mac });
		const server = await shop.serve([], undefined, ["--interface", "srv0", "--dhcp", "full"]);
		assert.match(server.log(), /DHCP is a proxy, not full as asked for\..*the DHCP server 10\.77\.0\.254 gives out/);
		const { mode, notes, range } = await server.api<Network>("GET", "network");
		assert.deepEqual([mode, range], ["proxy", null]);
		assert.match(notes.join(), /Two DHCP servers in one network/);
		assert.equal((await server.health()).services.dhcp.state, "running");
		const doctor = await server.command("doctor", "--interface", "srv0", "--dhcp", "full", "--images", shop.images);
		assert.match(doctor.stdout, /srv0: DHCP servers that answer: 10\.77\.0\.254; this server is a proxy there, though/);
		assertBooted(await power("pia"));
		const range2 = { start: "10.77.0.20", end: "10.77.0.29" };
		const insisted = await server.api<Network>("PATCH", "network", { mode: "full", insist: true, range: range2 });
		assert.deepEqual([insisted.mode, insisted.range], ["full", range2], JSON.stringify(insisted));
		const report = await power("pia");
		assertBooted(report);
		assert.ok(
			offers(report).some((offer) => /from 10\.77\.0\.1: address 10\.77\.0\.2\d/.test(offer)),
			offers(report).join(),
		);
		// No address is left for the next one: it has the router's, and is told where to boot from.
		const only = { start: report.address ?? "", end: report.address ?? "" };
		await server.api("PATCH", "network", { range: only });
		await shop.lab.addHost("pib", { mac: PIS.pib.mac });
		const next = await power("pib");
		assertBooted(next);
		assert.ok(!offers(next).some((offer) => offer.includes(`from ${SERVER_ADDRESS}: address`)), offers(next).join());
		assert.match(server.log(), new RegExp(`no address is left for ${PIS.pib.mac}`));
		await shop.lab.removeHost("pib");
		await shop.lab.removeHost("pia");
	});
});

describe("a network behind a relay", { skip }, () => {
	const FAR_ROUTER = "10.77.20.254";
	const DHCP_SERVER = "10.77.0.253";
	let dhcp: Router;
	let relay: Router;

	before(async () => {
		const { lab } = shop;
		await lab.addSwitch("br2");
		await lab.addCable("rtr", "rtr2", { mac: "02:00:00:00:02:fe", address: `${FAR_ROUTER}/24`, bridge: "br2" });
		await must(lab.on("rtr", ["sysctl", "-q", "net.ipv4.ip_forward=1"]));
		await lab.addHost("dhs", { mac: "02:00:00:00:00:fd", address: `${DHCP_SERVER}/24` });
		for (const host of ["srv", "dhs"]) {
			await must(lab.on(host, ["ip", "route", "add", "10.77.20.0/24", "via", ROUTER_ADDRESS]));
		}
		const at = { host: "dhs", device: "dhs0", address: DHCP_SERVER, subnet: "10.77.20" };
		dhcp = await Router.start(lab, { at });
		const far = { host: "rtr", device: "rtr2", address: FAR_ROUTER };
		relay = await Router.start(lab, { at: far, relayTo: [DHCP_SERVER, SERVER_ADDRESS] });
		await lab.addHost("pia", { mac: PIS.pia.mac, bridge: "br2" });
		await lab.addHost("pic", { mac: PIS.pic.mac, bridge: "br2" });
	});

	after(async () => {
		await relay?.stop();
		await dhcp?.stop();
	});

	it("boots a Pi 4: its address is known from its own REQUEST, not from the neighbour table", async () => {
		const server = await shop.serve();
		const report = await power("pia");
		assertBooted(report);
		assert.match(report.address ?? "", /^10\.77\.20\./);
		assert.equal(report.serverAddress, SERVER_ADDRESS);
		const neighbours = await must(shop.lab.on("srv", ["ip", "neigh", "show", "dev", "srv0"]));
		assert.ok(!neighbours.includes(`${report.address} `), neighbours);
		const [device] = (await server.api<DeviceList>("GET", "devices")).devices;
		assert.deepEqual([device?.mac, device?.ip, device?.stage], [PIS.pia.mac, report.address, "userspace"]);
	});

	it("does not boot a Pi 3, which takes the relay for the server, and the page says so", async () => {
		const server = await shop.serve();
		const report = await power("pic", 12);
		assert.equal(report.ok, false);
		assert.deepEqual(report.files, []);
		const message = await eventually("the diagnosis", async () => {
			const [device] = (await server.api<DeviceList>("GET", "devices")).devices;
			return device?.diagnosis?.code === "relayed-pi3" ? device.diagnosis.message : undefined;
		});
		assert.match(message, /behind the DHCP relay 10\.77\.20\.254/);
	});
});
