/** What makes a device the same machine at every boot: its machine-id and its SSH host keys. */
import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { Store } from "../store/index.ts";
import type { DeviceState } from "./device.ts";
import type { Saver } from "./saver.ts";

/**
 * Private keys as PKCS #8 in PEM. Two kinds that every SSH client of the last ten years takes and that cost
 * milliseconds; an RSA key costs a second, and forty Pis of a class start together.
 */
export interface SshHostKeys {
	readonly ed25519: string;
	/** NIST P-256. */
	readonly ecdsa: string;
}

const generate = promisify(generateKeyPair);

/** Makes the host keys of a new machine, off the loop. */
async function makeSshHostKeys(): Promise<SshHostKeys> {
	const [ed25519, ecdsa] = await Promise.all([generate("ed25519"), generate("ec", { namedCurve: "P-256" })]);
	const pem = { type: "pkcs8", format: "pem" } as const;
	return { ed25519: ed25519.privateKey.export(pem).toString(), ecdsa: ecdsa.privateKey.export(pem).toString() };
}

/** A new machine-id: 32 hex digits that form a version 4 UUID, as systemd makes it. See machine-id(5). */
function makeMachineId(): string {
	const bytes = randomBytes(16);
	bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
	bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
	return bytes.toString("hex");
}

/** Reads what `makeSshHostKeys` made out of its JSON; undefined when it is something else. */
function parseSshHostKeys(json: string): SshHostKeys | undefined {
	const value: unknown = JSON.parse(json);
	if (typeof value !== "object" || value === null || !("ed25519" in value) || !("ecdsa" in value)) return undefined;
	const { ed25519, ecdsa } = value;
	return typeof ed25519 === "string" && typeof ecdsa === "string" ? { ed25519, ecdsa } : undefined;
}

/** Gives every device its own, once, and stores them before anybody sees them. */
export class KeyRing {
	readonly #store: Store;
	readonly #saver: Saver;
	/** What is being made: a Pi that asks twice gets the same. */
	readonly #machineIds = new Map<number, Promise<string>>();
	readonly #hostKeys = new Map<number, Promise<SshHostKeys>>();

	constructor(store: Store, saver: Saver) {
		this.#store = store;
		this.#saver = saver;
	}

	async machineId(device: DeviceState): Promise<string> {
		return (
			device.machineId ??
			once(this.#machineIds, device.key, async () => {
				const machineId = makeMachineId();
				await this.#keep(device, { machineId });
				return machineId;
			})
		);
	}

	async sshHostKeys(device: DeviceState): Promise<SshHostKeys> {
		const known = device.sshHostKeys === null ? undefined : parseSshHostKeys(device.sshHostKeys);
		return (
			known ??
			once(this.#hostKeys, device.key, async () => {
				const keys = await makeSshHostKeys();
				await this.#keep(device, { sshHostKeys: JSON.stringify(keys) });
				return keys;
			})
		);
	}

	async #keep(device: DeviceState, made: Partial<Pick<DeviceState, "machineId" | "sshHostKeys">>): Promise<void> {
		await this.#saver.write(
			({ devices }) => devices.update(device.key, made),
			device,
			() => Object.assign(device, made),
		);
		await this.#store.durable();
	}
}

/** Runs `make` for a key; whoever asks meanwhile gets the same promise. */
function once<T>(running: Map<number, Promise<T>>, key: number, make: () => Promise<T>): Promise<T> {
	const made = running.get(key) ?? make().finally(() => running.delete(key));
	running.set(key, made);
	return made;
}
