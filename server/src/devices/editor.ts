/** Changes that people make: in force at once, stored before anybody is told, and taken back where they cannot be. */
import type { Repositories, Store } from "../store/index.ts";
import type { DeviceState } from "./device.ts";
import type { DeviceDirectory } from "./directory.ts";
import type { Roster } from "./roster.ts";
import type { Saver } from "./saver.ts";

export interface EditorParts {
	readonly directory: DeviceDirectory;
	readonly roster: Roster;
	readonly saver: Saver;
	readonly store: Pick<Store, "durable">;
	/** The device is another than before. */
	changed(device: DeviceState): void;
}

export class DeviceEditor {
	readonly #parts: EditorParts;

	constructor(parts: EditorParts) {
		this.#parts = parts;
	}

	/**
	 * Changes a device for a person: at once, so that a name cannot be taken twice. Survives a power cut when it resolves.
	 *
	 * @param work is stored together with it.
	 * @throws what the store throws; then nothing was changed.
	 */
	async change(
		device: DeviceState,
		changes: Partial<DeviceState>,
		work?: (repositories: Repositories) => Promise<void>,
	): Promise<void> {
		const { saver, store, changed } = this.#parts;
		const wanted: Partial<DeviceState> = { ...changes, kept: true };
		const before = Object.fromEntries(Object.keys(wanted).map((key) => [key, device[key as keyof DeviceState]]));
		this.#assign(device, wanted);
		try {
			await saver.write(work, device);
			await store.durable();
		} catch (error) {
			this.#assign(device, before);
			throw error;
		}
		changed(device);
	}

	#assign(device: DeviceState, changes: Partial<DeviceState>): void {
		const { directory, roster } = this.#parts;
		const { name, ...others } = changes;
		if (name !== undefined) directory.rename(device, name);
		Object.assign(device, others);
		roster.update(device);
	}
}
