import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DeviceEvent } from "./registry.ts";
import { Bench, eeprom, MASK_ROM, pi3, pi4 } from "./testing/pis.ts";

function heard(bench: Bench): DeviceEvent[] {
	const events: DeviceEvent[] = [];
	bench.registry.on("device", (event) => events.push(event));
	return events;
}

describe("ids", () => {
	test("a Pi 4 is known by its serial from the first packet on, and its MAC finds it in any spelling", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench, 0xff06da);
		assert.equal(device.id, "e0ff06da");
		assert.equal(device.name, "raspberrypi-06da");
		assert.equal(device.model, "pi4");
		for (const id of ["e0ff06da", "E0FF06DA", "10000000e0ff06da", "dca632ff06da", "dc:a6:32:ff:06:da"]) {
			assert.equal(bench.registry.get(id), device, id);
		}
	});

	test("a Pi 3B goes by its MAC until it says its serial: one event, and both ids find it after a restart", async () => {
		await using bench = await Bench.open();
		const mac = "b8:27:eb:ef:56:44";
		const device = bench.registry.sawFirmware({ mac, client: MASK_ROM, message: "discover" });
		assert.equal(device?.id, "b827ebef5644");
		const events = heard(bench);
		bench.registry.sawFirmware({ mac, client: pi3("a2ef5644"), message: "discover" });
		assert.deepEqual(
			events.filter(({ formerId }) => formerId !== undefined).map(({ id, formerId }) => [id, formerId]),
			[["a2ef5644", "b827ebef5644"]],
		);
		assert.equal(device?.model, "pi3b");
		await bench.restart();
		for (const id of ["a2ef5644", "b827ebef5644"]) assert.equal(bench.registry.get(id)?.mac, mac, id);
	});

	test("where two serials collide, both go by their MACs, and the serial still finds the first", async () => {
		await using bench = await Bench.open();
		const client = eeprom(0xd04170, "7bf18f79", "5iPR");
		const first = bench.registry.sawFirmware({ mac: "88:a2:9e:00:00:01", client, message: "discover" });
		const events = heard(bench);
		const second = bench.registry.sawFirmware({ mac: "88:a2:9e:00:00:02", client, message: "discover" });
		assert.equal(first?.id, "88a29e000001");
		assert.equal(second?.id, "88a29e000002");
		assert.equal(bench.registry.get("7bf18f79"), first);
		assert.deepEqual(
			events.filter((event) => event.device === first).map(({ id, formerId }) => [id, formerId]),
			[["88a29e000001", "7bf18f79"]],
		);
		await bench.restart();
		assert.equal(bench.registry.get("7bf18f79")?.id, "88a29e000001");
	});

	test("the first serial that its firmware said stands, whatever its agent says", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench, 1);
		bench.registry.sawFirmware({ mac: device.mac, client: eeprom(0xc03112, "deadbeef"), message: "discover" });
		assert.equal(device.id, "e0000001");
		const events = heard(bench);
		bench.registry.learnSerial(device, "1000000012345678");
		assert.deepEqual([device.id, bench.registry.get("12345678"), events], ["e0000001", undefined, []]);
		bench.registry.learnSerial(device, "10000000e0000001");
		assert.equal(device.id, "e0000001");
	});

	test("an agent is believed where its firmware told no serial, unless its MAC says otherwise", async () => {
		await using bench = await Bench.open();
		const young = await bench.registry.introduce("dc:a6:32:00:00:07");
		const old = await bench.registry.introduce("b8:27:eb:ef:56:44");
		for (const device of [young, old]) if (device !== undefined) bench.registry.learnSerial(device, "1000000012345678");
		assert.deepEqual([young?.id, old?.id], ["12345678", "b827ebef5644"]);
		assert.equal(bench.registry.get("dca632000007"), young);
	});

	test("an agent that says another Pi's serial is not believed: both keep their ids", async () => {
		await using bench = await Bench.open();
		const [rogue, other] = [pi4(bench, 1), pi4(bench, 2)];
		const before = [rogue.id, other.id];
		const events = heard(bench);
		bench.registry.learnSerial(rogue, `10000000${other.id}`);
		assert.deepEqual([rogue.id, other.id], before);
		assert.equal(bench.registry.get(other.id), other);
		assert.deepEqual(events, []);
	});

	test("a serial that cannot belong to a Pi 3's MAC changes nothing", async () => {
		await using bench = await Bench.open();
		const device = bench.registry.sawFirmware({
			mac: "b8:27:eb:ef:56:44",
			client: pi3("a2000000"),
			message: "discover",
		});
		assert.equal(device?.id, "b827ebef5644");
		assert.equal(device?.serial, null);
	});
});

describe("boot files", () => {
	test("a name alone makes no device", async () => {
		await using bench = await Bench.open();
		const found = bench.registry.sawBootFile({ address: "192.0.2.9", name: "7bf18f79/config.txt" });
		assert.deepEqual(found, { device: undefined, bound: false, path: "config.txt" });
		bench.registry.sawBootFile({ address: "192.0.2.9", neighbour: "00:11:22:33:44:55", name: "7bf18f79/config.txt" });
		assert.deepEqual(bench.registry.list(), []);
	});

	test("a Pi's MAC behind the address makes one, and the name tells its serial", async () => {
		await using bench = await Bench.open();
		const { device, bound } = bench.registry.sawBootFile({
			address: "192.0.2.9",
			neighbour: "2c:cf:67:00:00:01",
			name: "7bf18f79/config.txt",
		});
		assert.ok(bound);
		assert.equal(device?.id, "7bf18f79");
		bench.registry.sawBootFile({ address: "192.0.2.9", name: "7bf18f79/bcm2712-rpi-5-b.dtb" });
		assert.equal(device?.model, "pi5");
	});

	test("the serial in a name finds the device from anywhere, but only its own address is bound", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench, 1);
		bench.registry.bind(device, "192.0.2.20", "request");
		const from = (address: string) => bench.registry.sawBootFile({ address, name: "e0000001/cmdline.txt" });
		assert.deepEqual(from("192.0.2.20"), { device, bound: true, path: "cmdline.txt" });
		assert.deepEqual(from("::ffff:192.0.2.20"), { device, bound: true, path: "cmdline.txt" });
		assert.deepEqual(from("192.0.2.66"), { device, bound: false, path: "cmdline.txt" });
	});

	test("names without a serial, or with the MAC, go to who asks", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench, 1);
		bench.registry.bind(device, "192.0.2.20", "lease");
		for (const name of ["config.txt", "dc-a6-32-00-00-01/config.txt", "DC-A6-32-00-00-01/config.txt"]) {
			assert.deepEqual(bench.registry.sawBootFile({ address: "192.0.2.20", name }), {
				device,
				bound: true,
				path: "config.txt",
			});
		}
	});

	test("where two have one serial, the one that asks is meant", async () => {
		await using bench = await Bench.open();
		const client = eeprom(0xd04170, "7bf18f79", "5iPR");
		const [a, b] = ["88:a2:9e:00:00:01", "88:a2:9e:00:00:02"].map((mac, index) => {
			const device = bench.registry.sawFirmware({ mac, client, message: "discover" });
			assert.ok(device);
			bench.registry.bind(device, `192.0.2.${index + 1}`, "lease");
			return device;
		});
		const asks = (address: string) => bench.registry.sawBootFile({ address, name: "7bf18f79/config.txt" }).device;
		assert.equal(asks("192.0.2.1"), a);
		assert.equal(asks("192.0.2.2"), b);
		assert.equal(asks("192.0.2.3"), undefined);
	});

	test("a forged name from elsewhere teaches nothing", async () => {
		await using bench = await Bench.open();
		const device = bench.registry.sawFirmware({ mac: "b8:27:eb:ef:56:44", client: MASK_ROM, message: "discover" });
		const found = bench.registry.sawBootFile({ address: "192.0.2.66", name: "ffef5644/start.elf" });
		assert.equal(found.device, device);
		assert.equal(device?.serial, null);
	});
});

describe("addresses", () => {
	test("a forged REQUEST does not take the address of a Pi that proved it, and makes it ask for proof", async () => {
		await using bench = await Bench.open();
		const [victim, thief] = [pi4(bench, 1), pi4(bench, 2)];
		assert.ok(bench.registry.bind(victim, "192.0.2.20", "neighbour"));
		assert.equal(bench.registry.bind(thief, "192.0.2.20", "request"), false);
		assert.equal(bench.registry.deviceAt("192.0.2.20"), victim);
		assert.equal(bench.registry.sawBootFile({ address: "192.0.2.20", name: "e0000001/cmdline.txt" }).bound, false);
		assert.equal(bench.registry.diagnosis(thief)?.code, "address-conflict");
		const proved = { address: "192.0.2.20", neighbour: victim.mac, name: "e0000001/cmdline.txt" };
		assert.equal(bench.registry.sawBootFile(proved).bound, true);
	});

	test("the neighbour table moves an address, and time wears a proof out", async () => {
		await using bench = await Bench.open();
		const [a, b] = [pi4(bench, 1), pi4(bench, 2)];
		bench.registry.bind(a, "192.0.2.20", "neighbour");
		assert.ok(bench.registry.bind(b, "192.0.2.20", "neighbour"));
		assert.equal(bench.registry.deviceAt("192.0.2.20"), b);
		assert.deepEqual(bench.registry.addressesOf(a), []);
		bench.clock.advance(11 * 60_000);
		assert.ok(bench.registry.bind(a, "192.0.2.20", "request"));
	});

	test("a device keeps a few addresses, the proved ones longest, and its last over a restart", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench, 1);
		bench.registry.bind(device, "192.0.2.1", "neighbour");
		for (let last = 2; last <= 9; last++) bench.registry.bind(device, `192.0.2.${last}`, "request");
		assert.equal(bench.registry.addressesOf(device).length, 4);
		assert.equal(bench.registry.deviceAt("192.0.2.1"), device);
		assert.equal(bench.registry.deviceAt("192.0.2.2"), undefined);
		await bench.restart();
		assert.equal(bench.registry.deviceAt("192.0.2.9")?.id, "e0000001");
	});
});

describe("changes", () => {
	test("a change survives kill -9, and is told", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench, 1);
		const events = heard(bench);
		await bench.registry.patch("dca632000001", { name: "Kitchen", imageId: "debian", rootMode: "ephemeral" });
		assert.equal(events.at(-1)?.device, device);
		await bench.registry.patch(device.id, { intent: "disk" });
		await bench.restart("killed");
		const after = bench.registry.get("e0000001");
		assert.deepEqual(
			[after?.name, after?.imageId, after?.rootMode, after?.intent],
			["kitchen", "debian", "ephemeral", "disk"],
		);
	});

	for (const [name, reason] of [
		["", /empty/],
		["a".repeat(64), /64 characters/],
		["-a", /dash/],
		["a.b", /dots/],
		["a_b", /letters/],
		["ä", /letters/],
		["localhost", /every machine/],
	] as const) {
		test(`the name "${name.slice(0, 8)}" is refused with the reason`, async () => {
			await using bench = await Bench.open();
			const refused = bench.registry.patch(pi4(bench).id, { name, intent: "disk" });
			await assert.rejects(refused, { name: "DeviceError", code: "invalid-request", message: reason });
			assert.equal(bench.registry.list()[0]?.intent, "netboot", "nothing of a refused change takes effect");
		});
	}

	test("tags are kept over a restart, each once and in their order; what is none is refused whole", async () => {
		await using bench = await Bench.open();
		const { id } = pi4(bench);
		assert.deepEqual(bench.registry.get(id)?.tags, []);
		await bench.registry.patch(id, { tags: ["room-2", "küche", "room-2"] });
		await bench.restart();
		assert.deepEqual(bench.registry.get(id)?.tags, ["küche", "room-2"]);
		const many = Array.from({ length: 17 }, (_, index) => `t${index}`);
		for (const tags of [["a,b"], [""], ["ok", " x"], ["x".repeat(33)], many]) {
			await assert.rejects(bench.registry.patch(id, { tags }), { name: "DeviceError", code: "invalid-request" });
		}
		await bench.registry.patch(id, { tags: [] });
		assert.deepEqual(bench.registry.get(id)?.tags, []);
	});

	test("write-then-disk goes with a whole disk, which every other intent forgets", async () => {
		await using bench = await Bench.open();
		const { id } = pi4(bench);
		const refused = [
			{ intent: "write-then-disk" },
			{ intent: "write-then-disk", writeTarget: "/dev/../etc/passwd" },
			{ intent: "netboot", writeTarget: "/dev/sda" },
			{ writeTarget: "/dev/sda" },
		] as const;
		for (const changes of refused) {
			await assert.rejects(bench.registry.patch(id, changes), { name: "DeviceError", code: "invalid-request" });
		}
		assert.equal(bench.registry.list()[0]?.intent, "netboot");
		await bench.registry.patch(id, { intent: "write-then-disk", writeTarget: "/dev/mmcblk0" });
		await bench.restart("killed");
		const again = bench.registry.get(id);
		assert.deepEqual([again?.intent, again?.writeTarget], ["write-then-disk", "/dev/mmcblk0"]);
		await bench.registry.patch(id, { intent: "write-then-disk" });
		await bench.registry.patch(id, { name: "other" });
		assert.equal(bench.registry.get(id)?.writeTarget, "/dev/mmcblk0");
		await bench.registry.patch(id, { intent: "disk" });
		assert.equal(bench.registry.get(id)?.writeTarget, null);
	});

	test("an intent and what was stored with it take effect together, or neither does", async () => {
		await using bench = await Bench.open();
		const { id } = pi4(bench);
		const failing = bench.registry.setIntent(id, "disk", () => Promise.reject(new Error("the disk is full")));
		await assert.rejects(failing, /the disk is full/);
		assert.equal(bench.registry.get(id)?.intent, "netboot");
		await bench.registry.setIntent(id, "disk", async () => undefined);
		await bench.restart("killed");
		assert.equal(bench.registry.get(id)?.intent, "disk");
	});

	test("a name is one device's, also when two people want it at once", async () => {
		await using bench = await Bench.open();
		const [a, b] = [pi4(bench, 1), pi4(bench, 2)];
		const results = await Promise.allSettled([
			bench.registry.patch(a.id, { name: "lab" }),
			bench.registry.patch(b.id, { name: "lab" }),
		]);
		assert.deepEqual(
			results.map(({ status }) => status),
			["fulfilled", "rejected"],
		);
		await bench.registry.patch(a.id, { name: "other" });
		await bench.registry.patch(b.id, { name: "lab" });
		assert.equal(b.name, "lab");
	});

	test("what does not exist is named", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		await assert.rejects(bench.registry.patch("00000000", {}), { code: "device-not-found" });
		await assert.rejects(bench.registry.patch(device.id, { imageId: "nope" }), { code: "image-not-found" });
		await bench.registry.patch(device.id, { imageId: "debian" });
		await bench.registry.patch(device.id, { imageId: null });
		assert.equal(device.imageId, null);
	});

	test("a change that cannot be stored does not take effect", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		await bench.registry.stop();
		const broken = new Error("the disk is full");
		Object.assign(bench.store, { transaction: () => Promise.reject(broken) });
		await assert.rejects(bench.registry.patch(device.id, { name: "lab" }), /disk is full/);
		assert.equal(device.name, "raspberrypi-0001");
		await bench.store.close();
		await bench.restart("killed");
	});

	test("default names are unique where ids end alike", async () => {
		await using bench = await Bench.open();
		const names = [0x010001, 0x020001, 0x030001].map((number) => pi4(bench, number).name);
		assert.deepEqual(names, ["raspberrypi-0001", "raspberrypi-020001", "raspberrypi-030001"]);
	});

	test("the root mode follows the default until it is set", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		assert.equal(bench.registry.rootModeOf(device), "persistent");
		await bench.store.settings.set("defaultRootMode", "read-only");
		assert.equal(bench.registry.rootModeOf(device), "read-only");
		await bench.registry.patch(device.id, { rootMode: "ephemeral" });
		assert.equal(bench.registry.rootModeOf(device), "ephemeral");
	});
});

describe("keys", () => {
	test("machine-id and host keys are made once, however often they are asked for, and survive kill -9", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		const ids = await Promise.all([1, 2].map(() => bench.registry.machineId(device)));
		const keys = await Promise.all([1, 2].map(() => bench.registry.sshHostKeys(device)));
		assert.match(ids[0] ?? "", /^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
		assert.equal(ids[0], ids[1]);
		assert.deepEqual(keys[0], keys[1]);
		assert.match(keys[0]?.ed25519 ?? "", /^-----BEGIN PRIVATE KEY-----/);
		bench.registry.fact(device, { kind: "discover" });
		bench.clock.advance(2000);
		await bench.restart("killed");
		const again = bench.registry.get(device.id);
		assert.ok(again);
		assert.equal(await bench.registry.machineId(again), ids[0]);
		assert.deepEqual(await bench.registry.sshHostKeys(again), keys[0]);
		assert.notEqual(await bench.registry.machineId(pi4(bench, 2)), ids[0]);
	});
});

describe("bounds", () => {
	test("10,000 made-up MACs leave neither memory nor database grown, and those that matter stay", async () => {
		await using bench = await Bench.open({ limits: { strangers: 50, kept: 100 } });
		const named = pi4(bench, 0xf00001);
		await bench.registry.patch(named.id, { name: "mine" });
		const booting = pi4(bench, 0xf00002);
		bench.registry.fact(booting, { kind: "tftp-open", path: "start4.elf", found: true });
		for (let number = 0; number < 10_000; number++) pi4(bench, number);
		assert.equal(bench.registry.list().length, 51);
		assert.equal(bench.registry.get(named.id)?.name, "mine");
		assert.equal(bench.registry.get(booting.id), booting);
		await bench.restart();
		assert.equal((await bench.store.devices.list()).length, 51);
		assert.equal(bench.registry.list().length, 51);
	});

	test("there is an end to devices that are kept", async () => {
		await using bench = await Bench.open({ limits: { strangers: 5, kept: 2 } });
		for (const number of [1, 2]) await bench.registry.resetRoot(pi4(bench, number).id);
		const mac = "dc:a6:32:00:00:03";
		assert.equal(
			bench.registry.sawFirmware({ mac, client: eeprom(0xc03112, "e0000003"), message: "discover" }),
			undefined,
		);
	});

	test("Pis that do not boot from here are remembered, a few of them", async () => {
		await using bench = await Bench.open();
		for (let number = 0; number < 100; number++) {
			const mac = `dc:a6:32:00:01:${number.toString(16).padStart(2, "0")}`;
			bench.registry.sawLinux(mac, "userland", "192.0.2.1");
		}
		bench.registry.sawLinux("00:11:22:33:44:55", "userland");
		assert.equal(bench.registry.bystanders().length, 64);
		assert.equal(bench.registry.bystanders()[0]?.mac, "dc:a6:32:00:01:63");
		assert.deepEqual(bench.registry.list(), []);
	});
});
