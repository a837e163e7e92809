import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pino } from "pino";
import { Bench, pi4 } from "./testing/pis.ts";

const PLAN = { imageId: "debian", buildId: "b1", mode: "persistent", server: "192.0.2.1" } as const;
const noLayer = async () => null;

/** Brings a Pi to where its kernel has an address and asks for no root. */
async function stuckBoot(bench: Bench, device = pi4(bench)) {
	const { boot } = await bench.registry.beginBoot(device, PLAN, noLayer);
	bench.registry.fact(device, { kind: "linux-dhcp", by: "kernel" });
	bench.clock.advance(30_000);
	return { device, boot };
}

describe("what was wrong", () => {
	test("is known within seconds, without a word from the Pi, and as an event", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		bench.registry.fact(device, { kind: "unanswered", why: "no-image", imageId: null });
		assert.equal(bench.registry.diagnosis(device)?.code, "no-image");
		const heard: (string | undefined)[] = [];
		bench.registry.on("device", (event) => heard.push(bench.registry.diagnosis(event.device)?.code));
		await bench.registry.beginBoot(device, PLAN, noLayer);
		bench.registry.fact(device, { kind: "linux-dhcp", by: "kernel" });
		heard.length = 0;
		bench.clock.advance(25_000);
		assert.deepEqual(heard, ["no-mount"]);
	});

	test("is kept with its boot, and when it ended", async () => {
		await using bench = await Bench.open();
		const { device, boot } = await stuckBoot(bench);
		await bench.registry.bootMounted(boot.id);
		bench.registry.fact(device, { kind: "os-release", bootId: boot.id });
		await bench.restart();
		const again = bench.registry.get(device.id) ?? assert.fail();
		const [last] = await bench.registry.history(again, 1);
		const [said, ...more] = last?.diagnoses ?? [];
		assert.deepEqual(more, []);
		assert.equal(said?.code, "no-mount");
		assert.equal(said?.bootId, boot.id);
		assert.ok((said?.endedAt ?? 0) >= (said?.at ?? 1));
		assert.equal(bench.registry.diagnosis(again), undefined);
	});

	test("without a boot is kept too, and comes by pages, the newest first", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		const none = { kind: "unanswered", why: "no-image", imageId: null } as const;
		for (const fact of [none, { kind: "unanswered", why: "disk" } as const, none]) {
			bench.registry.fact(device, fact);
			bench.clock.advance(1000);
		}
		bench.registry.fact(device, { kind: "unanswered", why: "ignore" });
		const first = await bench.registry.diagnoses(device, 2);
		assert.deepEqual(
			first.map(({ code, bootId }) => [code, bootId]),
			[
				["left-alone", null],
				["no-image", null],
			],
		);
		const rest = await bench.registry.diagnoses(device, 5, first.at(-1)?.id);
		assert.deepEqual(
			rest.map(({ code, endedAt }) => [code, endedAt !== null]),
			[
				["left-alone", true],
				["no-image", true],
			],
		);
		assert.equal(first[0]?.endedAt, null);
	});

	for (const end of ["clean", "killed"] as const) {
		test(`stands over a ${end} end of the server, until the Pi is heard of again`, async () => {
			await using bench = await Bench.open();
			const { device, boot } = await stuckBoot(bench);
			const before = bench.registry.diagnosis(device) ?? assert.fail();
			await bench.registry.diagnoses(device, 1);
			await bench.restart(end);
			const again = bench.registry.get(device.id) ?? assert.fail();
			assert.deepEqual(bench.registry.diagnosis(again), before);
			assert.equal((await bench.registry.diagnoses(again, 5)).length, 1);
			bench.registry.fact(again, { kind: "os-release", bootId: boot.id });
			assert.equal(bench.registry.diagnosis(again), undefined);
			const [said] = await bench.registry.diagnoses(again, 1);
			assert.equal(said?.endedAt, bench.clock.now());
		});
	}

	test("of a Pi that came to no boot stands over a restart, too", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		bench.registry.fact(device, { kind: "unanswered", why: "no-image", imageId: null });
		await bench.restart();
		const again = bench.registry.get(device.id) ?? assert.fail();
		assert.equal(bench.registry.diagnosis(again)?.code, "no-image");
	});

	test("is said in the log once, with the Pi", async () => {
		const lines: { device?: string; msg: string; level: number }[] = [];
		const log = pino({ base: null }, { write: (json: string) => void lines.push(JSON.parse(json)) });
		await using bench = await Bench.open({ log });
		const { device } = await stuckBoot(bench);
		bench.clock.advance(60_000);
		assert.deepEqual(
			lines.map(({ device: id, level, msg }) => [id, level, msg.split(".")[0]]),
			[[device.id, 40, "Its kernel has an address, but never asked for its root"]],
		);
	});

	test("of a Pi that loops all night is a hundred entries and no more", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		for (let round = 0; round < 130; round++) {
			if (round % 2 === 0) bench.registry.fact(device, { kind: "unanswered", why: "disk" });
			else bench.registry.fact(device, { kind: "unanswered", why: "no-image", imageId: null });
		}
		assert.equal((await bench.registry.diagnoses(device, 1000)).length, 100);
	});

	test("goes with a device that is forgotten", async () => {
		await using bench = await Bench.open();
		const device = pi4(bench);
		bench.registry.fact(device, { kind: "unanswered", why: "no-image", imageId: null });
		await bench.registry.diagnoses(device, 1);
		await bench.store.devices.remove([device.key]);
		assert.deepEqual(await bench.store.diagnoses.list(device.key, 10), []);
	});
});

test("boots come by pages", async () => {
	await using bench = await Bench.open();
	const device = pi4(bench);
	const ids: string[] = [];
	for (let round = 0; round < 5; round++) {
		const { boot } = await bench.registry.beginBoot(device, PLAN, noLayer);
		await bench.registry.bootMounted(boot.id);
		ids.unshift(boot.id);
		bench.clock.advance(1000);
	}
	const first = await bench.registry.history(device, 2);
	const rest = await bench.registry.history(device, 10, first.at(-1)?.startedAt);
	assert.deepEqual(
		[...first, ...rest].map(({ id }) => id),
		ids,
	);
});

test("a bystander is told of when it is new or the reason is another one; a flood of them does not fill the log", async () => {
	const lines: string[] = [];
	const log = pino({ base: null }, { write: (json: string) => void lines.push(JSON.parse(json).msg) });
	await using bench = await Bench.open({ log });
	const heard: string[] = [];
	bench.registry.on("bystander", ({ mac, reason }) => heard.push(`${mac} ${reason}`));
	const mac = "28:cd:c1:00:00:01";
	for (const reason of ["a", "a", "b", "b"]) bench.registry.sawBystander(mac, reason);
	assert.deepEqual(heard, [`${mac} a`, `${mac} b`]);
	assert.deepEqual(lines, [
		`${mac} is seen, and does not boot from here. a`,
		`${mac} is seen, and does not boot from here. b`,
	]);
	for (let number = 0; number < 1000; number++) {
		bench.registry.sawBystander(`28:cd:c1:00:1${Math.floor(number / 100)}:${10 + (number % 90)}`, "a");
	}
	assert.ok(lines.length < 70, `${lines.length} lines`);
});
