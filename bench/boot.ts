/**
 * From power-on to multi-user: the same Debian guest from our server, and from dnsmasq (proxy DHCP and TFTP) with
 * nfs-ganesha, beside the same home router. The firmware is a virtual Pi 4, the rest is the guest's own kernel under QEMU.
 */
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Background, must } from "../test/harness/command.ts";
import { removeFirmware, runFirmware } from "../test/harness/firmware.ts";
import { fixture } from "../test/harness/fixture.ts";
import { Guest } from "../test/harness/guest.ts";
import { Lab, SERVER_ADDRESS } from "../test/harness/lab.ts";
import { Router } from "../test/harness/router.ts";
import { Server } from "../test/harness/server.ts";
import { spreadOf, table } from "./compare.ts";
import { Ganesha } from "./ganesha.ts";

const PI = { model: "pi4", mac: "dc:a6:32:be:ac:11", serial: "be4c0011" };

/** The line that the fixture's image writes to the console at multi-user. */
const MULTI_USER = /TEST-MULTIUSER up=([\d.]+)/;
const GUEST_MS = 600_000;

interface BootTimes {
	/** Seconds from power-on until the kernel would start. */
	readonly firmware: number;
	/** Seconds from there to multi-user. */
	readonly system: number;
}

/** Prints how long both take. */
export async function benchBoot(rounds: number): Promise<void> {
	const image = (await fixture("debian-image.sh", "networkd")).trim();
	const folder = await mkdtemp(join(tmpdir(), "netboot-bench-"));
	try {
		const ours: BootTimes[] = [];
		const peer: BootTimes[] = [];
		for (let round = 0; round < rounds; round++) {
			ours.push(await inLab((lab) => bootOurs(lab, image, join(folder, `ours-${round}`))));
			peer.push(await inLab((lab) => bootPeer(lab, image, join(folder, `peer-${round}`))));
			process.stdout.write(`${report(ours, peer)}\n`);
		}
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

function report(ours: readonly BootTimes[], peer: readonly BootTimes[]): string {
	const total = ({ firmware, system }: BootTimes) => firmware + system;
	const parts = {
		"firmware (DHCP, TFTP)": ({ firmware }: BootTimes) => firmware,
		"kernel to multi-user": ({ system }: BootTimes) => system,
		total,
	};
	const rows = Object.entries(parts).map(([name, part]) => {
		const [a, b] = [spreadOf(ours.map(part)), spreadOf(peer.map(part))];
		const cells = [a, b].map(({ median, min, max }) => `${median.toFixed(1)} s (${min.toFixed(1)}-${max.toFixed(1)})`);
		return [name, ...cells, `${(b.median / a.median).toFixed(2)}x`];
	});
	return table([["power-on to multi-user", "ours", "dnsmasq + ganesha", "as fast as"], ...rows]);
}

async function inLab(action: (lab: Lab) => Promise<BootTimes>): Promise<BootTimes> {
	const lab = await Lab.create();
	const router = await Router.start(lab);
	try {
		return await action(lab);
	} finally {
		await router.stop();
		await lab.remove();
	}
}

async function powerOn(lab: Lab): Promise<BootTimes> {
	const start = performance.now();
	const firmware = await runFirmware(lab, PI);
	const loaded = performance.now();
	const guest = await Guest.start(lab, firmware, { mac: PI.mac });
	try {
		await guest.waitFor(MULTI_USER, GUEST_MS);
		return { firmware: (loaded - start) / 1000, system: (performance.now() - loaded) / 1000 };
	} finally {
		await guest.stop();
		await removeFirmware(firmware);
	}
}

async function bootOurs(lab: Lab, image: string, folder: string): Promise<BootTimes> {
	const [images, data] = [join(folder, "images"), join(folder, "data")];
	for (const path of [images, data]) await mkdir(path, { recursive: true });
	await symlink(image, join(images, "bench.img"));
	const server = await Server.start(lab, { images, data });
	try {
		await server.waitForImage("bench");
		return await powerOn(lab);
	} finally {
		await server.stop();
	}
}

async function bootPeer(lab: Lab, image: string, folder: string): Promise<BootTimes> {
	const [root, boot] = [join(folder, "root"), join(folder, "boot")];
	await mkdir(folder, { recursive: true });
	await prepareClassicRoot(image, root, boot);
	const dnsmasq = await startProxyDnsmasq(lab, folder, boot);
	const ganesha = await Ganesha.start(lab, root, { host: "srv", address: SERVER_ADDRESS });
	try {
		return await powerOn(lab);
	} finally {
		await ganesha.stop();
		await dnsmasq.stop();
	}
}

/** What one does by hand for a classic server: unpack the image, and tell its fstab and command line of the network. */
async function prepareClassicRoot(image: string, root: string, boot: string): Promise<void> {
	const made = join(dirname(image), basename(image, ".img"));
	await must(["cp", "-a", `${made}.root`, root]);
	await cp(`${made}.boot`, boot, { recursive: true });
	await writeFile(join(root, "etc/fstab"), "proc /proc proc defaults 0 0\n");
	const nfsroot = `root=/dev/nfs nfsroot=${SERVER_ADDRESS}:${root},vers=3,tcp,nolock rw ip=dhcp`;
	await writeFile(join(boot, "cmdline.txt"), `console=serial0,115200 console=tty1 ${nfsroot} rootwait\n`);
}

/** Proxy DHCP and TFTP on the lab's server. */
export async function startProxyDnsmasq(lab: Lab, folder: string, boot: string): Promise<Background> {
	const settings = [
		...["port=0", "no-resolv", "no-hosts", "log-dhcp", "log-facility=-", "interface=srv0", "bind-interfaces"],
		...["dhcp-range=10.77.0.0,proxy", 'pxe-service=0,"Raspberry Pi Boot"', "enable-tftp", `tftp-root=${boot}`],
		"dhcp-no-override",
	];
	const path = join(folder, "dnsmasq.conf");
	await writeFile(path, `${settings.join("\n")}\n`);
	const command = ["dnsmasq", "-k", `--conf-file=${path}`, "--user=root", "--group=root"];
	const dnsmasq = new Background(lab.on("srv", command));
	await dnsmasq.waitFor(/DHCP, proxy/, 10_000);
	return dnsmasq;
}
