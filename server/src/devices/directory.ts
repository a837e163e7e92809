/** Finds devices by everything that they can be called: key, id and former ids, MAC, serial, name. */
import type { DeviceState } from "./device.ts";
import { macId, normalId, serialFitsMac } from "./identity.ts";

export interface IdChange {
	readonly device: DeviceState;
	readonly formerId: string;
}

export class DeviceDirectory {
	readonly #byKey = new Map<number, DeviceState>();
	readonly #byId = new Map<string, DeviceState>();
	readonly #byMac = new Map<string, DeviceState>();
	readonly #bySerial = new Map<string, Set<DeviceState>>();
	readonly #byName = new Map<string, DeviceState>();

	get size(): number {
		return this.#byKey.size;
	}

	values(): Iterable<DeviceState> {
		return this.#byKey.values();
	}

	/** Takes a device in that is unlike all others in key, ids, MAC and name. */
	add(device: DeviceState): void {
		this.#byKey.set(device.key, device);
		this.#byMac.set(device.mac, device);
		this.#byName.set(device.name, device);
		for (const id of [device.id, ...device.formerIds]) this.#byId.set(id, device);
		if (device.serial !== null) this.#serialOwners(device.serial).add(device);
	}

	remove(device: DeviceState): void {
		this.#byKey.delete(device.key);
		this.#byMac.delete(device.mac);
		this.#byName.delete(device.name);
		for (const id of [device.id, ...device.formerIds]) this.#byId.delete(id);
		this.#leaveSerial(device);
	}

	byKey(key: number): DeviceState | undefined {
		return this.#byKey.get(key);
	}

	/** By its id, a former id, or its MAC in any spelling. */
	byId(text: string): DeviceState | undefined {
		const id = normalId(text);
		return this.#byId.get(id) ?? this.#byMac.get(id.replaceAll(/(..)(?=.)/g, "$1:"));
	}

	byMac(mac: string): DeviceState | undefined {
		return this.#byMac.get(mac);
	}

	byName(name: string): DeviceState | undefined {
		return this.#byName.get(name);
	}

	/** All that say this serial. When nobody does: the one Pi up to 3 that must have it, by its MAC address. */
	bySerial(serial: string): readonly DeviceState[] {
		const owners = this.#bySerial.get(serial);
		if (owners !== undefined) return [...owners];
		const fitting = this.#byMac.get(`b8:27:eb:${serial.slice(2).replaceAll(/(..)(?=.)/g, "$1:")}`);
		return fitting?.serial === null ? [fitting] : [];
	}

	rename(device: DeviceState, name: string): void {
		this.#byName.delete(device.name);
		device.name = name;
		this.#byName.set(name, device);
	}

	/**
	 * Notes the serial of a device and gives it the id that follows: the serial, or the MAC when it shares the serial with
	 * another, which then goes by its MAC too.
	 *
	 * @returns every id that changed. A serial that cannot be the device's changes nothing.
	 */
	setSerial(device: DeviceState, serial: string): IdChange[] {
		if (device.serial === serial || !serialFitsMac(serial, device.mac)) return [];
		this.#leaveSerial(device);
		device.serial = serial;
		const owners = this.#serialOwners(serial);
		owners.add(device);
		return [...owners].flatMap((owner) => this.#setId(owner, this.#idFor(owner, serial, owners.size)));
	}

	#idFor(device: DeviceState, serial: string, owners: number): string {
		const holder = this.#byId.get(serial);
		const free = holder === undefined || holder === device;
		return owners === 1 && free ? serial : macId(device.mac);
	}

	#setId(device: DeviceState, id: string): IdChange[] {
		if (device.id === id) return [];
		const formerId = device.id;
		if (!device.formerIds.includes(formerId)) device.formerIds.push(formerId);
		device.id = id;
		this.#byId.set(id, device);
		return [{ device, formerId }];
	}

	#serialOwners(serial: string): Set<DeviceState> {
		const owners = this.#bySerial.get(serial) ?? new Set();
		this.#bySerial.set(serial, owners);
		return owners;
	}

	#leaveSerial(device: DeviceState): void {
		if (device.serial === null) return;
		const owners = this.#bySerial.get(device.serial);
		owners?.delete(device);
		if (owners?.size === 0) this.#bySerial.delete(device.serial);
	}
}
