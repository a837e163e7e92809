import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench, eeprom, MASK_ROM, pi3 } from "./testing/pis.ts";

/** What can be heard on a LAN, from few enough Pis that they get into each other's way. */
const hex = (length: number, of: string) =>
	fc.string({ unit: fc.constantFrom(...of), minLength: length, maxLength: length });
const mac = fc.oneof(
	hex(1, "0123456").map((digit) => `dc:a6:32:00:00:0${digit}`),
	hex(1, "0123").map((digit) => `b8:27:eb:00:00:0${digit}`),
	hex(1, "012").map((digit) => `00:11:22:00:00:0${digit}`),
);
const serial = fc.oneof(
	hex(1, "0123").map((digit) => `a200000${digit}`),
	hex(2, "01").map((digits) => `000000${digits}`),
);
const address = hex(1, "1234").map((digit) => `192.0.2.${digit}`);
const client = fc.oneof(
	fc.constant(MASK_ROM),
	serial.map(pi3),
	fc.tuple(fc.nat(0xffffffff), serial).map(([revision, text]) => eeprom(revision, text)),
);
const prefix = fc.oneof(
	serial.map((text) => `${text}/`),
	mac.map((text) => `${text.replaceAll(":", "-")}/`),
	fc.constant(""),
);
const source = fc.constantFrom("lease", "neighbour", "loopback", "request");
const sighting = fc.oneof(
	fc.record({ kind: fc.constant("firmware"), mac, client, message: fc.constantFrom("discover", "request"), address }),
	fc.record({ kind: fc.constant("file"), address, neighbour: fc.option(mac, { nil: undefined }), prefix }),
	fc.record({ kind: fc.constant("linux"), mac, by: fc.constantFrom("kernel", "initramfs", "userland"), address }),
	fc.record({ kind: fc.constant("bind"), mac, address, source }),
	fc.record({ kind: fc.constant("agent"), mac, serial }),
	fc.record({ kind: fc.constant("wait"), ms: fc.nat(700_000) }),
);

type Sighting = typeof sighting extends fc.Arbitrary<infer T> ? T : never;

function happen(bench: Bench, seen: Sighting): void {
	const { registry } = bench;
	if ("client" in seen) {
		const { mac: from, client: piClient, message, address: at } = seen;
		registry.sawFirmware({ mac: from, client: piClient, message, address: at });
	} else if ("prefix" in seen) {
		registry.sawBootFile({ address: seen.address, neighbour: seen.neighbour, name: `${seen.prefix}cmdline.txt` });
	} else if ("by" in seen) {
		registry.sawLinux(seen.mac, seen.by, seen.address);
	} else if ("ms" in seen) {
		bench.clock.advance(seen.ms);
	} else {
		const device = registry.byMac(seen.mac);
		if (device === undefined) return;
		if ("source" in seen) registry.bind(device, seen.address, seen.source);
		else registry.learnSerial(device, seen.serial);
	}
}

function assertSound(bench: Bench, everHad: ReadonlyMap<string, number>): void {
	const devices = bench.registry.list();
	for (const field of ["id", "mac", "name", "key"] as const) {
		assert.equal(new Set(devices.map((device) => device[field])).size, devices.length, `two devices share a ${field}`);
	}
	for (const [id, key] of everHad) assert.equal(bench.registry.get(id)?.key, key, `${id} leads elsewhere`);
	const addresses = devices.flatMap((device) => bench.registry.addressesOf(device).map((one) => one.address));
	assert.equal(new Set(addresses).size, addresses.length, "two devices share an address");
	for (const device of devices) {
		assert.ok(device.id === device.serial || device.id === device.mac.replaceAll(":", ""), `odd id ${device.id}`);
		for (const { address: one } of bench.registry.addressesOf(device))
			assert.equal(bench.registry.deviceAt(one), device);
	}
}

test("whatever is heard: ids are unique, former ids lead to the same device, no two have one address", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(sighting, { maxLength: 60 }), async (sightings) => {
			await using bench = await Bench.open();
			const everHad = new Map<string, number>();
			const follow = () =>
				bench.registry.on("device", ({ device, id, formerId }) => {
					for (const one of [id, ...(formerId === undefined ? [] : [formerId])]) {
						if (!everHad.has(one)) everHad.set(one, device.key);
					}
				});
			follow();
			for (const seen of sightings) happen(bench, seen);
			assertSound(bench, everHad);
			await bench.restart();
			assertSound(bench, everHad);
		}),
		{ numRuns: 60, seed: 20261121 },
	);
});
