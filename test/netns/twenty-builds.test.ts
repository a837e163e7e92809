/** The loop of somebody who builds images: a build takes the place of the one before, the Pi is rebooted, and runs the new one. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Image } from "@pi-netboot/api";
import { must } from "../harness/command.ts";
import { Lab } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { Server } from "../harness/server.ts";
import { makeSmallImage } from "../harness/small-image.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";

const PI = { model: "pi5-2026", mac: "2c:cf:67:b0:00:01", serial: "10000000b0110001" };
const BUILDS = 20;
const nameOf = (build: number) => `build-${String(build).padStart(2, "0")}`;

const skip = await lacks(["ip", "curl", "dnsmasq", "zstd", ...IMAGE_PROGRAMS]);
let folder = "";
let images = "";
let data = "";
let content: Buffer;
let lab: Lab;
let router: Router;
let server: Server;

before(async () => {
	if (skip !== false) return;
	folder = await mkdtemp(join(tmpdir(), "builds-"));
	[images, data] = [join(folder, "images"), join(folder, "data")];
	mkdirSync(images);
	const { path } = makeSmallImage(folder, folder, { kernelBytes: 100_000, variant: nameOf(0) });
	content = readFileSync(path);
	lab = await Lab.create();
	router = await Router.start(lab);
	server = await Server.start(lab, { images, data });
	await lab.addHost("pi", { mac: PI.mac });
});

after(async () => {
	if (skip !== false) return;
	await server?.stop();
	await router?.stop();
	await lab?.remove();
	await rm(folder, { recursive: true });
});

/** Puts a build where the one before was, as a script does that builds images. */
async function put(build: number): Promise<void> {
	for (let at = content.indexOf("build-"); at !== -1; at = content.indexOf("build-", at + 1)) {
		content.write(nameOf(build), at, "latin1");
	}
	const made = join(folder, "made.img");
	writeFileSync(made, content);
	await must(["zstd", "-q", "-f", "-1", made, "-o", join(folder, "loop.img.zst")]);
	renameSync(join(folder, "loop.img.zst"), join(images, "loop.img.zst"));
}

/** Waits until a Pi would boot the file as it is. */
async function isTaken(): Promise<void> {
	const { mtimeMs } = statSync(join(images, "loop.img.zst"));
	const deadline = Date.now() + 30_000;
	for (;;) {
		const [image] = (await server.api<{ images: Image[] }>("GET", "/api/v1/images")).images;
		if (image?.state === "ready" && Math.abs(image.modifiedAt - mtimeMs) < 2) return;
		if (Date.now() > deadline) throw new Error(`the build is not taken: ${JSON.stringify(image)}\n${server.log}`);
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}

describe(`${BUILDS} builds, one after the other, without a click`, { skip, timeout: 240_000 }, () => {
	it("boot each as soon as it is there, under one id", async () => {
		for (let build = 1; build <= BUILDS; build++) {
			await put(build);
			await isTaken();
			const report = await powerOn(lab, "pi", PI);
			assertBooted(report);
			assert.equal(report.osRelease?.VARIANT, nameOf(build));
		}
		const { images: all } = await server.api<{ images: Image[] }>("GET", "/api/v1/images");
		assert.deepEqual(
			all.map(({ id, state }) => [id, state]),
			[["loop", "ready"]],
		);
	});

	it("leave one unpacked copy, that of the last", () => {
		assert.equal(readdirSync(join(data, "unpacked")).length, 1);
	});
});
