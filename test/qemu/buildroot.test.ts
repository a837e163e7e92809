/**
 * A small system as Buildroot makes it, with BusyBox as init, ifup and udhcpc, and Dropbear: out of its image file to the login
 * prompt, with its root on us. Its kernel is Debian's, with an initramfs that does no more than a kernel with ROOT_NFS does.
 *
 * SOAK: seconds for which the guest is watched while its lease of two minutes is renewed; 0 if not given.
 */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Device } from "@pi-netboot/api";
import { BUILDROOT_BOOT, BUILDROOT_BUSYBOX_ROOT } from "../../server/src/images/testing/buildroot.ts";
import type { Entries } from "../../server/src/images/testing/tree.ts";
import { type Finished, must, run } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { type FirmwareResult, removeFirmware, runFirmware } from "../harness/firmware.ts";
import { fixture } from "../harness/fixture.ts";
import { Guest } from "../harness/guest.ts";
import { SERVER_ADDRESS } from "../harness/lab.ts";
import { makeLayoutImage } from "../harness/layout-image.ts";
import { GUEST_PROGRAMS, IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { Site } from "../harness/site.ts";
import { assertBooted, powerOn, type VirtualPi } from "../harness/virtual-pi.ts";

const PI = { model: "pi4-2026", mac: "e4:5f:01:09:02:f7", serial: "91cdf03d" };
const OTHER_PI = { model: "pi4-2026", mac: "e4:5f:01:09:02:f8", serial: "91cdf03e" };
const [PASSWORD, OTHER_PASSWORD] = ["correct horse", "battery staple"];
const SOAK_MS = Number(process.env.SOAK ?? 0) * 1000;
const BOOT_MS = 150_000;

const skip = await lacks([
	...GUEST_PROGRAMS,
	...IMAGE_PROGRAMS,
	"qemu-aarch64-static",
	"dnsmasq",
	"openssl",
	"ssh",
	"ssh-keygen",
]);

/** BusyBox itself and its links are those of the base. */
function withoutPrograms(root: Entries): Entries {
	const programs = /^\/(bin|sbin|usr\/bin|usr\/sbin)\//;
	return Object.fromEntries(Object.entries(root).filter(([path]) => !programs.test(path)));
}

async function makeImage(site: Site): Promise<void> {
	const base = (await fixture("buildroot-base.sh")).trim();
	const boot: Entries = {
		...BUILDROOT_BOOT,
		"/config.txt": `${BUILDROOT_BOOT["/config.txt"]}initramfs initramfs8 followkernel\n`,
		"/Image": await readFile(join(base, "vmlinuz")),
		"/initramfs8": await readFile(join(base, "initramfs")),
	};
	const root = withoutPrograms(BUILDROOT_BUSYBOX_ROOT);
	makeLayoutImage(site.images, site.folder, {
		name: "buildroot",
		root,
		boot,
		base: join(base, "root"),
		rootSize: "80M",
	});
}

describe("Buildroot with BusyBox's init", { skip }, () => {
	let site: Site;
	let router: Router;
	let firmware: FirmwareResult;
	let guest: Guest;
	let name = "";
	let address = "";

	before(async () => {
		site = await Site.open();
		await makeImage(site);
		await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(site.folder, "key")]);
		await mkdir(site.data, { recursive: true });
		await writeFile(join(site.data, "authorized_keys"), await readFile(join(site.folder, "key.pub")));
		router = await Router.start(site.lab, { lease: "2m" });
		await site.serve("buildroot");
		for (const [pi, password] of [
			[PI, PASSWORD],
			[OTHER_PI, OTHER_PASSWORD],
		] as const) {
			await becomeKnown(pi);
			const passwordHash = (await must(["openssl", "passwd", "-6", password])).trim();
			const customisation = { userName: "anna", passwordHash };
			const device = await site.server.api<Device>("PATCH", `/api/v1/devices/${pi.serial}`, { customisation });
			assert.equal(device.customisation.passwordSet, true);
		}
		firmware = await runFirmware(site.lab, PI);
		guest = await Guest.start(site.lab, firmware, {
			mac: PI.mac,
			kernel: "Image",
			initramfs: "initramfs8",
			memoryMiB: 256,
		});
	});
	after(async () => {
		await guest?.stop();
		if (firmware !== undefined) await removeFirmware(firmware);
		await router?.stop();
		await site?.close();
	});

	/** A virtual Pi boots once, so that something can be set for it. */
	async function becomeKnown(pi: VirtualPi): Promise<void> {
		await site.lab.addHost("known", { mac: pi.mac });
		assertBooted(await powerOn(site.lab, "known", pi, { seconds: 90 }));
		await site.lab.removeHost("known");
	}

	/** Runs a command on the Pi as root, from the router. */
	function ssh(command: string): Promise<Finished> {
		const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=30"];
		const words = ["ssh", "-i", join(site.folder, "key"), ...options.flatMap((option) => ["-o", option])];
		return run(site.lab.on("rtr", [...words, `root@${address}`, command]), { timeout: 60_000 });
	}

	async function mustSsh(command: string): Promise<string> {
		const { status, stdout, stderr } = await ssh(command);
		assert.equal(status, 0, `${command}: ${stdout}${stderr}`);
		return stdout;
	}

	/** How often the router has leased an address to the Pi. */
	const leases = () => router.log.split(`DHCPACK(rtr0) ${address} ${PI.mac}`).length;

	async function waitForLease(before: number): Promise<void> {
		await eventually("another lease", () => (leases() > before ? true : undefined), 90_000);
	}

	const addresses = async () =>
		[...(await mustSsh("ip -4 addr show dev eth0")).matchAll(/inet ([\d.]+)/g)].map(([, ip]) => ip);

	test("reaches its login prompt, under the device's name", async () => {
		const device = await site.server.api<{ name: string }>("GET", `/api/v1/devices/${PI.serial}`);
		name = device.name;
		await guest.waitFor(new RegExp(`${name} login: `), BOOT_MS);
		const { ip } = await site.server.api<{ ip: string }>("GET", `/api/v1/devices/${PI.serial}`);
		address = ip;
	});

	test("lets a person in at its console with the password that was set for it, and with that of no other Pi", async () => {
		assert.equal(await guest.logIn("anna", OTHER_PASSWORD), undefined);
		assert.equal(await guest.logIn("anna", PASSWORD), "anna");
	});

	test("lets root in with the key, has its root on us, and may write to it", async () => {
		const said = await mustSsh(
			"hostname; grep ' / nfs' /proc/mounts; echo written > /root/proof && cat /root/proof; ls -l /etc/dropbear",
		);
		assert.match(said, new RegExp(`^${name}\n${SERVER_ADDRESS}:/pi/${PI.serial}/[0-9a-f]+ / nfs rw`));
		assert.match(said, /^written$/m);
		assert.match(said, /^-rw-------.* dropbear_ed25519_host_key$/m);
	});

	test("renews its lease by udhcpc, which init keeps running, and keeps its address", async () => {
		const start = leases();
		await mustSsh("killall -USR1 udhcpc");
		await waitForLease(start);
		const renewed = leases();
		await mustSsh("killall udhcpc");
		await waitForLease(renewed);
		assert.deepEqual(await addresses(), [address]);
		assert.match(await mustSsh("ip route"), /^default via 10\.77\.0\.254 dev eth0/m);
		assert.match(await mustSsh("ps"), new RegExp(`udhcpc -f -i eth0 -r ${address.replaceAll(".", "\\.")}`));
	});

	test("loses nothing when its network is stopped and started by its own script", async () => {
		const said = await mustSsh("(/etc/init.d/S40network stop; /etc/init.d/S40network start) 2>&1; cat /run/ifstate");
		assert.match(said, /^eth0=eth0$/m);
		assert.deepEqual(await addresses(), [address]);
	});

	const soak = async () => {
		const start = leases();
		await new Promise((resolve) => setTimeout(resolve, SOAK_MS));
		assert.deepEqual(await addresses(), [address]);
		assert.ok(leases() > start);
	};
	if (SOAK_MS > 0) test("keeps its address and its root while a lease of two minutes is renewed", soak);

	test("reboots cleanly when its agent is told to: its shutdown reaches the end with the root on the network", async () => {
		const device = `/api/v1/devices/${PI.serial}`;
		const { agent } = await eventually(
			"the agent, which init keeps running",
			async () => {
				const known = await site.server.api<Device>("GET", device);
				return known.agent?.online ? known : undefined;
			},
			BOOT_MS,
		);
		assert.deepEqual([agent?.inventory.zstd, agent?.inventory.disks], [false, []]);
		await site.server.api("POST", `${device}/reboot`);
		await guest.ended(90_000);
		assert.match(await guest.console(), /reboot: Restarting system/);
	});
});
