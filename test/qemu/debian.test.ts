/**
 * A whole Debian out of its image file: the firmware of a virtual Pi fetches its boot files from our server, then a guest
 * starts with them and has its root on us. Minutes, not seconds: one guest at a time.
 *
 * SOAK: seconds for which a booted guest is watched while its lease of five minutes is renewed; 165 if not given.
 */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Device, Network } from "@pi-netboot/api";
import { type Finished, must, run } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { type FirmwareResult, removeFirmware, runFirmware } from "../harness/firmware.ts";
import { fixture } from "../harness/fixture.ts";
import { Guest } from "../harness/guest.ts";
import { Lab, SERVER_ADDRESS } from "../harness/lab.ts";
import { GUEST_PROGRAMS, IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { Server } from "../harness/server.ts";

const PI = { model: "pi4-2026", mac: "e4:5f:01:09:02:f7", serial: "91cdf03d" };
const SOAK_MS = Number(process.env.SOAK ?? 165) * 1000;
const BOOT_MS = 420_000;
/** Renewed after half of it. On a slow machine a boot takes minutes, and a router gives an address that ran out to nobody who answers there. */
const LEASE = "5m";

const skip = await lacks([...GUEST_PROGRAMS, ...IMAGE_PROGRAMS, "mmdebstrap", "ssh", "dnsmasq", "xz"]);

/** A network with a router, our server with one image, and whoever boots from it. */
class Bench {
	readonly lab: Lab;
	readonly server: Server;
	readonly router: Router;
	readonly folder: string;
	guest: Guest | undefined;
	firmware: FirmwareResult | undefined;
	address = "";
	firmwareAddress = "";

	private constructor(lab: Lab, server: Server, router: Router, folder: string) {
		this.lab = lab;
		this.server = server;
		this.router = router;
		this.folder = folder;
	}

	/** @param packing how the image lies in the folder, where it is packed. */
	static async build(variant: "networkd" | "networkmanager", packing?: "xz"): Promise<Bench> {
		const image = (await fixture("debian-image.sh", variant)).trim();
		const folder = await mkdtemp(join(tmpdir(), "debian-"));
		await mkdir(join(folder, "images"));
		await mkdir(join(folder, "data"));
		const place = join(folder, "images", "debian.img");
		if (packing === undefined) await symlink(image, place);
		else await must(["sh", "-c", `xz -T0 -0 -c '${image}' > '${place}.xz'`]);
		await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
		await writeFile(join(folder, "data", "authorized_keys"), await readFile(join(folder, "key.pub")));
		const lab = await Lab.create();
		const router = await Router.start(lab, { lease: LEASE });
		const server = await Server.start(lab, { images: join(folder, "images"), data: join(folder, "data") });
		await server.waitForImage("debian", 120_000);
		return new Bench(lab, server, router, folder);
	}

	/** Powers the Pi on: firmware, kernel, and on to multi-user. Gives the line that the guest says there. */
	async powerOn(): Promise<string> {
		this.firmware = await runFirmware(this.lab, PI);
		const device = await this.server.api<{ ip: string }>("GET", `/api/v1/devices/${PI.serial}`);
		this.firmwareAddress = device.ip;
		this.guest = await Guest.start(this.lab, this.firmware, { mac: PI.mac });
		const [line] = await this.guest.waitFor(/TEST-MULTIUSER .*/, BOOT_MS);
		this.address = /ip=([\d.]+)/.exec(line)?.[1] ?? "";
		return line;
	}

	/** What the API says of the Pi when it has come to a stage. */
	async deviceAt(stage: string): Promise<Device | undefined> {
		const device = await this.server.api<Device>("GET", `/api/v1/devices/${PI.serial}`);
		return device.stage === stage ? device : undefined;
	}

	async powerOff(): Promise<void> {
		await this.ssh("sudo systemctl poweroff");
		await this.guest?.ended(120_000);
		await this.unplug();
	}

	/** Runs a command on the Pi, from the router. */
	ssh(command: string): Promise<Finished> {
		return run(this.lab.on("rtr", ["ssh", ...this.#sshOptions(), `pi@${this.address}`, command]), { timeout: 180_000 });
	}

	copyTo(path: string): Promise<string> {
		return must(this.lab.on("rtr", ["scp", "-q", ...this.#sshOptions(), path, `pi@${this.address}:/tmp/`]), {
			timeout: 120_000,
		});
	}

	#sshOptions(): string[] {
		const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=60"];
		return ["-i", join(this.folder, "key"), ...options.flatMap((option) => ["-o", option])];
	}

	/** Runs a command on the Pi that must succeed. */
	async mustSsh(command: string): Promise<string> {
		const { status, stdout, stderr } = await this.ssh(command);
		assert.equal(status, 0, `${command}: ${stdout}${stderr}`);
		return stdout;
	}

	async unplug(): Promise<void> {
		await this.guest?.stop();
		this.guest = undefined;
		if (this.firmware !== undefined) await removeFirmware(this.firmware);
	}

	async remove(): Promise<void> {
		await this.unplug();
		await this.server.stop();
		await this.router.stop();
		await this.lab.remove();
		await rm(this.folder, { recursive: true, force: true });
	}
}

/** What must hold of a Pi that has been up for a while with a short lease. */
async function watch(bench: Bench): Promise<void> {
	const end = Date.now() + SOAK_MS;
	while (Date.now() < end) {
		await new Promise((resolve) => setTimeout(resolve, Math.min(30_000, Math.max(1000, end - Date.now()))));
		const addresses = await bench.mustSsh("ip -4 -o addr show scope global");
		assert.ok(addresses.includes(`${bench.address}/`), `the address ${bench.address} is gone: ${addresses}`);
	}
	assert.match(await bench.mustSsh("systemctl is-system-running"), /^running$/m);
	assert.equal((await bench.mustSsh("systemctl --failed --no-legend --plain")).trim(), "");
	await bench.mustSsh("echo alive | sudo tee /var/tmp/alive && sync");
}

/** Firmware, klibc's ipconfig and systemd-networkd had the same address: ours. */
async function assertOneAddress(bench: Bench): Promise<void> {
	const { leases } = await bench.server.api<Network>("GET", "/api/v1/network");
	const own = leases.filter(({ mac }) => mac === PI.mac).map(({ address }) => address);
	assert.deepEqual(own, [bench.address]);
	const console = (await bench.guest?.console()) ?? "";
	const [, ipconfig] = /IP-Config: \w+ complete[\s\S]*?address: ([\d.]+)/.exec(console) ?? assert.fail(console);
	assert.equal(ipconfig, bench.address);
	assert.equal(bench.firmwareAddress, bench.address);
}

describe("Debian with systemd-networkd", { skip }, () => {
	let bench: Bench;

	before(async () => {
		bench = await Bench.build("networkd");
	});
	after(() => bench?.remove());

	test("reaches multi-user with its root on us and no failed units", async () => {
		const line = await bench.powerOn();
		assert.match(line, new RegExp(`root=${SERVER_ADDRESS}:/pi/${PI.serial}/[0-9a-f]+ nfs`));
		assert.match(line, /failed=\[\]/);
	});

	test("lets the person with the key in, who may act as root", async () => {
		assert.match(await bench.mustSsh("id -un; sudo -n id -u"), /^pi\n0$/m);
	});

	test("shows its stages to the API, up to the agent, which came by itself", async () => {
		const device = await eventually("the agent", () => bench.deviceAt("agent"), 120_000);
		assert.equal(device.model, "pi4");
		assert.equal(device.ip, bench.address);
	});

	test("keeps its address and its root while a lease of five minutes is renewed", () => watch(bench));

	test("installs a package out of a local file", async () => {
		const root = join(bench.folder, "package");
		await mkdir(join(root, "DEBIAN"), { recursive: true });
		await mkdir(join(root, "usr/bin"), { recursive: true });
		await chmod(root, 0o755);
		const control =
			"Package: netboot-hello\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: says hello\n";
		await writeFile(join(root, "DEBIAN/control"), control);
		await writeFile(join(root, "usr/bin/netboot-hello"), "#!/bin/sh\necho hello from a package\n");
		await chmod(join(root, "usr/bin/netboot-hello"), 0o755);
		const deb = join(bench.folder, "netboot-hello.deb");
		await must(["dpkg-deb", "--root-owner-group", "-b", root, deb]);
		await bench.copyTo(deb);
		await bench.mustSsh("sudo apt-get install -y /tmp/netboot-hello.deb");
		assert.match(await bench.mustSsh("netboot-hello"), /hello from a package/);
	});

	test("boots the kernel that it put into /boot/firmware, and finds its files again, when there is no router any more", async () => {
		await bench.mustSsh("echo kept | sudo tee /root/kept");
		await bench.mustSsh(
			"cd /boot/firmware && sudo cp kernel8.img new.img && printf netboot | sudo tee -a new.img > /dev/null",
		);
		await bench.mustSsh("cd /boot/firmware && sudo mv new.img kernel8.img && sync");
		const before = await stat(join(bench.firmware?.folder ?? "", "kernel8.img"));
		const old = await readFile(join(bench.firmware?.folder ?? "", "kernel8.img"));
		await bench.powerOff();
		await bench.router.stop();
		await bench.server.api("PATCH", "/api/v1/network", { mode: "full" });
		const line = await bench.powerOn();
		assert.match(line, /failed=\[\]/);
		await assertOneAddress(bench);
		const kernel = await readFile(join(bench.firmware?.folder ?? "", "kernel8.img"));
		assert.equal(kernel.length, before.size + "netboot".length);
		assert.ok(kernel.subarray(0, old.length).equals(old), "the rest of the kernel is another");
		assert.match(await bench.mustSsh("sudo cat /root/kept; netboot-hello"), /^kept\nhello from a package$/m);
		await bench.powerOff();
	});
});

describe("Debian with NetworkManager, out of an .img.xz", { skip }, () => {
	let bench: Bench;

	before(async () => {
		bench = await Bench.build("networkmanager", "xz");
	});
	after(() => bench?.remove());

	test("reaches multi-user with its root on us and no failed units", async () => {
		assert.match(await bench.powerOn(), /failed=\[\]/);
	});

	test("lets the person with the key in", async () => {
		assert.match(await bench.mustSsh("id -un"), /^pi$/m);
	});

	test("keeps its address and its root while a lease of five minutes is renewed", () => watch(bench));
});
