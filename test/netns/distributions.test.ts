/** The layouts of the distributions, each as an image that a virtual Pi boots from the real server: its own kernel, command line and root. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { DeviceList } from "@pi-netboot/api";
import { ALPINE_DISKLESS_BOOT, ALPINE_SYS_BOOT, ALPINE_SYS_ROOT } from "../../server/src/images/testing/alpine.ts";
import {
	BUILDROOT_BOOT,
	BUILDROOT_BUSYBOX_ROOT,
	BUILDROOT_SYSTEMD_ROOT,
} from "../../server/src/images/testing/buildroot.ts";
import { DIETPI_ROOT, DIETPI_TXT } from "../../server/src/images/testing/dietpi.ts";
import { RASPBERRY_PI_BOOT } from "../../server/src/images/testing/stock.ts";
import { UBUNTU_BOOT, UBUNTU_ROOT } from "../../server/src/images/testing/ubuntu.ts";
import { bootLab } from "../harness/boot-lab.ts";
import type { Lab } from "../harness/lab.ts";
import { type Layout, type LayoutImage, makeLayoutImage } from "../harness/layout-image.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import type { Server } from "../harness/server.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";

interface Distribution extends Layout {
	readonly model: string;
	/** `ID` of os-release. */
	readonly id: string;
	readonly kernel: string;
	readonly initramfs: string | undefined;
	/** Where the firmware finds the command line. */
	readonly cmdlineFile: string;
	/** What stays of it, before the root. */
	readonly words: string;
}

const STOCK_WORDS = "console=serial0,115200 console=tty1 quiet";

const DISTRIBUTIONS: readonly Distribution[] = [
	{
		...{ name: "ubuntu", root: UBUNTU_ROOT, boot: UBUNTU_BOOT, model: "pi4-2026", id: "ubuntu" },
		...{ kernel: "current/vmlinuz", initramfs: "current/initrd.img", cmdlineFile: "current/cmdline.txt" },
		words:
			"console=serial0,115200 multipath=off dwc_otg.lpm_enable=0 console=tty1 panic=10 fixrtc cfg80211.ieee80211_regdom=CH",
	},
	{
		...{ name: "ubuntu5", root: UBUNTU_ROOT, boot: UBUNTU_BOOT, model: "pi5-2026", id: "ubuntu" },
		...{ kernel: "current/vmlinuz", initramfs: "current/initrd.img", cmdlineFile: "current/cmdline.txt" },
		words:
			"console=serial0,115200 multipath=off dwc_otg.lpm_enable=0 console=tty1 panic=10 fixrtc cfg80211.ieee80211_regdom=CH",
	},
	{
		...{ name: "dietpi", root: DIETPI_ROOT, model: "pi3bp", id: "debian" },
		boot: { ...RASPBERRY_PI_BOOT, "/dietpi.txt": DIETPI_TXT },
		...{ kernel: "kernel8.img", initramfs: "initramfs8", cmdlineFile: "cmdline.txt", words: STOCK_WORDS },
	},
	{
		...{ name: "busybox", root: BUILDROOT_BUSYBOX_ROOT, boot: BUILDROOT_BOOT, model: "pi4-2026", id: "buildroot" },
		...{ kernel: "Image", initramfs: undefined, cmdlineFile: "cmdline.txt" },
		words: "console=tty1 console=ttyAMA0,115200",
	},
	{
		...{ name: "systemd", root: BUILDROOT_SYSTEMD_ROOT, boot: BUILDROOT_BOOT, model: "pi4-2026", id: "buildroot" },
		...{ kernel: "Image", initramfs: undefined, cmdlineFile: "cmdline.txt" },
		words: "console=tty1 console=ttyAMA0,115200",
	},
	{
		...{ name: "alpine", root: ALPINE_SYS_ROOT, boot: ALPINE_SYS_BOOT, model: "pi4-2026", id: "alpine" },
		...{ kernel: "vmlinuz-rpi", initramfs: "initramfs-rpi", cmdlineFile: "cmdline.txt" },
		words: "modules=sd-mod,usb-storage,ext4 quiet",
	},
];

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let folder = "";
let lab: Lab;
let server: Server;
const made = new Map<string, LayoutImage>();

bootLab(skip, async (room) => {
	({ lab, folder } = room);
	for (const layout of DISTRIBUTIONS) made.set(layout.name, makeLayoutImage(room.images, folder, layout));
	makeLayoutImage(room.images, folder, { name: "diskless", root: undefined, boot: ALPINE_DISKLESS_BOOT });
	await room.startRouter();
	server = await room.serve({ images: DISTRIBUTIONS.map(({ name }) => name) });
});

describe("a virtual Pi", { skip }, () => {
	for (const [index, one] of DISTRIBUTIONS.entries()) {
		it(`boots ${one.name} on a ${one.model}`, async () => {
			const number = index.toString(16).padStart(2, "0");
			const pi = { model: one.model, mac: `dc:a6:32:d0:00:${number}`, serial: `10000000d15700${number}` };
			const [host, saved] = [`d${index}`, join(folder, `saved-${one.name}`)];
			await server.api("PUT", "/api/v1/images/default", { id: one.name });
			await lab.addHost(host, { mac: pi.mac });
			const report = await powerOn(lab, host, pi, { saveTo: saved });
			await lab.removeHost(host);
			assertBooted(report);
			assert.equal(report.osRelease?.ID, one.id);
			assert.deepEqual([report.kernelName, report.initramfsName], [one.kernel, one.initramfs]);
			assert.ok(report.cmdline?.startsWith(`${one.words} root=/dev/nfs nfsroot=`), String(report.cmdline));
			assert.equal(report.cmdline?.includes("mountport="), one.initramfs === undefined);
			assertFilesAreTheImages(one, saved);
			const { devices } = await server.api<DeviceList>("GET", "/api/v1/devices");
			assert.equal(report.hostname, devices.find(({ mac }) => mac === pi.mac)?.name);
		});
	}

	it("is told nothing of an image that keeps no root on a disk, and a person is told why", async () => {
		const image = (await server.api("GET", "/api/v1/images/diskless")) as {
			findings: { code: string; fix?: string }[];
		};
		const finding = image.findings.find(({ code }) => code === "alpine-diskless");
		assert.match(finding?.fix ?? JSON.stringify(image.findings), /setup-disk -m sys/);
	});
});

/** All that was fetched is as it is in the image, but for the command line. */
function assertFilesAreTheImages({ name, kernel, cmdlineFile }: Distribution, saved: string): void {
	const image = made.get(name) ?? assert.fail(name);
	const names = readdirSync(saved, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(saved.length + 1));
	for (const needed of [kernel, cmdlineFile, "config.txt"]) assert.ok(names.includes(needed), `${needed} in ${names}`);
	for (const file of names.filter((one) => one !== cmdlineFile)) {
		assert.ok(readFileSync(join(saved, file)).equals(readFileSync(join(image.boot, file))), file);
	}
}
