/**
 * The roots of the boots that go on: opened when their first handle comes, kept while somebody uses them, closed and, where
 * they were for one boot only, dropped.
 */
import { join } from "node:path";
import { type Clock, errorText, FileError, type Logger, type Timer, whenReady } from "../base/index.ts";
import type { Boot, Device, DeviceRegistry, LayerMaker, RootMode } from "../devices/index.ts";
import type { LayerRow, Store } from "../store/index.ts";
import { BOOT_FSID, type FileTree, type HandleCodec, Layer, ReadOnlyTree, ROOT_FSID, Root } from "../vfs/index.ts";
import type { BootImage, BootImages } from "./catalogue.ts";
import { OpenRoot } from "./open-root.ts";
import { type DeviceVolumes, deviceVolumes, identityOf, layerVolumes, type VolumeMaker } from "./root-volumes.ts";

export interface RootKeeperOptions extends VolumeMaker {
	/** Where the layers are. */
	readonly folder: string;
	readonly store: Store;
	readonly registry: DeviceRegistry;
	readonly images: BootImages;
	readonly handles: HandleCodec;
	readonly clock: Clock;
	readonly log: Logger;
}

/** How often it is looked whether a root can go. */
const SWEEP_MS = 30_000;

/** "The old kernel goes on with its old layer until the new path is mounted and the old connection is closed or silent." */
const SILENT_MS = 5 * 60_000;

export class RootKeeper {
	readonly #options: RootKeeperOptions;
	/** By the id that stands in handles. */
	readonly #open = new Map<string, OpenRoot>();
	readonly #opening = new Map<string, Promise<OpenRoot>>();
	#timer: Timer | undefined;
	#sweeping: Promise<void> | undefined;

	constructor(options: RootKeeperOptions) {
		this.#options = options;
	}

	/** Begins to look after the roots that nobody uses any more. */
	start(): void {
		this.#timer = this.#options.clock.after(SWEEP_MS, () => {
			this.#sweeping = this.#sweep().catch((error) => {
				this.#options.log.warn(`old roots were not cleared away: ${errorText(error)}`);
			});
			void this.#sweeping.then(() => {
				if (this.#timer !== undefined) this.start();
			});
		});
	}

	/** Closes all roots; what they were told is on the disk afterwards. */
	async stop(): Promise<void> {
		this.#timer?.cancel();
		this.#timer = undefined;
		await this.#sweeping;
		await Promise.allSettled(this.#opening.values());
		for (const root of [...this.#open.values()]) this.#close(root);
	}

	/** The root with this id where it is open: the quick way. */
	opened(id: string): OpenRoot | undefined {
		return this.#open.get(id);
	}

	/**
	 * Opens the root that a handle speaks of.
	 *
	 * @throws FileError ESTALE when no boot that goes on has it, or its image is gone.
	 */
	openById(id: string): Promise<OpenRoot> {
		const boot = this.#bootOf(id);
		if (boot === undefined) return Promise.reject(new FileError("ESTALE", "no boot that goes on has this root"));
		return this.openFor(boot);
	}

	#bootOf(id: string): Boot | undefined {
		const { registry } = this.#options;
		const boots = registry.list().flatMap((device) => registry.bootsOf(device));
		return boots.find((boot) => rootId(boot) === id);
	}

	/** Opens the root of a boot. @throws FileError ESTALE when its image is gone. */
	openFor(boot: Boot): Promise<OpenRoot> {
		const id = rootId(boot);
		const open = this.#open.get(id);
		if (open !== undefined) return Promise.resolve(open);
		const opening = this.#opening.get(id) ?? this.#load(boot).finally(() => this.#opening.delete(id));
		this.#opening.set(id, opening);
		return opening;
	}

	async #load(boot: Boot): Promise<OpenRoot> {
		const { registry, images, store } = this.#options;
		const device = registry.byKey(boot.deviceKey);
		const image = images.build(boot.buildId);
		if (device === undefined || image === undefined) {
			throw new FileError("ESTALE", `the image that boot ${boot.id} runs from is gone: reboot the Pi`);
		}
		const volumes = await this.#volumes(device, image, boot.mode);
		if (boot.layerId === null) return this.#keep(boot.id, device, image, volumes, undefined);
		const row = await store.layers.get(boot.layerId);
		if (row === undefined) throw new FileError("ESTALE", `the layer of boot ${boot.id} was dropped: reboot the Pi`);
		return this.#openLayer(row, device, image, volumes);
	}

	async #volumes(device: Device, image: BootImage, mode: RootMode): Promise<DeviceVolumes> {
		const identity = await identityOf(device, this.#options);
		return whenReady(() => deviceVolumes(image, mode, identity));
	}

	#openLayer(row: LayerRow, device: Device, image: BootImage, volumes: DeviceVolumes): OpenRoot {
		const open = this.#open.get(row.id);
		if (open !== undefined) return open;
		const { clock, log } = this.#options;
		const layer = Layer.open({ path: this.#path(row.path), volumes: layerVolumes(volumes), clock, log });
		return this.#keep(row.id, device, image, volumes, layer);
	}

	#path(name: string): string {
		return join(this.#options.folder, name);
	}

	#keep(id: string, device: Device, image: BootImage, volumes: DeviceVolumes, layer: Layer | undefined): OpenRoot {
		const { handles, images, clock } = this.#options;
		const tree = (fsid: number, base: FileTree) => ({ fsid, tree: layer?.tree(fsid) ?? new ReadOnlyTree(base) });
		const trees = [tree(ROOT_FSID, volumes.root)];
		if (volumes.boot !== undefined) trees.push(tree(BOOT_FSID, volumes.boot));
		const { mountPoint } = volumes;
		const mounts = mountPoint === undefined ? [] : [{ fsid: BOOT_FSID, on: { fsid: ROOT_FSID, ino: mountPoint } }];
		const root = new Root({ id, handles, volumes: trees, mounts, ...(layer && { layer }) });
		const open = new OpenRoot({ id, deviceKey: device.key, buildId: image.build.id, root, trees, layer, clock });
		images.hold(image.build.id);
		this.#open.set(id, open);
		return open;
	}

	#close(open: OpenRoot): void {
		if (!this.#open.delete(open.id)) return;
		open.close();
		this.#options.images.release(open.buildId);
	}

	/** Finds or makes the layer of a boot that is about to begin, as its mode says. */
	layerMaker(device: Device, image: BootImage, mode: RootMode): LayerMaker {
		return async (bootId, reset) => {
			if (mode === "read-only") return null;
			const kept = mode === "persistent" ? await this.#persistent(device, image.build.id) : undefined;
			if (kept !== undefined && !reset) {
				await this.#options.store.layers.update(kept.id, { lastUsedAt: this.#options.clock.now() });
				this.#freshen(kept.id);
				return kept.id;
			}
			if (kept !== undefined) await this.#options.store.layers.update(kept.id, { state: "dropped" });
			return this.#newLayer(device, image, mode, bootId);
		};
	}

	/** What we put into the root may have changed since it was opened; with nobody connected it can be read anew. */
	#freshen(id: string): void {
		const open = this.#open.get(id);
		if (open !== undefined && open.connections === 0) this.#close(open);
	}

	async #persistent(device: Device, buildId: string): Promise<LayerRow | undefined> {
		const rows = await this.#options.store.layers.ofDevice(device.key, buildId);
		return rows.find((row) => row.mode === "persistent" && row.state === "active");
	}

	async #newLayer(device: Device, image: BootImage, mode: RootMode, bootId: string): Promise<string> {
		const { clock, log, store } = this.#options;
		const volumes = await this.#volumes(device, image, mode);
		const path = `${device.key}-${bootId}`;
		const layer = Layer.open({ path: this.#path(path), volumes: layerVolumes(volumes), clock, log });
		const { id } = layer;
		const now = clock.now();
		const { imageId } = image;
		const owner = { deviceKey: device.key, imageId, buildId: image.build.id };
		await store.layers.insert({ id, path, ...owner, mode, state: "active", createdAt: now, lastUsedAt: now });
		this.#keep(id, device, image, volumes, layer);
		return id;
	}

	/** The boot volume that a device's next boot begins with: what the Pi changed there, where its layer is kept. */
	async bootVolume(device: Device, image: BootImage, mode: RootMode): Promise<FileTree | undefined> {
		const boot = image.build.trees().boot?.tree;
		if (boot === undefined || mode !== "persistent" || device.rootReset) return boot;
		const row = await this.#persistent(device, image.build.id);
		if (row === undefined) return boot;
		const open = this.#open.get(row.id) ?? (await this.#openKept(row, device, image, mode));
		return open.tree(BOOT_FSID);
	}

	#openKept(row: LayerRow, device: Device, image: BootImage, mode: RootMode): Promise<OpenRoot> {
		const opening =
			this.#opening.get(row.id) ??
			this.#volumes(device, image, mode)
				.then((volumes) => this.#openLayer(row, device, image, volumes))
				.finally(() => this.#opening.delete(row.id));
		this.#opening.set(row.id, opening);
		return opening;
	}

	/** Ends boots whose device has mounted a newer one and says nothing more, and drops what nobody will ask for again. */
	async #sweep(): Promise<void> {
		const { registry } = this.#options;
		for (const device of registry.list()) {
			const boots = registry.bootsOf(device);
			const current = boots.findIndex((boot) => boot.mountedAt !== null);
			for (const old of boots.slice(current < 0 ? boots.length : current + 1)) await this.#endIfSilent(old);
		}
		await this.#dropLayers();
	}

	async #endIfSilent(boot: Boot): Promise<void> {
		const open = this.#open.get(rootId(boot));
		if (open !== undefined && open.connections > 0 && open.silentFor() < SILENT_MS) return;
		await this.#options.registry.bootEnded(boot.id);
	}

	/** Closes roots without a boot, and removes the files of layers that were for one boot or were reset. */
	async #dropLayers(): Promise<void> {
		const { registry, store, log } = this.#options;
		const used = new Set(registry.list().flatMap((device) => registry.bootsOf(device).map(rootId)));
		for (const open of [...this.#open.values()]) {
			if (!used.has(open.id) && open.silentFor() > SWEEP_MS) this.#close(open);
		}
		for (const row of await store.layers.list()) {
			const isOver = row.state === "dropped" || row.mode === "ephemeral";
			if (!isOver || used.has(row.id) || this.#open.has(row.id) || this.#opening.has(row.id)) continue;
			Layer.drop(this.#path(row.path));
			await store.layers.remove(row.id);
			log.debug(`the layer ${row.path} was dropped`);
		}
	}
}

/** What stands in the handles of a boot's root: its layer's id, or its own where it has no layer. */
export function rootId(boot: Boot): string {
	return boot.layerId ?? boot.id;
}
