/**
 * What a boot of Raspberry Pi OS takes by TFTP: from our server, which leaves out an initramfs that nobody needs, and from
 * dnsmasq with the files as they are in the image. The firmware is a virtual one, which asks for what its config.txt says.
 */
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { removeFirmware, runFirmware } from "../test/harness/firmware.ts";
import { Lab, SERVER_ADDRESS } from "../test/harness/lab.ts";
import { Router } from "../test/harness/router.ts";
import { Server } from "../test/harness/server.ts";
import { startProxyDnsmasq } from "./boot.ts";
import { table } from "./compare.ts";
import { BOOT_TREE, makeFixture, removeFixture } from "./fixture.ts";
import { stockBootFiles, stockRootFiles } from "./stock.ts";

const PIS = [
	{ name: "Pi 3B+", model: "pi3bp", mac: "b8:27:eb:0b:ac:21", serial: "be0bac21" },
	{ name: "Pi 4", model: "pi4", mac: "dc:a6:32:be:ac:22", serial: "be4c0022" },
	{ name: "Pi 5", model: "pi5", mac: "88:a2:9e:be:ac:23", serial: "be4c0023" },
] as const;

/** Prints the megabytes of each model on both sides. */
export async function benchBytes(): Promise<void> {
	const fixture = await makeFixture({ megabytes: 1, bootFiles: stockBootFiles(), rootFiles: stockRootFiles() });
	try {
		const ours = await inLab(async (lab) => {
			const server = await Server.start(lab, fixture);
			await server.waitForImage("bench");
			const sums = await fetchAll(lab);
			await server.stop();
			return sums;
		});
		const peer = await inLab(async (lab) => {
			const tree = join(fixture.folder, BOOT_TREE);
			// Whoever serves the files as they are writes the root into the command line by hand.
			await writeFile(join(tree, "cmdline.txt"), `root=/dev/nfs nfsroot=${SERVER_ADDRESS}:/srv,vers=3 rw ip=dhcp\n`);
			const dnsmasq = await startProxyDnsmasq(lab, fixture.folder, tree);
			const sums = await fetchAll(lab);
			await dnsmasq.stop();
			return sums;
		});
		const rows = PIS.map(({ name }, index) => row(name, ours[index] ?? Number.NaN, peer[index] ?? Number.NaN));
		process.stdout.write(`${table([["MB by TFTP until the kernel", "ours", "stock", "ratio", "aim"], ...rows])}\n`);
	} finally {
		await removeFixture(fixture);
	}
}

function row(name: string, ours: number, stock: number): readonly string[] {
	const ratio = ours / stock;
	const aim = `about half: ${ratio <= 0.55 ? "met" : "MISSED"}`;
	return [name, (ours / 1e6).toFixed(1), (stock / 1e6).toFixed(1), `${ratio.toFixed(2)}x`, aim];
}

async function inLab<T>(action: (lab: Lab) => Promise<T>): Promise<T> {
	const lab = await Lab.create();
	const router = await Router.start(lab);
	try {
		return await action(lab);
	} finally {
		await router.stop();
		await lab.remove();
	}
}

async function fetchAll(lab: Lab): Promise<number[]> {
	const sums: number[] = [];
	for (const pi of PIS) sums.push(await fetchedBytes(lab, pi));
	return sums;
}

async function fetchedBytes(lab: Lab, pi: (typeof PIS)[number]): Promise<number> {
	const firmware = await runFirmware(lab, pi);
	try {
		const sizes = await Promise.all(firmware.names.map(async (name) => (await stat(join(firmware.folder, name))).size));
		return sizes.reduce((sum, size) => sum + size, 0);
	} finally {
		await removeFirmware(firmware);
	}
}
