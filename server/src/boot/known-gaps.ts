/** What was set for each device and its image cannot take, as its last boot found it. */
import type { Device } from "../devices/index.ts";

/** Devices of which something is known; the one that booted longest ago goes first. */
const MOST = 1000;

export class KnownGaps {
	/** By the key of the device. */
	readonly #gaps = new Map<number, readonly string[]>();

	/** In sentences. */
	of(device: Device): readonly string[] {
		return this.#gaps.get(device.key) ?? [];
	}

	set(device: Device, gaps: readonly string[]): void {
		this.#gaps.delete(device.key);
		if (gaps.length > 0) this.#gaps.set(device.key, gaps);
		for (const key of [...this.#gaps.keys()].slice(0, -MOST)) this.#gaps.delete(key);
	}
}
