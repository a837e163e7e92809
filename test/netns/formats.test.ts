/** One system, packed in every way that people have it: each boots a virtual Pi, and is the same system. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { must } from "../harness/command.ts";
import { Lab } from "../harness/lab.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { Router } from "../harness/router.ts";
import { Server } from "../harness/server.ts";
import { makeSmallImage, type SmallImage } from "../harness/small-image.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";

const PI = { model: "pi4-2021", mac: "dc:a6:32:40:00:01", serial: "1000000040000001" } as const;

/** Image ids, and the commands that make them of `small.img` or of the folder `rootfs`, in the folder of the images. */
const FORMATS: Readonly<Record<string, string>> = {
	"by-xz": "xz -0 -c ../small.img > by-xz.img.xz",
	"by-gzip": "gzip -1 -c ../small.img > by-gzip.img.gz",
	"by-zstd": "zstd -1 -q -c ../small.img > by-zstd.img.zst",
	"by-zip": "zip -1 -q -j by-zip.zip ../small.img",
	"as-tar": "tar -C ../rootfs --owner=0 --group=0 --numeric-owner -cf as-tar.tar .",
	"as-packed-tar": "tar -C ../rootfs --owner=0 --group=0 --numeric-owner -cf - . | xz -0 > as-packed-tar.tar.xz",
};

const skip = await lacks(["ip", "curl", "dnsmasq", "xz", "zstd", "zip", "tar", ...IMAGE_PROGRAMS]);
let folder = "";
let lab: Lab;
let router: Router;
let server: Server;
let image: SmallImage;

before(async () => {
	if (skip !== false) return;
	folder = await mkdtemp(join(tmpdir(), "formats-"));
	const images = join(folder, "images");
	mkdirSync(images);
	image = makeSmallImage(folder, folder, { kernelBytes: 200_000 });
	cpSync(image.root, join(folder, "rootfs"), { recursive: true });
	cpSync(image.boot, join(folder, "rootfs/boot/firmware"), { recursive: true });
	for (const command of Object.values(FORMATS)) await must(["sh", "-c", `cd '${images}' && ${command}`]);
	lab = await Lab.create();
	router = await Router.start(lab);
	server = await Server.start(lab, { images, data: join(folder, "data") });
	await lab.addHost("pi", { mac: PI.mac });
});

after(async () => {
	if (skip !== false) return;
	await server?.stop();
	await router?.stop();
	await lab?.remove();
	await rm(folder, { recursive: true });
});

describe("images as people have them", { skip }, () => {
	for (const id of Object.keys(FORMATS)) {
		it(`boot: ${id}`, async () => {
			await server.waitForImage(id);
			await server.api("PUT", "/api/v1/images/default", { id });
			const report = await powerOn(lab, "pi", PI, { saveTo: join(folder, id) });
			assertBooted(report);
			for (const name of ["kernel8.img", "start4.elf", "initramfs8"]) {
				assert.ok(readFileSync(join(folder, id, name)).equals(readFileSync(join(image.boot, name))), name);
			}
			assert.equal(report.osRelease?.VARIANT, "small");
			assert.ok(report.rootEntries?.includes("usr"));
		});
	}

	it("are not unpacked a second time after a restart", async () => {
		const copies = () =>
			readdirSync(join(folder, "data/unpacked")).map((name) => statSync(join(folder, "data/unpacked", name)).ino);
		const before = copies();
		await server.kill();
		server = await server.restart();
		for (const id of Object.keys(FORMATS)) await server.waitForImage(id);
		assert.deepEqual(copies(), before);
		assert.equal(before.length, Object.keys(FORMATS).length - 1);
	});
});
