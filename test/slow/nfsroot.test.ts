/**
 * The way without an initramfs: a kernel with ROOT_NFS and IP_PNP_DHCP built in, as Raspberry Pi's kernels are, mounts its root
 * with the command line that we serve. The kernel is built on first use, which takes ten minutes: `npm run test:slow`.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Network } from "@pi-netboot/api";
import { type FirmwareResult, removeFirmware, runFirmware } from "../harness/firmware.ts";
import { fixture } from "../harness/fixture.ts";
import { Guest } from "../harness/guest.ts";
import { GUEST_PROGRAMS, IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { Site } from "../harness/site.ts";

const PI = { model: "pi4-2026", mac: "e4:5f:01:09:02:f7", serial: "91cdf03d" };
/** Programs that build a kernel. */
const KERNEL_PROGRAMS = ["gcc", "make", "bc", "flex", "bison", "xz"];
const skip = await lacks([
	...GUEST_PROGRAMS,
	...IMAGE_PROGRAMS,
	"aarch64-linux-gnu-gcc",
	"dnsmasq",
	...KERNEL_PROGRAMS,
]);

describe("a kernel that mounts its root by itself", { skip }, () => {
	let site: Site;
	let router: Router;
	let firmware: FirmwareResult;

	before(async () => {
		site = await Site.open();
		await fixture("nfsroot-image.sh", join(site.images, "small.img"));
		router = await Router.start(site.lab);
		await site.serve("small");
		firmware = await runFirmware(site.lab, PI);
	});
	after(async () => {
		if (firmware !== undefined) await removeFirmware(firmware);
		await router?.stop();
		await site?.close();
	});

	test("is found out by its configuration, and told both ports", () => {
		assert.match(firmware.cmdline, /,port=2049,mountport=2049 rw ip=dhcp rootwait$/);
	});

	test("is not given the initramfs that the image's config.txt names", () => {
		assert.match(firmware.config, /^# not used.*initramfs initramfs8 followkernel/m);
		assert.ok(!firmware.names.includes("initramfs8"), "the firmware fetched the initramfs");
	});

	test("mounts its root over NFS, reads and writes it", async () => {
		const guest = await Guest.start(site.lab, firmware, { mac: PI.mac, initramfs: null, memoryMiB: 256 });
		try {
			const [line] = await guest.waitFor(/NFSROOT-UP .*/, 120_000);
			assert.match(line, /\/dev\/root \/ nfs|:\/pi\/\S+ \/ nfs/);
			assert.match(line, /os=buildroot wrote=written initrd=0/);
			assert.match(line, /boot=[5-9]/);
			await guest.ended(30_000);
		} finally {
			await guest.stop();
		}
	});
});

describe("a kernel that asks for its address where there is no router", { skip }, () => {
	let site: Site;

	before(async () => {
		site = await Site.open();
		await fixture("nfsroot-image.sh", join(site.images, "small.img"));
		await site.serve("small");
		await site.server.api("PATCH", "/api/v1/network", { mode: "full" });
	});
	after(() => site?.close());

	test("gets the address that the firmware had, and its root", async () => {
		const firmware = await runFirmware(site.lab, PI);
		const address = await addressOf(site);
		const guest = await Guest.start(site.lab, firmware, { mac: PI.mac, initramfs: null, memoryMiB: 256 });
		try {
			const [, told] = await guest.waitFor(/IP-Config: Complete:[\s\S]*?ipaddr=([\d.]+)/, 120_000);
			assert.equal(told, address);
			await guest.waitFor(/NFSROOT-UP .*/, 60_000);
			assert.equal(await addressOf(site), address);
			await guest.ended(30_000);
		} finally {
			await guest.stop();
			await removeFirmware(firmware);
		}
	});
});

/** The one address that we gave out. */
async function addressOf({ server }: Site): Promise<string> {
	const { leases } = await server.api<Network>("GET", "/api/v1/network");
	assert.deepEqual(
		leases.map(({ mac, state }) => [mac, state]),
		[[PI.mac, "leased"]],
	);
	return leases[0]?.address ?? "";
}
