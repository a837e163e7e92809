/** Pis, as they introduce themselves, for tests. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock, silentLogger } from "../../base/index.ts";
import { openStore, type Store } from "../../store/index.ts";
import type { PiClient } from "../../wire/dhcp/index.ts";
import type { Device } from "../device.ts";
import { DeviceRegistry, type RegistryOptions } from "../registry.ts";

/** A Pi 4 or 5: its bootloader says everything. */
export function eeprom(revision: number, serial: string, fourCC = "4iPR"): PiClient {
	const guid = { kind: "board", fourCC, revision, mac: Buffer.alloc(4), serial } as const;
	return { kind: "pi", generation: "eeprom", guid, reason: "test" };
}

/** bootcode.bin, or the ROM of a 3B+. */
export function pi3(serial: string): PiClient {
	return { kind: "pi", generation: "pi3", guid: { kind: "serial", serial }, reason: "test" };
}

/** The ROM of a 3B, which does not say its serial. */
export const MASK_ROM: PiClient = { kind: "pi", generation: "mask-rom", guid: { kind: "mask-rom" }, reason: "test" };

/** A registry over a store in a folder of its own, with a clock that the test moves. */
export class Bench {
	readonly clock = new ManualClock();
	readonly path: string;
	store: Store;
	registry: DeviceRegistry;
	readonly #directory: string;
	readonly #options: Partial<RegistryOptions>;

	private constructor(directory: string, store: Store, options: Partial<RegistryOptions>) {
		this.#directory = directory;
		this.path = join(directory, "netboot.db");
		this.store = store;
		this.#options = options;
		this.registry = this.#build();
	}

	static async open(options: Partial<RegistryOptions> = {}): Promise<Bench> {
		const directory = await mkdtemp(join(tmpdir(), "devices-"));
		const bench = new Bench(directory, await openStore(join(directory, "netboot.db")), options);
		await bench.registry.start();
		return bench;
	}

	#build(): DeviceRegistry {
		return new DeviceRegistry({
			store: this.store,
			clock: this.clock,
			log: silentLogger,
			imageExists: (id) => id === "debian",
			surroundings: () => ({ dhcpMode: "proxy", otherDhcpServers: ["192.0.2.1"] }),
			...this.#options,
		});
	}

	/** Stops everything and starts it again on the same data, cleanly or as after a `kill -9`. */
	async restart(how: "clean" | "killed" = "clean"): Promise<void> {
		if (how === "clean") await this.registry.stop();
		await this.store.close();
		this.store = await openStore(this.path);
		this.registry = this.#build();
		await this.registry.start();
	}

	/** Lets seconds pass; resolves when what was set off by them is stored. */
	async pass(seconds: number): Promise<void> {
		for (let second = 0; second < seconds; second++) {
			this.clock.advance(1000);
			await new Promise((resolve) => setImmediate(resolve));
			await this.store.transaction(async () => undefined);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.registry.stop();
		await this.store.close();
		await rm(this.#directory, { recursive: true });
	}
}

/** A Pi 4 that has asked DHCP for the first time. */
export function pi4(bench: Bench, number = 1): Device {
	const digits = number.toString(16).padStart(6, "0");
	const mac = `dc:a6:32:${digits.replaceAll(/(..)(?=.)/g, "$1:")}`;
	const device = bench.registry.sawFirmware({ mac, client: eeprom(0xc03112, `e0${digits}`), message: "discover" });
	assert.ok(device);
	return device;
}
