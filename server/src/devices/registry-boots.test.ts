import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Device } from "./device.ts";
import { Bench, eeprom, pi4 } from "./testing/pis.ts";

const PLAN = { imageId: "debian", buildId: "b1", mode: "persistent", server: "192.0.2.1" } as const;
const noLayer = async () => null;

describe("boots", () => {
	test("asked for again before it is mounted, it is the same boot, also after kill -9", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		const first = await bench.registry.beginBoot(device, PLAN, async () => "layer1");
		await bench.restart("killed");
		const again = bench.registry.get(device.id);
		assert.ok(again);
		const second = await bench.registry.beginBoot(again, PLAN, noLayer);
		assert.ok(first.fresh && !second.fresh);
		assert.deepEqual(second.boot, first.boot);
		assert.equal(again.bootCount, 1);
		assert.equal(bench.registry.bootByToken(first.boot.exportToken)?.id, first.boot.id);
	});

	test("what its last power-ons asked for is known after a restart, also of the one that goes on", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		for (const kernel of ["kernel8.img", "kernel_2712.img"]) {
			bench.clock.advance(200_000);
			pi4(bench);
			bench.registry.fact(device, { kind: "tftp-open", path: "config.txt", found: true });
			const { boot } = await bench.registry.beginBoot(device, PLAN, noLayer);
			bench.registry.fact(device, { kind: "cmdline", bootId: boot.id });
			bench.registry.fact(device, { kind: "tftp-open", path: kernel, found: true });
			bench.registry.fact(device, { kind: "tftp-end", path: kernel, outcome: "complete", bytes: 7, size: 7 });
			await bench.registry.bootMounted(boot.id);
			bench.registry.fact(device, { kind: "mount", bootId: boot.id });
		}
		const before = bench.registry.attempts(device);
		await bench.restart();
		const again = bench.registry.get(device.id);
		assert.ok(again);
		assert.equal(before.length, 2);
		assert.deepEqual(JSON.parse(JSON.stringify(bench.registry.attempts(again))), JSON.parse(JSON.stringify(before)));
		assert.deepEqual(
			before.map(({ files }) => files.map(({ path, bytes }) => [path, bytes])),
			["kernel_2712.img", "kernel8.img"].map((kernel) => [
				["config.txt", 0],
				[kernel, 7],
			]),
		);
	});

	test("of a Pi that came to no boot, at all or lately, it is known after a restart what it asked for", async () => {
		await using bench = await Bench.open();
		const [stranger, known] = [pi4(bench, 1), pi4(bench, 2)];
		const ask = (device: Device, path: string) =>
			bench.registry.fact(device, { kind: "tftp-open", path, found: false });
		const { boot } = await bench.registry.beginBoot(known, PLAN, noLayer);
		ask(known, "cmdline.txt");
		await bench.registry.bootMounted(boot.id);
		bench.clock.advance(200_000);
		pi4(bench, 2);
		ask(stranger, "start4.elf");
		ask(known, "start.elf");
		const asked = (device: Device) => bench.registry.attempts(device).map(({ files }) => files.map(({ path }) => path));
		const before = [asked(stranger), asked(known)];
		assert.deepEqual(before, [[["start4.elf"]], [["start.elf"], ["cmdline.txt"]]]);
		await bench.restart();
		assert.deepEqual([stranger, known].map(asked), before);
	});

	test("of a Pi that stands still all that it asked for outlives a restart, and a kill but for the last seconds", async () => {
		for (const how of ["clean", "killed"] as const) {
			await using bench = await Bench.open();
			const device = pi4(bench);
			for (const path of ["start4.elf", "config.txt", "kernel8.img"]) {
				bench.registry.fact(device, { kind: "tftp-open", path, found: true });
			}
			bench.registry.fact(device, { kind: "tftp-end", path: "config.txt", outcome: "complete", bytes: 7, size: 7 });
			if (how === "killed") await bench.pass(6);
			const before = bench.registry.attempts(device);
			await bench.restart(how);
			const after = bench.registry.attempts(device);
			assert.deepEqual(JSON.parse(JSON.stringify(after)), JSON.parse(JSON.stringify(before)), how);
			assert.equal(after[0]?.files.length, 3);
		}
	});

	test("of many power-ons the last five are kept", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		for (let count = 0; count < 8; count++) {
			bench.clock.advance(200_000);
			pi4(bench);
			const { boot } = await bench.registry.beginBoot(device, PLAN, noLayer);
			bench.registry.fact(device, { kind: "tftp-open", path: `file-${count}`, found: true });
			bench.registry.fact(device, { kind: "cmdline", bootId: boot.id });
			await bench.registry.bootMounted(boot.id);
		}
		await bench.restart();
		assert.equal((await bench.store.attempts.list(device.key)).length, 5);
		const again = bench.registry.get(device.id);
		assert.deepEqual(again && bench.registry.attempts(again).map(({ files }) => files[0]?.path), [
			"file-7",
			"file-6",
			"file-5",
			"file-4",
			"file-3",
		]);
	});

	test("each boot that is over is told of: one that a newer one replaced, and one whose root nobody uses any more", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		const ended: string[] = [];
		bench.registry.on("boot-ended", ({ imageId }) => void ended.push(imageId));
		await bench.registry.beginBoot(device, { ...PLAN, imageId: "never-mounted" }, noLayer);
		const { boot } = await bench.registry.beginBoot(device, PLAN, noLayer);
		assert.deepEqual(ended, ["never-mounted"]);
		await bench.registry.bootMounted(boot.id);
		await bench.registry.beginBoot(device, { ...PLAN, imageId: "next" }, noLayer);
		assert.deepEqual(ended, ["never-mounted"]);
		await bench.registry.bootEnded(boot.id);
		await bench.registry.bootEnded(boot.id);
		assert.deepEqual(ended, ["never-mounted", PLAN.imageId]);
	});

	test("many requests at once begin one boot", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		const boots = await Promise.all([1, 2, 3].map(() => bench.registry.beginBoot(device, PLAN, noLayer)));
		assert.equal(new Set(boots.map(({ boot }) => boot.id)).size, 1);
		assert.equal(device.bootCount, 1);
	});

	test("once it is mounted, the next one is another, and the old one goes on beside it", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		const { boot: first } = await bench.registry.beginBoot(device, PLAN, noLayer);
		await bench.registry.bootMounted(first.id);
		await bench.restart("killed");
		const again = bench.registry.get(device.id);
		assert.ok(again);
		const { boot: second } = await bench.registry.beginBoot(again, PLAN, noLayer);
		assert.notEqual(second.id, first.id);
		assert.notEqual(second.secret, first.secret);
		assert.deepEqual(
			bench.registry.bootsOf(again).map(({ id }) => id),
			[second.id, first.id],
		);
		await bench.registry.bootEnded(first.id);
		assert.equal(bench.registry.bootByToken(first.exportToken), undefined);
	});

	test("another image, build or mode is another boot", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		const ids = new Set<string>();
		for (const change of [{}, { imageId: "i2" }, { buildId: "b2" }, { mode: "ephemeral" as const }]) {
			ids.add((await bench.registry.beginBoot(device, { ...PLAN, ...change }, noLayer)).boot.id);
		}
		assert.equal(ids.size, 4);
		assert.equal(bench.registry.bootsOf(device).length, 1, "what was never mounted is over");
	});

	test("a reset of the root reaches the next boot once, and it is a new one", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		const { boot: waiting } = await bench.registry.beginBoot(device, PLAN, noLayer);
		await bench.registry.resetRoot(device.id);
		const resets: boolean[] = [];
		const note = async (_id: string, reset: boolean) => {
			resets.push(reset);
			return null;
		};
		const { boot } = await bench.registry.beginBoot(device, PLAN, note);
		assert.notEqual(boot.id, waiting.id);
		await bench.registry.bootMounted(boot.id);
		await bench.registry.beginBoot(device, PLAN, note);
		assert.deepEqual(resets, [true, false]);
	});

	test("a layer that cannot be made fails the boot and not the next one", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		const failing = bench.registry.beginBoot(device, PLAN, () => Promise.reject(new Error("no room")));
		await assert.rejects(failing, /no room/);
		assert.equal(device.bootCount, 0);
		await bench.registry.beginBoot(device, PLAN, noLayer);
		assert.equal(device.bootCount, 1);
	});

	test("a Pi that runs from an address that the server lost is told so, also after a restart, until it is back", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		const { boot } = await bench.registry.beginBoot(device, PLAN, noLayer);
		bench.registry.serverAt([], undefined);
		assert.equal(bench.registry.diagnosis(device), undefined, "it did not mount anything yet");
		await bench.registry.bootMounted(boot.id);
		bench.registry.fact(device, { kind: "os-release", bootId: boot.id });
		bench.registry.serverAt(["192.0.2.9"], "192.0.2.9");
		assert.match(bench.registry.diagnosis(device)?.message ?? "", /from 192\.0\.2\.1 to 192\.0\.2\.9/);
		await bench.restart("killed");
		const again = bench.registry.get(device.id);
		assert.ok(again);
		bench.registry.serverAt(["192.0.2.9"], "192.0.2.9");
		assert.equal(bench.registry.diagnosis(again)?.code, "server-moved");
		bench.registry.serverAt(["192.0.2.9", "192.0.2.1"], "192.0.2.9");
		assert.equal(bench.registry.diagnosis(again), undefined);
		bench.registry.serverAt(["192.0.2.9"], "192.0.2.9");
		await bench.restart();
		bench.registry.serverAt(["192.0.2.1"], "192.0.2.1");
		assert.equal(
			bench.registry.diagnosis(bench.registry.get(device.id) ?? device),
			undefined,
			"it is back at the start",
		);
	});

	test("history tells the last boots with their stages", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		for (let round = 0; round < 3; round++) {
			bench.registry.sawFirmware({ mac: device.mac, client: eeprom(0xc03112, "e0000001"), message: "discover" });
			bench.clock.advance(1000);
			const { boot } = await bench.registry.beginBoot(device, PLAN, noLayer);
			bench.clock.advance(1000);
			await bench.registry.bootMounted(boot.id);
			bench.clock.advance(500);
			bench.registry.fact(device, { kind: "os-release", bootId: boot.id });
			bench.clock.advance(60_000);
		}
		await bench.restart();
		const again = bench.registry.get(device.id);
		assert.ok(again);
		const history = await bench.registry.history(again, 2);
		assert.equal(history.length, 2);
		assert.equal(again.bootCount, 3);
		const began = history[0]?.startedAt ?? 0;
		assert.deepEqual(
			history[0]?.stages.map(({ stage, at }) => [stage, at - began]),
			[
				["dhcp", -1000],
				["firmware", 0],
				["kernel", 1000],
				["root", 1000],
				["userspace", 1500],
			],
		);
		assert.deepEqual(bench.registry.stages(again), history[0]?.stages);
	});
});
