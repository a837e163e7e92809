import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { silentLogger } from "../base/index.ts";
import { Bench, eeprom, MASK_ROM, pi3 } from "../devices/testing/pis.ts";
import { EventHub } from "../http/index.ts";
import { ImageLibrary, inspectImage } from "../images/index.ts";
import { createLogging } from "../log-setup.ts";
import { makePiImage } from "../vfs/image/testing/images.ts";
import { DeviceAnswers } from "./device-service.ts";
import { publishEvents } from "./events.ts";
import { ImageAnswers } from "./image-service.ts";
import { startSources } from "./image-sources.ts";

let folder = "";
before(() => {
	folder = mkdtempSync(join(tmpdir(), "events-"));
	for (const name of ["one.img", "two.img"]) addImage(folder, name);
});
after(() => rmSync(folder, { recursive: true }));

/** A file that was written long ago is not watched first. */
function addImage(to: string, name: string): void {
	utimesSync(makePiImage(to, { name }), 1_600_000_000, 1_600_000_000);
}

async function lab(images = folder) {
	const bench = await Bench.open();
	let chosen: string | undefined;
	const set = async (id: string | undefined) => {
		chosen = id;
	};
	const library = new ImageLibrary({
		folder: images,
		records: bench.store.images,
		inspect: inspectImage,
		defaults: { get: () => chosen, set },
		watch: false,
		pollMs: 3_600_000,
	});
	const hub = new EventHub(silentLogger);
	const told: string[] = [];
	hub.subscribe((event) => {
		const { type, data } = event;
		if (type === "image") told.push(`image ${data.id}${data.image?.isDefault === true ? " default" : ""}`);
		else if (type === "device")
			told.push(`device ${data.id}${data.formerId === undefined ? "" : ` was ${data.formerId}`}`);
		else if (type === "log") told.push(`log ${data.message}`);
	});
	const logging = createLogging({ level: "info", format: "text", write: () => undefined });
	const undo: (() => unknown)[] = [];
	const catalogUrl = "http://127.0.0.1:9/";
	const roots = { letGo() {}, care: { keptOf: () => new Map() } };
	const parts = { folder: images, catalogUrl, library, registry: bench.registry, roots, log: silentLogger };
	const sources = await startSources(parts, undo);
	const answers = new ImageAnswers(sources);
	const devices = new DeviceAnswers(
		bench.registry,
		() => 4096,
		() => null,
	);
	const end = publishEvents({
		hub,
		registry: bench.registry,
		devices,
		library,
		arrivals: sources.arrivals,
		images: answers,
		logging,
		log: logging.log,
	});
	const dispose = async () => {
		await library.stop();
		await bench[Symbol.asyncDispose]();
	};
	const take = () => told.splice(0);
	return { bench, library, images: answers, devices, logging, take, end, [Symbol.asyncDispose]: dispose };
}

describe("the page", () => {
	test("hears of images and of which is the default one now", async () => {
		await using site = await lab();
		await site.library.start();
		// The newest is the default until another comes: of each what was said last counts.
		const said = new Map(site.take().map((line) => [line.replace(" default", ""), line]));
		const wanted = ["one", "two"].map((id) => `image ${id}${id === site.library.defaultId ? " default" : ""}`);
		assert.deepEqual([...said.values()].sort(), wanted);
		assert.equal(await site.images.setDefault("one"), true);
		assert.deepEqual(
			site.images
				.list()
				.filter(({ isDefault }) => isDefault)
				.map(({ id }) => id),
			["one"],
		);
		site.take();
		assert.equal(await site.images.setDefault("two"), true);
		assert.deepEqual(site.take(), ["image one", "image two default"]);
		assert.equal(await site.images.setDefault("two"), true);
		assert.equal(await site.images.setDefault("three"), false);
		assert.deepEqual(site.take(), []);
	});

	test("hears of devices, of another id, and of what the log says", async () => {
		await using site = await lab();
		const mac = "b8:27:eb:ef:56:44";
		site.bench.registry.sawFirmware({ mac, client: MASK_ROM, message: "discover" });
		assert.ok(site.take().includes("device b827ebef5644"));
		site.bench.registry.sawFirmware({ mac, client: pi3("a2ef5644"), message: "discover" });
		assert.ok(site.take().includes("device a2ef5644 was b827ebef5644"));
		site.logging.log.info("said");
		assert.deepEqual(site.take(), ["log said"]);
	});

	test("hears of an image when a Pi begins to run it, when its boot is over while the Pi runs another one, and when nobody has it open any more", async (t) => {
		await using site = await lab();
		await site.library.start();
		const { registry } = site.bench;
		const client = eeprom(0xc03112, "e0000001");
		const device = registry.sawFirmware({ mac: "dc:a6:32:00:00:01", client, message: "discover" });
		assert.ok(device);
		t.mock.timers.enable({ apis: ["setTimeout"] });
		const imagesTold = () => {
			t.mock.timers.tick(1000);
			const told = site.take().filter((line) => line.startsWith("image"));
			return told.map((line) => line.replace(" default", ""));
		};
		const begin = async (imageId: string) => {
			const buildId = site.library.get(imageId)?.buildId ?? assert.fail(imageId);
			const plan = { imageId, buildId, mode: "persistent", server: "192.0.2.1" } as const;
			const { boot } = await registry.beginBoot(device, plan, async () => null);
			await registry.bootMounted(boot.id);
			return boot;
		};
		imagesTold();
		const first = await begin("one");
		assert.deepEqual(imagesTold(), ["image one"]);
		await begin("two");
		assert.deepEqual(imagesTold(), ["image two"]);
		await registry.bootEnded(first.id);
		assert.deepEqual(imagesTold(), ["image one"]);
		const buildId = site.library.get("two")?.buildId ?? "";
		site.library.hold(buildId);
		registry.sawFirmware({ mac: "dc:a6:32:00:00:01", client, message: "discover" });
		registry.fact(device, { kind: "agent", bootId: registry.bootsOf(device)[0]?.id ?? "" });
		assert.deepEqual([imagesTold(), site.images.get("two")?.usedBy], [["image two"], [device.name]]);
		site.library.release(buildId);
		assert.deepEqual([imagesTold(), site.images.get("two")?.usedBy], [["image two"], []]);
	});

	test("does not disturb a boot when a change cannot be shown", async (t) => {
		await using site = await lab();
		t.mock.method(site.devices, "show", () => assert.fail("a fault of ours"));
		const client = eeprom(0xc03112, "e0000001");
		const device = site.bench.registry.sawFirmware({ mac: "dc:a6:32:00:00:01", client, message: "discover" });
		assert.equal(device?.id, "e0000001");
		assert.ok(site.take().includes("log the page was not told of a change: a fault of ours"));
	});

	test("hears nothing once that was ended", async () => {
		await using site = await lab();
		site.end();
		await site.library.start();
		await site.images.setDefault("one");
		site.bench.registry.sawFirmware({
			mac: "dc:a6:32:00:00:01",
			client: eeprom(0xc03112, "e0000001"),
			message: "discover",
		});
		site.logging.log.info("said");
		assert.deepEqual(site.take(), []);
	});
});

describe("answers", () => {
	test("about devices: shown as they are, changed, and not found", async () => {
		await using site = await lab();
		site.bench.registry.sawFirmware({
			mac: "dc:a6:32:00:00:01",
			client: eeprom(0xc03112, "e0000001"),
			message: "discover",
		});
		const [device, ...more] = site.devices.list();
		assert.deepEqual(more, []);
		assert.equal(device?.id, "e0000001");
		assert.equal(device.modelName, "Raspberry Pi 4 Model B, 4 GB");
		assert.equal(device.stage, "dhcp");
		assert.equal(device.rootMode, "persistent");
		assert.equal("diagnosis" in device, false);
		assert.equal((await site.devices.change("e0000001", { rootMode: "ephemeral" }))?.rootMode, "ephemeral");
		assert.equal((await site.devices.resetRoot("dc:a6:32:00:00:01"))?.id, "e0000001");
		assert.equal(site.bench.registry.get("e0000001")?.rootReset, true);
		await assert.rejects(site.devices.change("e0000001", { imageId: "none" }), { code: "image-not-found" });
		assert.equal(await site.devices.change("00000000", {}), undefined);
		assert.equal(await site.devices.resetRoot("00000000"), undefined);
		assert.equal(site.devices.get("00000000"), undefined);
	});

	test("about images: shown as they are, and removed with their file", async () => {
		const own = mkdtempSync(join(tmpdir(), "events-"));
		addImage(own, "one.img");
		await using site = await lab(own);
		await site.library.start();
		const image = site.images.get("one");
		assert.deepEqual([image?.state, image?.source, image?.os?.id], ["ready", join(own, "one.img"), "debian"]);
		assert.equal(site.images.get("none"), undefined);
		assert.equal(await site.images.remove("none", "delete"), "not-found");
		assert.equal(await site.images.remove("one", "delete"), "removed");
		assert.equal(existsSync(join(own, "one.img")), false);
		assert.equal(site.images.get("one"), undefined);
		rmSync(own, { recursive: true });
	});
});
