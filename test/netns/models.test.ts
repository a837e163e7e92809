/** Every model there is, powered on at once: alone with a server that gives the addresses too, then beside a home router. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { DeviceList } from "@pi-netboot/api";
import { makeIdentity, models } from "../../simulator/src/index.ts";
import { Lab } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { type PiReport, powerOn, story, type VirtualPi } from "../harness/virtual-pi.ts";

interface Member extends VirtualPi {
	readonly host: string;
	readonly number: number;
	/** The model as the API has it. */
	readonly modelId: string;
}

/** The captures called a Pi 400 with a bootloader of 2021 so; a 500+ and a D0 chip are not models of their own. */
function modelIdOf(name: string): string {
	const family = name === "pi4-2021" ? "pi400" : (name.split("-")[0] ?? "");
	return family === "pi500p" ? "pi500" : family === "pi5d0" ? "pi5" : family;
}

const PIS: readonly Member[] = models.map((model, number) => ({
	...makeIdentity(model, number),
	host: `m${number}`,
	number,
	model: model.name,
	modelId: modelIdOf(model.name),
}));

/** What runs in the system: a client identifier of its own shall not bring another address. */
const SYSTEMS = ["networkmanager", "networkd", "dhcpcd"];

const skip = await lacks(["ip", "curl", "dnsmasq", ...IMAGE_PROGRAMS]);
let folder = "";
let lab: Lab;

before(async () => {
	if (skip !== false) return;
	folder = await mkdtemp(join(tmpdir(), "models-"));
	mkdirSync(join(folder, "images"));
	makeSmallImage(join(folder, "images"), folder, { kernelBytes: 300_000, forAllModels: true });
	lab = await Lab.create();
	for (const { host, mac } of PIS) await lab.addHost(host, { mac });
});

after(async () => {
	if (skip !== false) return;
	await lab?.remove();
	await rm(folder, { recursive: true });
});

async function serve(mode: "proxy" | "full"): Promise<Server> {
	const data = join(folder, mode);
	const server = await Server.start(lab, { images: join(folder, "images"), data, flags: ["--dhcp", mode] });
	await server.waitForImage("small");
	return server;
}

const isRom = ({ model }: Member): boolean => model === "pi3b" || model === "pi2b";

async function bootAtOnce(pis: readonly Member[]): Promise<PiReport[]> {
	const boot = (pi: Member) => {
		const flags = ["--system", SYSTEMS[pi.number % SYSTEMS.length] ?? ""];
		return powerOn(lab, pi.host, pi, { flags, seconds: 100 });
	};
	const reports = await Promise.all(pis.map(boot));
	const failed = reports.filter(({ ok }) => !ok);
	const stories = failed.map((report) => `${pis[reports.indexOf(report)]?.model} ${report.error}\n${story(report)}`);
	assert.equal(failed.length, 0, stories.join("\n\n"));
	return reports;
}

async function assertKnown(server: Server): Promise<void> {
	const { devices } = await server.api<DeviceList>("GET", "/api/v1/devices");
	const known = devices.map(({ id, mac, model, stage }) => [id, mac, model, stage]);
	const expected = PIS.map(({ serial, mac, modelId }) => [serial.slice(-8), mac, modelId, "userspace"]);
	assert.deepEqual(known.sort(), expected.sort());
}

describe(`${PIS.length} Pis of as many models`, { skip }, () => {
	it("boot from a server that gives the addresses too, and keep theirs from the firmware to the system", async () => {
		const server = await serve("full");
		try {
			// Those with the faulty ROM take whatever they hear: they come by themselves.
			const reports = await bootAtOnce(PIS.filter((pi) => !isRom(pi)));
			reports.push(...(await bootAtOnce(PIS.filter(isRom))));
			for (const report of reports) assert.equal(report.addresses.length, 1, story(report));
			assert.equal(new Set(reports.map(({ address }) => address)).size, PIS.length);
			await assertKnown(server);
		} finally {
			await server.stop();
		}
	});

	it("boot beside a home router, and are known as what they are", async () => {
		// dnsmasq keeps no address that it only offered, and a Pi 3 never takes one: two Pis would get the same.
		const reserved = Object.fromEntries(PIS.map(({ mac, number }) => [mac, `10.77.0.${100 + number}`]));
		const router = await Router.start(lab, { reserved });
		const server = await serve("proxy");
		try {
			await bootAtOnce(PIS);
			await assertKnown(server);
		} finally {
			await server.stop();
			await router.stop();
		}
	});
});
