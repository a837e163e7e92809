/** The layers of the devices as they are recorded: which one a boot gets, and which ones go. */
import { join } from "node:path";
import { type Clock, errorText, type Logger } from "../base/index.ts";
import type { Device, RootMode } from "../devices/index.ts";
import type { LayerRow, Store } from "../store/index.ts";
import { dropLayer } from "../vfs/index.ts";
import type { BootImage } from "./catalogue.ts";

export interface LayerRecordsOptions {
	/** Where the layers are. */
	readonly folder: string;
	readonly store: Store;
	readonly clock: Clock;
	readonly log: Logger;
}

export class LayerRecords {
	readonly #options: LayerRecordsOptions;

	constructor(options: LayerRecordsOptions) {
		this.#options = options;
	}

	/** Where the files of a layer are, without what their names end with. */
	path(name: string): string {
		return join(this.#options.folder, name);
	}

	/** All that are recorded, the least recently used first. */
	list(): Promise<LayerRow[]> {
		return this.#options.store.layers.list();
	}

	/** What a device has on the disk, of every image. */
	ofDevice(device: Device): Promise<LayerRow[]> {
		return this.#options.store.layers.ofDevice(device.key);
	}

	get(id: string): Promise<LayerRow | undefined> {
		return this.#options.store.layers.get(id);
	}

	/** What a device keeps over its boots of this build. */
	async kept(device: Device, buildId: string): Promise<LayerRow | undefined> {
		const rows = await this.#options.store.layers.ofDevice(device.key, buildId);
		return rows.find(isKept);
	}

	/** A boot uses it again. */
	async used(id: string): Promise<void> {
		await this.#options.store.layers.update(id, { lastUsedAt: this.#options.clock.now() });
	}

	/** Notes a new layer. */
	async add(id: string, path: string, device: Device, image: BootImage, mode: RootMode): Promise<void> {
		const { clock, store } = this.#options;
		const now = clock.now();
		const owner = { deviceKey: device.key, imageId: image.imageId, buildId: image.build.id };
		await store.layers.insert({ id, path, ...owner, mode, state: "active", createdAt: now, lastUsedAt: now });
	}

	/** A person asked for a new root: no boot gets what the device kept of this image, in whatever build of it. */
	async reset(device: Device, imageId: string): Promise<void> {
		const { layers } = this.#options.store;
		for (const row of await layers.ofDevice(device.key)) {
			if (row.imageId === imageId && isKept(row)) await layers.update(row.id, { state: "dropped" });
		}
	}

	/** Puts a new layer in the place of what the device kept of this build: both or neither, also over a `kill -9`. */
	async replace(id: string, path: string, device: Device, { imageId, build }: BootImage): Promise<void> {
		const now = this.#options.clock.now();
		const owner = { deviceKey: device.key, imageId, buildId: build.id };
		await this.#options.store.transaction(async ({ layers }) => {
			for (const row of await layers.ofDevice(device.key, build.id)) {
				if (isKept(row)) await layers.update(row.id, { state: "dropped" });
			}
			const times = { createdAt: now, lastUsedAt: now };
			await layers.insert({ id, path, ...owner, mode: "persistent", state: "active", ...times });
		});
		await this.#options.store.durable();
	}

	/** Gives a layer up: its files go as soon as nobody uses it. */
	async drop(id: string): Promise<void> {
		await this.#options.store.layers.update(id, { state: "dropped" });
	}

	/**
	 * Removes the layers that were for one boot or were reset, unless they are in use.
	 *
	 * @param isUsed is asked just before each one goes.
	 */
	async clear(isUsed: (id: string) => boolean): Promise<void> {
		for (const row of await this.#options.store.layers.list()) {
			const isOver = row.state === "dropped" || row.mode === "ephemeral";
			if (isOver && !isUsed(row.id)) await this.#remove(row);
		}
	}

	/** One that cannot be removed must not keep the others. */
	async #remove({ id, path }: LayerRow): Promise<void> {
		const { store, log } = this.#options;
		try {
			dropLayer(this.path(path));
			await store.layers.remove(id);
			log.debug(`the layer ${path} was dropped`);
		} catch (error) {
			log.warn(`the layer ${path} cannot be removed: ${errorText(error)}`);
		}
	}
}

/** What a device has of its own, over its boots. */
export function isKept(row: LayerRow): boolean {
	return row.mode === "persistent" && row.state === "active";
}
