/** A class of fifty Pis, powered on by one switch. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { DeviceList } from "@pi-netboot/api";
import { bootLab } from "../harness/boot-lab.ts";
import type { Lab } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import type { Server } from "../harness/server.ts";
import { makeSmallImage, type SmallImage } from "../harness/small-image.ts";
import { type PiReport, powerOn, story, type VirtualPi } from "../harness/virtual-pi.ts";

const COUNT = 50;
const MODELS = [
	{ model: "pi3bp", oui: "b8:27:eb", modelId: "pi3bp", kernel: "kernel8.img" },
	{ model: "pi4-2021", oui: "dc:a6:32", modelId: "pi400", kernel: "kernel8.img" },
	{ model: "pi4-2026", oui: "e4:5f:01", modelId: "pi4", kernel: "kernel8.img" },
	{ model: "pi5-2026", oui: "88:a2:9e", modelId: "pi5", kernel: "kernel_2712.img" },
] as const;

interface Member extends VirtualPi {
	readonly host: string;
	readonly modelId: string;
	readonly kernel: string;
}

/** The serial of a Pi 3 ends with the end of its MAC. */
const FLEET: readonly Member[] = Array.from({ length: COUNT }, (_, index) => {
	const kind = MODELS[index % MODELS.length] ?? MODELS[0];
	const number = index.toString(16).padStart(2, "0");
	return { ...kind, host: `f${index}`, mac: `${kind.oui}:20:00:${number}`, serial: `10000000a12000${number}` };
});

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let folder = "";
let lab: Lab;
let server: Server;
let image: SmallImage;
let reports: PiReport[] = [];

bootLab(skip, async (room) => {
	({ lab, folder } = room);
	image = makeSmallImage(room.images, folder, { kernelBytes: 400_000 });
	// dnsmasq keeps no address that it only offered, and a Pi 3 never takes one: two Pis would get the same.
	const reserved = FLEET.map(({ mac }, index) => [mac, `10.77.0.${100 + index}`] as const);
	await room.startRouter({ reserved: Object.fromEntries(reserved) });
	server = await room.serve({ images: ["small"] });
	for (const { host, mac } of FLEET) await lab.addHost(host, { mac });
});

/** The most memory that the server ever had, in MB. */
function peakMemory(): number {
	const status = readFileSync(`/proc/${server.pid}/status`, "utf8");
	const kibibytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? assert.fail(status));
	return (kibibytes * 1024) / 1_000_000;
}

const distinct = (texts: readonly (string | undefined)[]) => new Set(texts.filter((text) => text !== undefined)).size;

describe(`${COUNT} Pis that are powered on at once`, { skip }, () => {
	it("all boot", async () => {
		reports = await Promise.all(
			FLEET.map((pi) =>
				powerOn(lab, pi.host, pi, { saveTo: join(folder, pi.host), flags: ["--starts-over"], seconds: 120 }),
			),
		);
		const failed = reports.filter(({ ok }) => !ok);
		assert.equal(failed.length, 0, failed.map(story).join("\n\n"));
	});

	it("have each an address, a name and a root of their own", () => {
		assert.equal(distinct(reports.map(({ address }) => address)), COUNT);
		assert.equal(distinct(reports.map(({ hostname }) => hostname)), COUNT);
		assert.equal(distinct(reports.map(({ cmdline }) => cmdline)), COUNT);
	});

	it("have the image's kernel", () => {
		for (const { host, kernel } of FLEET) {
			assert.ok(readFileSync(join(folder, host, kernel)).equals(readFileSync(join(image.boot, kernel))), host);
		}
	});

	it("are all known, with their models", async () => {
		const { devices } = await server.api<DeviceList>("GET", "/api/v1/devices");
		const known = devices.map(({ id, mac, model, stage, bootCount }) => [id, mac, model, stage, bootCount]);
		const expected = FLEET.map(({ serial, mac, modelId }) => [serial.slice(-8), mac, modelId, "userspace", 1]);
		assert.deepEqual(known.sort(), expected.sort());
	});

	it("take less than 200 MB of the server's memory", (context) => {
		const peak = peakMemory();
		context.diagnostic(`the server's memory with ${COUNT} Pis: ${peak.toFixed(0)} MB at most`);
		assert.ok(peak < 200, `${peak} MB`);
	});
});
