/** Beside a home router each virtual model boots: an address from the router, files and root from us. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { DeviceList, Image } from "@pi-netboot/api";
import { bootLab } from "../harness/boot-lab.ts";
import { type Lab, ROUTER_ADDRESS, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import type { Router } from "../harness/router.ts";
import type { Server } from "../harness/server.ts";
import { makeSmallImage, type SmallImage } from "../harness/small-image.ts";
import { assertBooted, type PiReport, powerOn, type VirtualPi } from "../harness/virtual-pi.ts";

interface Expected extends VirtualPi {
	readonly host: string;
	/** As the API has it. */
	readonly modelId: string;
	/** What the router is asked for: a Pi 3 never says that it takes the address. */
	readonly routerSays: "DHCPOFFER" | "DHCPACK";
	/** What it cannot boot without, besides config.txt and cmdline.txt. */
	readonly files: readonly string[];
}

const PIS: readonly Expected[] = [
	{
		host: "pia",
		model: "pi3bp",
		modelId: "pi3bp",
		mac: "b8:27:eb:07:bc:c6",
		serial: "000000008b07bcc6",
		routerSays: "DHCPOFFER",
		files: [
			"bootcode.bin",
			"start.elf",
			"fixup.dat",
			"kernel8.img",
			"initramfs8",
			"bcm2710-rpi-3-b-plus.dtb",
			"overlays/vc4-kms-v3d.dtbo",
		],
	},
	{
		host: "pib",
		model: "pi4-2021",
		modelId: "pi400",
		mac: "dc:a6:32:ec:fc:3c",
		serial: "10000000e0ff06da",
		routerSays: "DHCPACK",
		files: [
			"start4.elf",
			"fixup4.dat",
			"kernel8.img",
			"initramfs8",
			"bcm2711-rpi-400.dtb",
			"overlays/vc4-kms-v3d-pi4.dtbo",
		],
	},
	{
		host: "pic",
		model: "pi4-2026",
		modelId: "pi4",
		mac: "e4:5f:01:09:02:f7",
		serial: "1000000091cdf03d",
		routerSays: "DHCPACK",
		files: [
			"start4.elf",
			"fixup4.dat",
			"kernel8.img",
			"initramfs8",
			"bcm2711-rpi-4-b.dtb",
			"overlays/vc4-kms-v3d-pi4.dtbo",
		],
	},
	{
		host: "pid",
		model: "pi5-2026",
		modelId: "pi5",
		mac: "88:a2:9e:11:4e:cc",
		serial: "d7bd1a077bf18f79",
		routerSays: "DHCPACK",
		files: ["kernel_2712.img", "initramfs_2712", "bcm2712-rpi-5-b.dtb", "overlays/vc4-kms-v3d-pi5.dtbo"],
	},
];

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let folder = "";
let lab: Lab;
let router: Router;
let server: Server;
let image: SmallImage;

bootLab(skip, async (room) => {
	({ lab, folder } = room);
	image = makeSmallImage(room.images, folder);
	router = await room.startRouter();
	server = await room.serve({ images: ["small"] });
});

async function deviceOf(pi: VirtualPi) {
	const { devices } = await server.api<DeviceList>("GET", "/api/v1/devices");
	return devices.find((device) => device.id === pi.serial.slice(-8)) ?? assert.fail(JSON.stringify(devices));
}

/** All that was fetched is as it is in the image; the two files that are rewritten are what they have to be. */
function checkFiles(saved: string, pi: Expected, report: PiReport): void {
	const names = readdirSync(saved, { recursive: true, encoding: "utf8" });
	const files = names.filter((name) => statSync(join(saved, name)).isFile());
	for (const name of [...pi.files, "config.txt", "cmdline.txt"]) assert.ok(files.includes(name), `${name} in ${files}`);
	for (const name of files.filter((one) => one !== "cmdline.txt")) {
		assert.ok(readFileSync(join(saved, name)).equals(readFileSync(join(image.boot, name))), name);
	}
	assert.equal(readFileSync(join(saved, "cmdline.txt"), "utf8").trim(), report.cmdline);
}

describe("beside a home router", { skip }, () => {
	for (const pi of PIS) {
		it(`a ${pi.model} boots`, async () => {
			await lab.addHost(pi.host, { mac: pi.mac });
			const saved = join(folder, pi.host);
			const report = await powerOn(lab, pi.host, pi, { saveTo: saved });
			assertBooted(report);
			assert.equal(report.serverAddress, SERVER_ADDRESS);
			assert.ok(router.log.includes(`${pi.routerSays}(rtr0) ${report.address} ${pi.mac}`), router.log);
			checkFiles(saved, pi, report);
			const words = (report.cmdline ?? "").split(" ");
			assert.deepEqual(words.slice(0, 4), ["console=serial0,115200", "console=tty1", "quiet", "root=/dev/nfs"]);
			assert.match(
				words[4] ?? "",
				new RegExp(`^nfsroot=${SERVER_ADDRESS}:/pi/${pi.serial.slice(-8)}/[0-9a-f]{32},vers=3,`),
			);
			assert.deepEqual(words.slice(5), ["rw", "ip=dhcp", "rootwait"]);
			assert.deepEqual(report.osRelease, {
				PRETTY_NAME: "Debian GNU/Linux 12 (bookworm)",
				ID: "debian",
				VERSION_ID: "12",
				VARIANT: "small",
			});
			assert.deepEqual([...(report.rootEntries ?? [])].sort(), readdirSync(image.root).concat("lost+found").sort());
			const device = await deviceOf(pi);
			assert.equal(report.hostname, device.name);
			assert.deepEqual(
				[device.mac, device.ip, device.model, device.bootCount, device.stage],
				[pi.mac, report.address, pi.modelId, 1, "userspace"],
			);
		});
	}

	it("each of them has a name, a path and an address of its own", async () => {
		const devices = await Promise.all(PIS.map(deviceOf));
		assert.equal(new Set(devices.map(({ name }) => name)).size, PIS.length);
		assert.equal(new Set(devices.map(({ ip }) => ip)).size, PIS.length);
	});

	it("a Pi boots again, with a new path to the same root", async () => {
		const [pi] = PIS.slice(-1);
		if (pi === undefined) return;
		const before = await deviceOf(pi);
		const [first, second] = [await powerOn(lab, pi.host, pi), await powerOn(lab, pi.host, pi)];
		assertBooted(first);
		assertBooted(second);
		assert.notEqual(first.cmdline, second.cmdline);
		assert.equal(second.hostname, before.name);
		assert.equal((await deviceOf(pi)).bootCount, before.bootCount + 2);
	});

	it("the image that they run is not removed, and renamed it is the same one", async () => {
		const [pi] = PIS.slice(-1);
		if (pi === undefined) return;
		const names = (await Promise.all(PIS.map(deviceOf))).map(({ name }) => name).sort();
		const shown = await server.api<Image>("GET", "/api/v1/images/small");
		assert.deepEqual([shown.usedBy, shown.origin], [names, { kind: "folder" }]);
		for (const query of ["", "?file=delete"]) {
			const { code, sentence } = await server.refusal("DELETE", `/api/v1/images/small${query}`);
			assert.equal(code, "image-in-use");
			for (const name of names) assert.ok(sentence.includes(name), sentence);
		}
		const renamed = await server.api<Image>("PATCH", "/api/v1/images/small", { name: "bench" });
		assert.deepEqual([renamed.id, renamed.name, renamed.state], ["small", "bench.img", "ready"]);
		assert.deepEqual(readdirSync(join(folder, "images")), ["bench.img"]);
		assertBooted(await powerOn(lab, pi.host, pi));
	});

	it("a Pi that is to boot from its own disk hears the router and not us", async () => {
		const [pi] = PIS.slice(-1);
		if (pi === undefined) return;
		const { bootCount } = await deviceOf(pi);
		await server.api("PATCH", `/api/v1/devices/${pi.serial.slice(-8)}`, { intent: "disk" });
		const report = await powerOn(lab, pi.host, pi, { seconds: 8 });
		assert.equal(report.ok, false);
		assert.deepEqual(report.files, []);
		const offers = report.steps.filter(({ detail }) => detail.startsWith("OFFER from ")).map(({ detail }) => detail);
		assert.ok(offers.some((offer) => offer.includes(`from ${ROUTER_ADDRESS}`)));
		assert.ok(!offers.some((offer) => offer.includes(`from ${SERVER_ADDRESS}`)));
		assert.equal((await deviceOf(pi)).bootCount, bootCount);
	});
});
