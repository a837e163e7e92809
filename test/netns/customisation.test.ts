/** Ten Pis on three images at once, each with a name, an account and keys of its own: each root is its Pi's alone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Device, DeviceList } from "@pi-netboot/api";
import { BUILDROOT_BOOT, BUILDROOT_BUSYBOX_ROOT } from "../../server/src/images/testing/buildroot.ts";
import { RASPBERRY_PI_BOOT, RASPBERRY_PI_OS_TRIXIE } from "../../server/src/images/testing/stock.ts";
import { UBUNTU_BOOT, UBUNTU_ROOT } from "../../server/src/images/testing/ubuntu.ts";
import { bootLab } from "../harness/boot-lab.ts";
import { must } from "../harness/command.ts";
import { type Lab, SERVER_ADDRESS } from "../harness/lab.ts";
import { makeLayoutImage } from "../harness/layout-image.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import type { Server } from "../harness/server.ts";
import { type PiReport, powerOn, story, type VirtualPi } from "../harness/virtual-pi.ts";

const READER = fileURLToPath(new URL("../harness/root-reader.ts", import.meta.url));
const ZONES = ["Europe/Berlin", "Asia/Tokyo"];
const zoneinfo = Object.fromEntries(ZONES.map((zone) => [`/usr/share/zoneinfo/${zone}`, `TZif2 ${zone}`]));
const WITH_ZONES = { ...zoneinfo, "/etc/timezone": "Etc/UTC\n" };

const IMAGES = [
	{ name: "raspios", root: { ...RASPBERRY_PI_OS_TRIXIE, ...WITH_ZONES }, boot: RASPBERRY_PI_BOOT, os: "debian" },
	{ name: "ubuntu", root: { ...UBUNTU_ROOT, ...WITH_ZONES }, boot: UBUNTU_BOOT, os: "ubuntu" },
	{ name: "busybox", root: { ...BUILDROOT_BUSYBOX_ROOT, ...WITH_ZONES }, boot: BUILDROOT_BOOT, os: "buildroot" },
] as const;

interface Member extends VirtualPi {
	readonly host: string;
	readonly image: (typeof IMAGES)[number];
	readonly name: string;
	readonly user: string;
	readonly key: string;
	readonly hash: string;
	readonly zone: string;
	readonly address: string;
}

const PIS: readonly Member[] = Array.from({ length: 10 }, (_, index) => ({
	model: "pi4-2026",
	mac: `dc:a6:32:c0:00:0${index}`,
	serial: `10000000c05700${index.toString(16).padStart(2, "0")}`,
	host: `c${index}`,
	address: `10.77.0.${120 + index}`,
	image: IMAGES[index % IMAGES.length] ?? IMAGES[0],
	name: `desk-${index}`,
	user: `user${index}`,
	key: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${String.fromCharCode(65 + index).repeat(43)} key${index}`,
	hash: `$6$salt$${String(index).repeat(86)}`,
	zone: ZONES[index % ZONES.length] ?? "",
}));

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let lab: Lab;
let server: Server;
let reports: PiReport[] = [];

bootLab(skip, async (room) => {
	({ lab } = room);
	for (const { name, root, boot } of IMAGES) makeLayoutImage(room.images, room.folder, { name, root, boot });
	const reserved = Object.fromEntries(PIS.map(({ mac, address }) => [mac, address]));
	await room.startRouter({ reserved });
	server = await room.serve({ images: IMAGES.map(({ name }) => name), logLevel: "debug" });
	for (const { host, mac } of PIS) await lab.addHost(host, { mac });
});

async function bootAll(): Promise<PiReport[]> {
	const booted = await Promise.all(PIS.map((pi) => powerOn(lab, pi.host, pi, { seconds: 90 })));
	const failed = booted.filter(({ ok }) => !ok);
	assert.equal(failed.length, 0, failed.map(story).join("\n\n"));
	return booted;
}

/** What files of a Pi's root hold, as one reads them who is at its place on the cable. */
async function filesOf(pi: Member, report: PiReport, paths: readonly string[]): Promise<Record<string, string>> {
	const exported = /nfsroot=[\d.]+:([^,]+),/.exec(report.cmdline ?? "")?.[1] ?? assert.fail(String(report.cmdline));
	await must(lab.on(pi.host, ["ip", "address", "replace", `${pi.address}/24`, "dev", `${pi.host}0`]));
	const command = [process.execPath, READER, SERVER_ADDRESS, exported, ...paths];
	return JSON.parse(await must(lab.on(pi.host, ["timeout", "30", ...command])));
}

describe("ten Pis on three images at once", { skip }, () => {
	it("are set to what they shall be, once they were seen", async () => {
		await bootAll();
		for (const { serial, name, image, user, key, hash, zone } of PIS) {
			const customisation = { userName: user, authorizedKeys: [key], passwordHash: hash, timeZone: zone };
			const body = { name, imageId: image.name, customisation };
			const device = await server.api<Device>("PATCH", `/api/v1/devices/${serial.slice(-8)}`, body);
			assert.deepEqual([device.name, device.customisation.passwordSet], [name, true], JSON.stringify(device));
		}
	});

	it("boot their images under their names", async () => {
		reports = await bootAll();
		const seen = reports.map(({ hostname, osRelease }) => [hostname, osRelease?.ID]);
		assert.deepEqual(
			seen,
			PIS.map(({ name, image }) => [name, image.os]),
		);
	});

	it("have each their own account, password, keys and time, and nobody else's", async () => {
		for (const [index, pi] of PIS.entries()) {
			const { user, key, hash, zone } = pi;
			const keys = `/home/${user}/.ssh/authorized_keys`;
			const paths = ["/etc/passwd", "/etc/shadow", "/etc/timezone", "/etc/localtime", keys];
			const report = reports[index] ?? assert.fail();
			const files = await filesOf(pi, report, paths);
			assert.equal(files["/etc/timezone"], `${zone}\n`);
			assert.equal(files["/etc/localtime"], `TZif2 ${zone}`);
			assert.ok(files["/etc/shadow"]?.includes(`\n${user}:${hash}:`), `${pi.name}: ${files["/etc/shadow"]}`);
			// An image without an SSH server has no use for keys.
			if (pi.image.name !== "busybox" || files[keys] !== null)
				assert.ok(files[keys]?.includes(key), `${pi.name}: ${files[keys]}`);
			const all = JSON.stringify(files);
			for (const other of PIS.filter((one) => one !== pi)) {
				for (const secret of [other.user, other.hash, other.key])
					assert.ok(!all.includes(secret), `${pi.name}: ${secret}`);
			}
		}
	});

	it("are shown with what they changed and take, and without a secret, in answers and in the log", async () => {
		const shown = await server.api<DeviceList>("GET", "/api/v1/devices");
		const text = JSON.stringify([shown, await server.api("GET", "/api/v1/logs?limit=1000"), server.log]);
		for (const { hash } of PIS) assert.ok(!text.includes(hash));
		const [first] = PIS;
		const id = first?.serial.slice(-8);
		const root = await server.api<{ bytes: number; roots: unknown[] }>("GET", `/api/v1/devices/${id}/root`);
		assert.ok(root.bytes > 0 && root.roots.length === 2, JSON.stringify(root));
		const taken = await server.api("POST", `/api/v1/devices/${id}/root/snapshots`, { name: "clean" });
		const restored = await server.api("POST", `/api/v1/devices/${id}/root/snapshots/clean/restore`);
		assert.deepEqual(restored, taken);
	});
});
