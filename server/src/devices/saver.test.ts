import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../store/index.ts";
import { Bench, eeprom } from "./testing/pis.ts";

const SIGHTING = { mac: "dc:a6:32:00:00:01", client: eeprom(0xc03112, "e0000001"), message: "discover" } as const;

/** Resolves when a write that the clock set off is done: an empty transaction goes behind it. */
async function settled(bench: Bench): Promise<void> {
	await new Promise((resolve) => setImmediate(resolve));
	await bench.store.transaction(async () => undefined);
}

test("what is seen is stored within a second", async () => {
	await using bench = await Bench.open();
	bench.registry.sawFirmware(SIGHTING);
	assert.deepEqual(await bench.store.devices.list(), []);
	bench.clock.advance(1000);
	await settled(bench);
	assert.deepEqual(
		(await bench.store.devices.list()).map(({ id }) => id),
		["e0000001"],
	);
});

test("a disk that is full for a while loses nothing of it", async () => {
	await using bench = await Bench.open();
	const { transaction } = bench.store;
	const setTransaction = (replacement: Store["transaction"]) =>
		Object.assign(bench.store, { transaction: replacement });
	bench.registry.sawFirmware(SIGHTING);
	let tries = 0;
	setTransaction(() => {
		tries++;
		return Promise.reject(new Error("the disk is full"));
	});
	bench.clock.advance(1000);
	await new Promise((resolve) => setImmediate(resolve));
	setTransaction(transaction);
	bench.clock.advance(10_000);
	await settled(bench);
	assert.equal(tries, 1);
	assert.equal((await bench.store.devices.list()).length, 1);
});

test("while nothing can be stored, not all that is asked for piles up; of each Pi its last power-ons are stored afterwards", async () => {
	await using bench = await Bench.open();
	const device = bench.registry.sawFirmware(SIGHTING);
	assert.ok(device);
	const { transaction } = bench.store;
	Object.assign(bench.store, { transaction: () => Promise.reject(new Error("the disk is full")) });
	for (let count = 0; count < 600; count++) {
		bench.clock.advance(200_000);
		bench.registry.sawFirmware(SIGHTING);
		bench.registry.fact(device, { kind: "tftp-open", path: `file-${count}`, found: true });
		await new Promise((resolve) => setImmediate(resolve));
	}
	let saved = 0;
	const counted: Store["transaction"] = (work) =>
		transaction((repositories) => {
			const { attempts } = repositories;
			const save = attempts.save.bind(attempts);
			Object.assign(attempts, { save: (row: Parameters<typeof save>[0]) => save(row).then(() => void saved++) });
			return work(repositories);
		});
	Object.assign(bench.store, { transaction: counted });
	await bench.registry.stop();
	assert.equal(saved, 500);
	const stored = await bench.store.attempts.list(device.key);
	const paths = stored.map(({ attempt }) => /file-\d+/.exec(attempt)?.[0]);
	assert.deepEqual(paths, ["file-599", "file-598", "file-597", "file-596", "file-595"]);
});
