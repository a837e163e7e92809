/**
 * Who is let in. Anybody on the LAN can send a DISCOVER with a made-up MAC, so devices that never booted are bounded: the
 * least promising one goes when another comes. Those that booted, or that a person cared for, stay.
 */
import type { DeviceState } from "./device.ts";
import type { DeviceDirectory } from "./directory.ts";

export interface RosterLimits {
	/** Devices that never booted and that nobody cared for. */
	readonly strangers: number;
	/** All others. */
	readonly kept: number;
}

export const DEFAULT_LIMITS: RosterLimits = { strangers: 256, kept: 4096 };

export class Roster {
	readonly #directory: DeviceDirectory;
	readonly #limits: RosterLimits;
	readonly #strangers = new Set<DeviceState>();

	constructor(directory: DeviceDirectory, limits: RosterLimits) {
		this.#directory = directory;
		this.#limits = limits;
	}

	/** Takes note of a device that is in the directory now, or that became worth keeping. */
	update(device: DeviceState): void {
		if (device.kept) this.#strangers.delete(device);
		else this.#strangers.add(device);
	}

	remove(device: DeviceState): void {
		this.#strangers.delete(device);
	}

	/** Whether there is room for one more at all. */
	get open(): boolean {
		return this.#directory.size - this.#strangers.size < this.#limits.kept;
	}

	/**
	 * Who has to go before the next one comes.
	 *
	 * @param promising tells of those that are about to boot: they go last.
	 */
	leaver(promising: (device: DeviceState) => boolean): DeviceState | undefined {
		if (this.#strangers.size < this.#limits.strangers) return undefined;
		let leaver: DeviceState | undefined;
		for (const device of this.#strangers) {
			if (leaver === undefined || goesBefore(device, leaver, promising)) leaver = device;
		}
		return leaver;
	}
}

function goesBefore(a: DeviceState, b: DeviceState, promising: (device: DeviceState) => boolean): boolean {
	const [first, second] = [promising(a), promising(b)];
	return first === second ? a.lastSeenAt < b.lastSeenAt : second;
}
