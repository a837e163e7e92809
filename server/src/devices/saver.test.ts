import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../store/index.ts";
import { Bench, eeprom } from "./testing/pis.ts";

const SIGHTING = { mac: "dc:a6:32:00:00:01", client: eeprom(0xc03112, "e0000001"), message: "discover" } as const;

/** Resolves when all writes that began are done: an empty write goes behind them. */
async function settled(bench: Bench): Promise<void> {
	const device = bench.registry.get("e0000001");
	assert.ok(device);
	await bench.registry.history(device, 1);
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
	const full = new Promise<void>((resolve) => {
		setTransaction(() => {
			tries++;
			resolve();
			return Promise.reject(new Error("the disk is full"));
		});
		bench.clock.advance(1000);
	});
	await full;
	await new Promise((resolve) => setImmediate(resolve));
	setTransaction(transaction);
	bench.clock.advance(10_000);
	await settled(bench);
	assert.equal(tries, 1);
	assert.equal((await bench.store.devices.list()).length, 1);
});
