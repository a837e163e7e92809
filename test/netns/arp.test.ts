/** The ROM of a Pi 3B does not answer ARP while it fetches its file, and gets it all the same when that takes long. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { bootLab } from "../harness/boot-lab.ts";
import { must } from "../harness/command.ts";
import { type Lab, SERVER_ADDRESS } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { makeSmallImage, type SmallImage } from "../harness/small-image.ts";

const SLOW_ROM = fileURLToPath(new URL("slow-rom.ts", import.meta.url));
const MAC = "b8:27:eb:ef:56:44";
const ADDRESS = "10.77.0.33";

const skip = await lacks(["ip", "curl", "ping", "sysctl", ...IMAGE_PROGRAMS]);
let image: SmallImage;
let lab: Lab;

bootLab(skip, async (room) => {
	({ lab } = room);
	image = makeSmallImage(room.images, room.folder, { kernelBytes: 620_000 });
	await lab.addHost("rom", { mac: MAC, address: `${ADDRESS}/24` });
	await room.serve({ images: ["small"] });
});

/** From now on this host neither answers ARP nor asks: it knows the server, and the server has heard of it once. */
async function silenceArp(): Promise<void> {
	await must(lab.on("rom", ["ping", "-c", "1", "-W", "2", SERVER_ADDRESS]));
	const known = /lladdr (\S+)/.exec(await must(lab.on("rom", ["ip", "neigh", "show", SERVER_ADDRESS])))?.[1] ?? "";
	const neighbour = ["neigh", "replace", SERVER_ADDRESS, "lladdr", known, "dev", "rom0", "nud", "permanent"];
	await must(lab.on("rom", ["ip", ...neighbour]));
	await must(lab.on("rom", ["sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=8"]));
	// What the server heard is old by now, as it is when a Pi has asked for it and begins to fetch.
	const heard = ["neigh", "replace", ADDRESS, "lladdr", MAC, "dev", "srv0", "nud", "stale"];
	await must(lab.on("srv", ["ip", ...heard]));
}

describe("a Pi 3B that does not answer ARP", { skip }, () => {
	it("gets all of bootcode.bin, although it takes longer than the kernel remembers where it is", async () => {
		await silenceArp();
		const rom = lab.on("rom", [process.execPath, SLOW_ROM, SERVER_ADDRESS, "600"]);
		const output = await must(rom, { timeout: 60_000 });
		assert.equal(output, `all ${statSync(join(image.boot, "bootcode.bin")).size}\n`);
		const entry = await must(lab.on("srv", ["ip", "neigh", "show", ADDRESS]));
		assert.doesNotMatch(entry, /PERMANENT|FAILED/);
	});
});
