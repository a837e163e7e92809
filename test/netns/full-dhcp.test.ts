/**
 * A network without a router: the server gives out the addresses itself. Virtual Pis boot, and real DHCP clients with their
 * MAC addresses get the same address as their firmware did.
 */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Lease, Network } from "@pi-netboot/api";
import { LeaseBook } from "../../server/src/boot/leases/lease-book.ts";
import { bootLab } from "../harness/boot-lab.ts";
import { Background, must, run } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { type Lab, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import type { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { assertBooted, powerOn, story, type VirtualPi } from "../harness/virtual-pi.ts";

const RANGE = { start: "10.77.0.100", end: "10.77.0.140" };
const FAR_RANGE = "10.79.0.10-10.79.0.20/24";
const IPCONFIG = "/usr/lib/klibc/bin/ipconfig";
const MOUTH = fileURLToPath(new URL("dhcp-mouth.ts", import.meta.url));
const QUESTION = fileURLToPath(new URL("dhcp-question.ts", import.meta.url));

interface Machine extends VirtualPi {
	readonly host: string;
}

const PI_3B_PLUS: Machine = { host: "pia", model: "pi3bp", mac: "b8:27:eb:07:bc:c6", serial: "8b07bcc6" };
const PI_4: Machine = { host: "pib", model: "pi4-2026", mac: "e4:5f:01:09:02:f7", serial: "91cdf03d" };
const PI_5: Machine = { host: "pic", model: "pi5-2026", mac: "88:a2:9e:11:4e:cc", serial: "7bf18f79" };
/** Their ROMs all use the same xid, and look at nothing else. */
const PI_3BS: readonly Machine[] = Array.from({ length: 12 }, (_, index) => {
	const number = (0x40 + index).toString(16);
	return { host: `b${index}`, model: "pi3b", mac: `b8:27:eb:ef:56:${number}`, serial: `a2ef56${number}` };
});

const skip = await lacks(["ip", "curl", "dhclient", "udhcpc", "dhcrelay", IPCONFIG, ...IMAGE_PROGRAMS]);
let folder = "";
let lab: Lab;
let server: Server;

const room = bootLab(skip, async (made) => {
	({ lab, folder } = made);
	makeSmallImage(made.images, folder, { kernelBytes: 400_000, forAllModels: true });
	for (const { host, mac } of [PI_3B_PLUS, PI_4, PI_5, ...PI_3BS]) await lab.addHost(host, { mac });
	const flags = ["--dhcp", "full", "--dhcp-range", `${RANGE.start}-${RANGE.end},${FAR_RANGE}`, "--dhcp-lease", "10m"];
	server = await made.serve({ images: ["small"], flags });
});

async function leases(): Promise<readonly Lease[]> {
	return (await server.api<Network>("GET", "/api/v1/network")).leases;
}

async function leaseOf(mac: string): Promise<Lease | undefined> {
	return (await leases()).find((lease) => lease.mac === mac);
}

/** A script for a DHCP client that does no more than to set the address: those of the system would change the machine. */
function clientScript(name: string, address: string): string {
	const path = join(folder, name);
	writeFileSync(path, `#!/bin/sh\n[ -z "${address}" ] || ip addr replace "${address}/24" dev $interface\nexit 0\n`);
	chmodSync(path, 0o755);
	return path;
}

/** A message from a client, as hex: its type, its `ciaddr`, and further options. */
function messageOf(mac: string, type: number, ciaddr: string, options = ""): string {
	const head = `0101060051990001${"00".repeat(4)}${quad(ciaddr)}${"00".repeat(12)}${mac.replaceAll(":", "")}`;
	return `${head}${"00".repeat(202)}6382536335010${type}${options}ff`;
}

function quad(address: string): string {
	return Buffer.from(address.split(".").map(Number)).toString("hex");
}

function optionCodes(options: Buffer): number[] {
	const codes: number[] = [];
	for (let at = 0; options[at] !== 255; at += 2 + (options[at + 1] ?? 0)) codes.push(options[at] ?? 255);
	return codes;
}

async function withoutAddress({ host }: Machine): Promise<void> {
	await run(lab.on(host, ["ip", "addr", "flush", "dev", `${host}0`]));
}

/** dhclient starts again with the lease that it wrote down (INIT-REBOOT), and then does not reach us alone (REBINDING). */
async function keepsItByItsOwnFile(words: readonly string[], address: string): Promise<void> {
	const { host, mac } = PI_3B_PLUS;
	const neighbour = ["neigh", "replace", SERVER_ADDRESS, "lladdr", "02:00:00:00:00:99", "dev", `${host}0`];
	await must(["ip", "-n", lab.host(host), ...neighbour, "nud", "permanent"]);
	const client = new Background(lab.on(host, [...words, "-d", `${host}0`]));
	const broadcast = `DHCPREQUEST for ${address} on ${host}0 to 255.255.255.255`;
	await client.waitFor(new RegExp(`${broadcast}[\\s\\S]*bound to ${address} --`), 20_000);
	assert.ok(!client.output.includes("DHCPDISCOVER"), client.output);
	const before = (await leaseOf(mac))?.expiresAt ?? 0;
	const alone = `DHCPREQUEST for ${address} on ${host}0 to ${SERVER_ADDRESS}`;
	await client.waitFor(new RegExp(`${alone}[\\s\\S]*${broadcast}[\\s\\S]*bound to ${address} --`), 20_000);
	assert.ok(((await leaseOf(mac))?.expiresAt ?? 0) > before);
	await client.stop("SIGKILL");
	await must(["ip", "-n", lab.host(host), "neigh", "del", SERVER_ADDRESS, "dev", `${host}0`]);
}

describe("full DHCP", { skip }, () => {
	const given = new Map<string, string>();

	it("boots virtual Pis, each with an address of the range", async () => {
		for (const pi of [PI_3B_PLUS, PI_4, PI_5]) {
			const report = await powerOn(lab, pi.host, pi);
			assertBooted(report);
			assert.match(report.address ?? "", /^10\.77\.0\.1[0-4]\d$/);
			assert.equal((await leaseOf(pi.mac))?.address, report.address);
			given.set(pi.mac, report.address ?? "");
		}
		assert.equal(new Set(given.values()).size, 3);
	});

	it("boots twelve Pi 3Bs at the same moment, each with an address of its own from the first OFFER on", async () => {
		const reports = await Promise.all(PI_3BS.map((pi) => powerOn(lab, pi.host, pi)));
		const addresses = reports.map((report) => {
			assertBooted(report);
			const offered = report.steps.flatMap(({ detail }) => /OFFER from \S+: address (\S+)/.exec(detail)?.[1] ?? []);
			assert.deepEqual([...new Set(offered)], [report.address], story(report));
			return report.address;
		});
		assert.equal(new Set(addresses).size, PI_3BS.length);
	});

	it("gives klibc's ipconfig the address that the firmware had", async () => {
		// It takes the name that comes with the address for the machine's own.
		const client = ["unshare", "--uts", IPCONFIG, "-t", "10", "-c", "dhcp", "-d", `${PI_4.host}0`];
		const output = await must(lab.on(PI_4.host, client));
		assert.ok(output.includes(`address: ${given.get(PI_4.mac)}`), output);
	});

	it("answers an INFORM to the address that it comes from, without a lease", async () => {
		const address = given.get(PI_4.mac) ?? "";
		const before = await leases();
		const inform = messageOf(PI_4.mac, 8, address, "37020106");
		const output = await must(lab.on(PI_4.host, [process.execPath, QUESTION, address, SERVER_ADDRESS, inform]));
		const [, answer = ""] = new RegExp(`^from ${SERVER_ADDRESS}: (.*)`).exec(output) ?? assert.fail(output);
		assert.equal(answer.slice(24, 40), `${quad(address)}00000000`, "ciaddr and yiaddr");
		const codes = optionCodes(Buffer.from(answer.slice(480), "hex"));
		assert.match(answer.slice(480), /^350105/);
		assert.ok(codes.includes(1) && !codes.includes(51), codes.join());
		assert.deepEqual(await leases(), before);
		await withoutAddress(PI_4);
	});

	it("gives udhcpc the address that the firmware had, and renews it", async () => {
		const script = clientScript("udhcpc-script", "$ip");
		const client = new Background(lab.on(PI_5.host, ["udhcpc", "-f", "-i", `${PI_5.host}0`, "-s", script]));
		const [, address] = await client.waitFor(/lease of (\S+) obtained/, 20_000);
		assert.equal(address, given.get(PI_5.mac));
		const before = (await leaseOf(PI_5.mac))?.expiresAt ?? 0;
		client.process.kill("SIGUSR1");
		await eventually("the renewal", async () =>
			((await leaseOf(PI_5.mac))?.expiresAt ?? 0) > before ? true : undefined,
		);
		await client.stop();
		await withoutAddress(PI_5);
	});

	it("gives dhclient the address that the firmware had, whatever identifier it sends, and takes it back", async () => {
		const { host, mac } = PI_3B_PLUS;
		writeFileSync(
			join(folder, "conf"),
			// Renews after two seconds, and asks everybody after four.
			'initial-interval 1;\nsupersede dhcp-renewal-time 2;\nsupersede dhcp-rebinding-time 4;\nsend dhcp-client-identifier ff:01:02:03:04:00:02:ab:cd;\nsend host-name "mine";\n',
		);
		const files = ["-cf", join(folder, "conf"), "-lf", join(folder, "leases"), "-pf", join(folder, "pid")];
		const script = clientScript("dhclient-script", "$new_ip_address");
		const words = ["dhclient", "-4", "-sf", script, ...files];
		const client = new Background(lab.on(host, [...words, "-1", "-d", `${host}0`]));
		const [, address] = await client.waitFor(/bound to (\S+) --/, 20_000);
		assert.equal(address, given.get(mac));
		await client.stop("SIGKILL");
		await keepsItByItsOwnFile(words, address ?? "");
		await run(lab.on(host, [...words, "-r", `${host}0`]), { timeout: 20_000 });
		await eventually("the release", async () => ((await leaseOf(mac))?.state === "released" ? true : undefined));
		await withoutAddress(PI_3B_PLUS);
	});

	it("refuses dhclient the address of another network that it had, and gives it its own", async () => {
		const { host, mac } = PI_3B_PLUS;
		const end = "2 2038/01/12 00:00:00";
		writeFileSync(
			join(folder, "leases"),
			`lease {\n  interface "${host}0";\n  fixed-address 192.168.9.9;\n  option subnet-mask 255.255.255.0;\n` +
				`  option dhcp-lease-time 600;\n  option dhcp-server-identifier 192.168.9.1;\n` +
				`  renew ${end};\n  rebind ${end};\n  expire ${end};\n}\n`,
		);
		const files = ["-cf", join(folder, "conf"), "-lf", join(folder, "leases"), "-pf", join(folder, "pid")];
		const script = clientScript("dhclient-script", "$new_ip_address");
		const client = new Background(lab.on(host, ["dhclient", "-4", "-sf", script, ...files, "-1", "-d", `${host}0`]));
		const [told] = await client.waitFor(
			/DHCPREQUEST for 192\.168\.9\.9[\s\S]*DHCPNAK from[\s\S]*bound to (\S+) --/,
			20_000,
		);
		assert.ok(told.endsWith(`bound to ${given.get(mac)} --`), told);
		await client.stop("SIGKILL");
		await withoutAddress(PI_3B_PLUS);
	});

	it("gives udhcpc its own address, whichever one it asks for", async () => {
		const words = ["udhcpc", "-f", "-q", "-n", "-r", given.get(PI_4.mac) ?? "", "-s", "/bin/true"];
		const { stderr, stdout } = await run(lab.on(PI_5.host, [...words, "-i", `${PI_5.host}0`]), { timeout: 20_000 });
		assert.ok(`${stderr}${stdout}`.includes(`lease of ${given.get(PI_5.mac)} obtained`), `${stderr}${stdout}`);
	});

	it("leaves a machine alone that is no Raspberry Pi", async () => {
		await lab.addHost("pc", { mac: "02:00:5e:00:53:31" });
		const asked = await run(
			lab.on("pc", ["udhcpc", "-n", "-q", "-f", "-t", "2", "-T", "1", "-i", "pc0", "-s", "/bin/true"]),
		);
		assert.notEqual(asked.status, 0, asked.stderr);
		await lab.removeHost("pc");
	});

	it("remembers after a kill", async () => {
		const known = await leases();
		server = await room().killServer();
		await server.waitForImage("small");
		assert.deepEqual(await leases(), known);
		const report = await powerOn(lab, PI_4.host, PI_4);
		assertBooted(report);
		assert.equal(report.address, given.get(PI_4.mac));
	});

	it("does not give out what somebody has, and says who", async () => {
		const subnet = { serverAddress: SERVER_ADDRESS, interface: "srv0", netmask: "255.255.255.0", ...RANGE, dns: [] };
		const taken = new Set((await leases()).map(({ address }) => address));
		const wanted = Array.from({ length: 50 }, (_, number) => `dc:a6:32:00:01:${String(number + 10)}`)
			.map((mac) => ({ mac, address: new LeaseBook().choose(mac, subnet, 0) ?? "" }))
			.find(({ address }) => !taken.has(address));
		assert.ok(wanted);
		const squatter = "02:00:5e:00:53:32";
		await lab.addHost("squat", { mac: squatter, address: `${wanted.address}/24` });
		await lab.addHost("pig", { mac: wanted.mac });
		const report = await powerOn(lab, "pig", { model: "pi4-2021", mac: wanted.mac, serial: "e0000001" });
		assertBooted(report);
		assert.notEqual(report.address, wanted.address);
		assert.ok(server.log.includes(`${wanted.address} is not given out: ${squatter} has it already`), server.log);
	});

	it("keeps an address out of use that was declined", async () => {
		const { mac, host } = PI_5;
		const address = given.get(mac) ?? "";
		const decline = messageOf(mac, 4, "0.0.0.0", `3204${quad(address)}3604${quad(SERVER_ADDRESS)}`);
		await must(["ip", "-n", lab.host(host), "route", "add", "default", "dev", `${host}0`]);
		await must(lab.on(host, [process.execPath, MOUTH, decline]));
		await must(["ip", "-n", lab.host(host), "route", "del", "default"]);
		await server.waitForLog(new RegExp(`${mac} declined ${address.replaceAll(".", "\\.")}`), 5000);
		const report = await powerOn(lab, host, PI_5);
		assertBooted(report);
		assert.notEqual(report.address, address);
	});

	it("gives addresses of its subnet behind a relay", async () => {
		// The router has a leg in a far network, and nothing but a relay on it.
		const rtr = lab.host("rtr");
		await lab.addHost("far", { mac: "dc:a6:32:00:02:01" });
		await must(["ip", "-n", lab.name, "link", "add", "br1", "type", "bridge", "forward_delay", "0"]);
		await must(["ip", "-n", lab.name, "link", "set", "br1", "up"]);
		await must(["ip", "-n", lab.name, "link", "add", "leg", "type", "veth", "peer", "name", "rtr1", "netns", rtr]);
		await must(["ip", "-n", lab.name, "link", "set", "leg", "master", "br1", "up"]);
		const [port] =
			/v\d+(?=@)/.exec(
				(await must(["ip", "-n", lab.name, "link"])).split("\n").findLast((line) => /: v\d+@/.test(line)) ?? "",
			) ?? [];
		assert.ok(port);
		await must(["ip", "-n", lab.name, "link", "set", port, "master", "br1"]);
		await must(["ip", "-n", rtr, "addr", "add", "10.79.0.1/24", "brd", "+", "dev", "rtr1"]);
		await must(["ip", "-n", rtr, "link", "set", "rtr1", "up"]);
		await must(["ip", "-n", lab.host("srv"), "route", "add", "10.79.0.0/24", "via", "10.77.0.254"]);
		const relay = new Background(
			lab.on("rtr", ["dhcrelay", "-4", "-d", "-a", "-id", "rtr1", "-iu", "rtr0", SERVER_ADDRESS]),
		);
		await relay.waitFor(/Sending on/, 5000);
		const client = ["udhcpc", "-f", "-q", "-n", "-i", "far0", "-s", clientScript("far-script", "$ip")];
		const output = await run(lab.on("far", client), { timeout: 20_000 });
		await relay.stop();
		assert.match(
			output.stderr + output.stdout,
			/lease of 10\.79\.0\.(1\d|20) obtained/,
			`${relay.output}\n${server.log}`,
		);
	});
});
