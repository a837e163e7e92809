/** Recognising devices by what they send: DHCP of the firmware and of Linux, boot files, the neighbour table. */
import type { Clock, Logger } from "../base/index.ts";
import { hasPiMacPrefix, type PiClient } from "../wire/dhcp/index.ts";
import type { AddressBook, AddressSource } from "./addresses.ts";
import { decodeRevision, type ModelId, modelOfDeviceTree } from "./board.ts";
import type { Bystander, Bystanders } from "./bystanders.ts";
import { type Device, type DeviceState, MODEL_SOURCE, newDevice, SERIAL_SOURCE } from "./device.ts";
import type { DeviceDirectory } from "./directory.ts";
import { type BootName, macId, normalMac, serialFitsMac, splitBootName } from "./identity.ts";
import { defaultName } from "./names.ts";
import type { ProgressBook } from "./progress.ts";
import type { Roster } from "./roster.ts";
import type { FirmwareKind } from "./scene.ts";

/** A firmware asked DHCP. */
export interface FirmwareSighting {
	readonly mac: string;
	readonly client: PiClient;
	readonly message: "discover" | "request";
	/** Of a REQUEST: what it asks for (option 50). Of a DISCOVER: where it came from, when that is loopback. */
	readonly address?: string | undefined;
	/** The relay that a DISCOVER came by (giaddr), where it did. */
	readonly relay?: string | undefined;
	/** The DHCP server that a REQUEST names (option 54). */
	readonly server?: string | undefined;
}

/** A boot file was asked for. */
export interface BootFileSighting {
	readonly address: string;
	/** Whose MAC the neighbour table has for that address, where it was asked. */
	readonly neighbour?: string | undefined;
	/** Normalised: no leading and no doubled slashes. */
	readonly name: string;
}

export interface BootFileOwner {
	readonly device: Device | undefined;
	/** The address is proved to be this device's. If it is not, ask the neighbour table and try again. */
	readonly bound: boolean;
	/** The name without whose it is. */
	readonly path: string;
}

/** A device about to boot is not forgotten before ten minutes of silence. */
const PROMISING_MS = 10 * 60_000;

export interface RecogniserParts {
	readonly clock: Clock;
	readonly log: Logger;
	readonly directory: DeviceDirectory;
	readonly addresses: AddressBook;
	readonly bystanders: Bystanders;
	readonly roster: Roster;
	readonly progress: ProgressBook;
	/** A device is new or another than before. */
	changed(device: DeviceState, formerId?: string): void;
	/** It was merely seen once more. */
	seen(device: DeviceState): void;
	removed(device: DeviceState): void;
	/** A machine that is left alone is new, or the reason is another one. */
	bystander(bystander: Bystander): void;
}

export class Recogniser {
	/** The key of the next new device. */
	nextKey = 1;
	readonly #clock: Clock;
	readonly #log: Logger;
	readonly #directory: DeviceDirectory;
	readonly #addresses: AddressBook;
	readonly #bystanders: Bystanders;
	readonly #roster: Roster;
	readonly #progress: ProgressBook;
	readonly #tellers: Pick<RecogniserParts, "changed" | "seen" | "removed" | "bystander">;

	constructor(parts: RecogniserParts) {
		this.#clock = parts.clock;
		this.#log = parts.log;
		this.#directory = parts.directory;
		this.#addresses = parts.addresses;
		this.#bystanders = parts.bystanders;
		this.#roster = parts.roster;
		this.#progress = parts.progress;
		this.#tellers = parts;
	}

	/** A firmware asked DHCP: that makes a device. Undefined when there are more devices than anybody has. */
	sawFirmware(sighting: FirmwareSighting): DeviceState | undefined {
		const mac = normalMac(sighting.mac);
		const { guid } = sighting.client;
		const serial = guid.kind === "board" || guid.kind === "serial" ? guid.serial : undefined;
		const device = mac === undefined ? undefined : this.#findOrCreate(mac, serial);
		if (device === undefined) return undefined;
		this.#learnFrom(device, sighting.client);
		if (sighting.message === "discover") {
			const relay = sighting.relay === undefined ? {} : { relay: sighting.relay };
			this.#progress.fact(device, { kind: "discover", ...relay });
			if (sighting.address !== undefined) this.bind(device, sighting.address, "loopback");
		} else {
			const server = sighting.server === undefined ? {} : { server: sighting.server };
			this.#progress.fact(device, { kind: "request", ...server });
			if (sighting.address !== undefined) this.bind(device, sighting.address, "request");
		}
		return device;
	}

	/** A person let this machine in. Undefined when there are more devices than anybody has. */
	introduced(mac: string): DeviceState | undefined {
		const normal = normalMac(mac);
		return normal === undefined ? undefined : this.#findOrCreate(normal);
	}

	/**
	 * A Linux asked DHCP: the kernel or initramfs of a boot, or a system that runs.
	 *
	 * @param address what it asks for (option 50) or has (ciaddr), where it says one.
	 * @returns the device, when it is one.
	 */
	sawLinux(mac: string, by: "kernel" | "initramfs" | "userland", address?: string): DeviceState | undefined {
		const device = this.#directory.byMac(normalMac(mac) ?? mac);
		if (device === undefined) {
			const reason = "It booted a system from its own disk: it did not ask to boot from the network.";
			if (hasPiMacPrefix(mac)) this.sawBystander(mac, reason, address);
			return undefined;
		}
		this.#seen(device);
		this.#progress.fact(device, { kind: "linux-dhcp", by });
		if (address !== undefined) this.bind(device, address, "request");
		return device;
	}

	/**
	 * A machine that looks like a Raspberry Pi and is left alone. It stands in the log too, for who wonders why it does not
	 * boot; who makes up many of them does not fill that.
	 */
	sawBystander(mac: string, reason: string, address?: string): void {
		const bystander = { mac, reason, address, lastSeenAt: this.#clock.now() };
		if (!this.#bystanders.saw(bystander)) return;
		const level = this.#bystanders.isFull ? "debug" : "info";
		this.#log[level](`${mac} is seen, and does not boot from here. ${reason}`);
		this.#tellers.bystander(bystander);
	}

	/**
	 * Finds whose a boot file is: by the serial or MAC in its name, else by the address that asks. A Pi's MAC behind the
	 * address makes a device; a name alone makes none.
	 */
	sawBootFile({ address, neighbour, name }: BootFileSighting): BootFileOwner {
		const { prefix, path } = splitBootName(name);
		const mac = neighbour === undefined ? undefined : normalMac(neighbour);
		const behind = mac === undefined ? undefined : this.#behindAddress(mac, address);
		const here = behind ?? this.#at(address);
		const named = prefix === undefined ? undefined : this.#named(prefix, here);
		const device = named ?? here;
		const bound = device !== undefined && this.#at(address) === device && this.#addresses.isProved(address);
		// From anywhere else the name finds the device, but teaches nothing about it.
		if (bound) this.#learnFromName(device, prefix, path);
		return { device, bound, path };
	}

	#learnFromName(device: DeviceState, prefix: BootName["prefix"], path: string): void {
		if (prefix !== undefined && "serial" in prefix) this.learnSerial(device, prefix.serial, SERIAL_SOURCE.tftp);
		const model = modelOfDeviceTree(path);
		if (model !== undefined) this.#learnModel(device, model, MODEL_SOURCE.deviceTree);
		this.#seen(device);
	}

	/** The device whose MAC the neighbour table has for an address. */
	#behindAddress(mac: string, address: string): DeviceState | undefined {
		const device = this.#directory.byMac(mac) ?? (hasPiMacPrefix(mac) ? this.#findOrCreate(mac) : undefined);
		if (device !== undefined) this.bind(device, address, "neighbour");
		return device;
	}

	/** Whom a name means. Where two have the serial, the one that asks. */
	#named(prefix: { serial: string } | { mac: string }, here: DeviceState | undefined): DeviceState | undefined {
		if ("mac" in prefix) return this.#directory.byMac(prefix.mac);
		const owners = this.#directory.bySerial(prefix.serial);
		return owners.length === 1 ? owners[0] : owners.find((candidate) => candidate === here);
	}

	/**
	 * Binds an address to a device. Proofs from `lease` and `neighbour` always hold; a mere `request` does not take an
	 * address from a device that proved it lately.
	 *
	 * @returns whether the address is the device's now.
	 */
	bind(state: DeviceState, address: string, source: AddressSource): boolean {
		const before = this.#addresses.of(state.key)[0]?.address;
		const loser = this.#at(address);
		const standing = this.#addresses.bind(state.key, address, source, this.#clock.now());
		if (standing !== undefined) {
			const other = this.#directory.byKey(standing.deviceKey)?.id ?? "another device";
			this.#progress.fact(state, { kind: "address-conflict", address, other });
			return false;
		}
		this.#progress.fact(state, { kind: "address-proved", address });
		if (loser !== undefined && loser !== state) this.#changed(loser);
		if (before !== this.#addresses.of(state.key)[0]?.address) this.#changed(state);
		return true;
	}

	#learnFrom(device: DeviceState, { generation, guid }: PiClient): void {
		const board = guid.kind === "board" ? { fourCC: guid.fourCC, revision: guid.revision } : {};
		const firmware: FirmwareKind = { generation, ...board };
		this.#progress.sawFirmware(device, firmware);
		if (guid.kind === "board" || guid.kind === "serial") this.learnSerial(device, guid.serial, SERIAL_SOURCE.dhcp);
		if (guid.kind === "board") this.#learnRevision(device, guid.revision);
		if (generation === "mask-rom") this.#learnModel(device, "pi3b", MODEL_SOURCE.guess);
		if (generation === "pi3") this.#learnModel(device, "pi3bp", MODEL_SOURCE.guess);
	}

	#learnRevision(device: DeviceState, revision: number): void {
		const { model } = decodeRevision(revision);
		if (model === undefined || device.revision === revision) return;
		device.revision = revision;
		this.#learnModel(device, model, MODEL_SOURCE.revision);
		this.#changed(device);
	}

	#learnModel(device: DeviceState, model: ModelId, source: number): void {
		// On a 3B the ROM speaks first and then bootcode.bin, which is the same on all: the first guess is the better one.
		if (source < device.modelSource || (source === device.modelSource && source === MODEL_SOURCE.guess)) return;
		device.modelSource = source;
		if (device.model === model) return;
		device.model = model;
		this.#changed(device);
	}

	/** A serial is burnt in, so the first word of a source stands, and only a surer source overrules it. */
	learnSerial(device: DeviceState, serial: string, source: number): void {
		if (source <= device.serialSource) return;
		const changes = this.#directory.setSerial(device, serial);
		if (device.serial !== serial) return;
		device.serialSource = source;
		for (const { device: renamed, formerId } of changes) this.#changed(renamed, formerId);
	}

	/** The agent of its boot said this serial. It is logged where that is not believed. */
	agentSaid(device: DeviceState, serial: string): void {
		const doubt = this.#doubt(device, serial);
		if (doubt === undefined) this.learnSerial(device, serial, SERIAL_SOURCE.agent);
		else
			this.#log.warn(
				{ device: device.id },
				`the agent of ${device.name} says that its serial is ${serial}, but ${doubt}`,
			);
	}

	/** Why what an agent says of its serial is not believed. */
	#doubt(device: DeviceState, serial: string): string | undefined {
		const known = device.serial;
		if (known !== null && known !== serial) return `its firmware told ${known} before`;
		const other = this.#directory.bySerial(serial).find((owner) => owner !== device);
		if (known === null && other !== undefined) return `that is the serial of ${other.name}`;
		return serialFitsMac(serial, device.mac) ? undefined : `no Pi has it that has the address ${device.mac}`;
	}

	#findOrCreate(mac: string, serial?: string): DeviceState | undefined {
		const known = this.#directory.byMac(mac);
		if (known !== undefined) {
			this.#seen(known);
			return known;
		}
		if (!this.#roster.open) return undefined;
		this.#makeRoom();
		const device = newDevice(this.nextKey++, macId(mac), mac, macId(mac), this.#clock.now());
		this.#directory.add(device);
		const changes = serial === undefined ? [] : this.#directory.setSerial(device, serial);
		if (device.serial !== null) device.serialSource = SERIAL_SOURCE.dhcp;
		this.#directory.rename(
			device,
			defaultName(device.id, (name) => this.#directory.byName(name) !== undefined),
		);
		this.#roster.update(device);
		this.#bystanders.forget(mac);
		// Nobody knew it by its MAC; the one that shares its serial goes by another id now.
		for (const { device: other, formerId } of changes) if (other !== device) this.#changed(other, formerId);
		this.#changed(device);
		return device;
	}

	#makeRoom(): void {
		const now = this.#clock.now();
		const leaver = this.#roster.leaver(
			(device) => now - device.lastSeenAt < PROMISING_MS && this.#progress.hasFirmware(device),
		);
		if (leaver === undefined) return;
		this.#directory.remove(leaver);
		this.#roster.remove(leaver);
		this.#addresses.forget(leaver.key);
		this.#progress.forget(leaver);
		this.#tellers.removed(leaver);
	}

	#at(address: string): DeviceState | undefined {
		const binding = this.#addresses.at(address);
		return binding === undefined ? undefined : this.#directory.byKey(binding.deviceKey);
	}

	#seen(device: DeviceState): void {
		device.lastSeenAt = this.#clock.now();
		this.#tellers.seen(device);
	}

	#changed(device: DeviceState, formerId?: string): void {
		this.#tellers.changed(device, formerId);
	}
}
