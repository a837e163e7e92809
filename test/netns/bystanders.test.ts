/**
 * Who is no Pi that wants to boot gets no answer. Everything that we broadcast to DHCP clients is heard by an ear on the
 * switch; behind each bystander a Pi asks, and its OFFER must be all that is heard.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bootLab } from "../harness/boot-lab.ts";
import { Background, must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { type Lab, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import type { Router } from "../harness/router.ts";
import type { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { BYSTANDERS, piDiscover } from "./dhcp-frames.ts";

const program = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** The ROM of Debian's ipxe-qemu: iPXE as the boot ROM of a network card, in a PC with a BIOS. */
const IPXE_ROM = "/usr/lib/ipxe/qemu/pxe-e1000.rom";

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let folder = "";
let lab: Lab;
let router: Router;
let server: Server;
let ear: Background;
/** The xids of the Pi that asks behind each bystander. */
const controls: string[] = [];

after(() => ear?.stop());
bootLab(skip, async (room) => {
	({ lab, folder } = room);
	makeSmallImage(room.images, folder, { kernelBytes: 10_000 });
	router = await room.startRouter();
	await lab.addHost("ear", { mac: "02:00:5e:00:53:01", address: "10.77.0.9/24" });
	await lab.addHost("mouth", { mac: "02:00:5e:00:53:02" });
	// what a client without an address broadcasts needs a way out, too
	await must(["ip", "-n", lab.host("mouth"), "route", "add", "default", "dev", "mouth0"]);
	server = await room.serve({ images: ["small"], logLevel: "debug" });
	ear = new Background(lab.on("ear", [process.execPath, program("dhcp-ear.ts")]));
	await ear.waitFor(/listening/, 10_000);
});

/** What was heard from us, in lines of the ear. */
const heardFromUs = () => ear.output.split("\n").filter((line) => line.startsWith(`from ${SERVER_ADDRESS} `));

/** Broadcasts the messages, and a Pi's DISCOVER behind them; gives what was heard from us until its OFFER. */
async function heardAfter(...messages: readonly Buffer[]): Promise<string[]> {
	const before = heardFromUs().length;
	const xid = (0x52000000 + controls.length).toString(16);
	controls.push(xid);
	const hex = [...messages, piDiscover(xid).bytes].map((bytes) => bytes.toString("hex"));
	await must(lab.on("mouth", [process.execPath, program("dhcp-mouth.ts"), ...hex]));
	await ear.waitFor(new RegExp(`^from ${SERVER_ADDRESS} for \\S+ xid ${xid} op 2$`, "m"), 10_000);
	return heardFromUs().slice(before);
}

const offerTo = (xid: string) => `from ${SERVER_ADDRESS} for e4:5f:01:09:02:f7 xid ${xid} op 2`;

describe("no answer is given to", { skip }, () => {
	for (const { name, bytes } of BYSTANDERS) {
		it(name, async () => {
			const heard = await heardAfter(bytes);
			assert.deepEqual(heard, [offerTo(controls.at(-1) ?? "")]);
		});
	}

	it("dhclient, which gets its address from the router", async (context) => {
		const missing = await lacks(["dhclient"]);
		if (missing !== false) return context.skip(missing);
		const mac = "02:00:5e:00:53:21";
		await lab.addHost("dhc", { mac });
		await writeFile(join(folder, "conf"), "initial-interval 1;\n");
		const files = ["-cf", join(folder, "conf"), "-lf", join(folder, "leases"), "-pf", join(folder, "pid")];
		const client = new Background(lab.on("dhc", ["dhclient", "-4", "-1", "-d", "-sf", "/bin/true", ...files, "dhc0"]));
		await client.waitFor(/bound to 10\.77\.0\./, 20_000);
		await client.stop();
		await wasLeftAlone(mac);
	});

	it("udhcpc, which gets its address from the router", async (context) => {
		const missing = await lacks(["udhcpc"]);
		if (missing !== false) return context.skip(missing);
		const mac = "02:00:5e:00:53:22";
		await lab.addHost("udh", { mac });
		const client = ["udhcpc", "-f", "-q", "-n", "-i", "udh0", "-s", "/bin/true", "-V", "PXE-but-no-client"];
		await must(lab.on("udh", client), { timeout: 20_000 });
		await wasLeftAlone(mac);
	});

	it("iPXE in a PC, which gets its address from the router", async (context) => {
		const missing = await lacks(["qemu-system-x86_64", IPXE_ROM]);
		if (missing !== false) return context.skip(missing);
		const mac = "52:54:00:77:01:01";
		const tap = "tapipxe";
		await lab.addTap(tap);
		const nic = `e1000,netdev=n0,mac=${mac},romfile=${IPXE_ROM}`;
		const machine = ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-m", "128", "-nodefaults", "-display", "none"];
		const network = ["-netdev", `tap,id=n0,ifname=${tap},script=no,downscript=no`, "-device", nic, "-boot", "n"];
		const pc = new Background(lab.on("", [...machine, ...network]));
		try {
			await wasLeftAlone(mac);
			assert.match(server.log, new RegExp(`${mac} at \\S+ is left alone: iPXE`));
		} finally {
			await pc.stop("SIGKILL");
			await lab.removeTap(tap);
		}
	});

	it("anybody of them later either", async () => {
		// The answer that is held back the longest, to the ROM of a Pi 3B, comes after 1.6 s.
		await sleep(2500);
		assert.deepEqual(heardFromUs(), controls.map(offerTo));
	});
});

/** The router gave the address, and we said nothing until a Pi asked. */
async function wasLeftAlone(mac: string): Promise<void> {
	const ack = new RegExp(`DHCPACK\\(rtr0\\) \\S+ ${mac}`);
	await eventually(`the router's ACK to ${mac}`, () => ack.exec(router.log) ?? undefined, 30_000);
	assert.deepEqual(await heardAfter(), [offerTo(controls.at(-1) ?? "")]);
}
