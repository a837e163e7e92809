/**
 * The roots of the boots that go on: opened when their first handle comes, kept while somebody uses them, closed and, where
 * they were for one boot only, dropped.
 */
import { type Clock, errorText, FileError, type Logger, settleSeries, type Timer, whenReady } from "../base/index.ts";
import type { Boot, Device, DeviceRegistry, LayerMaker, RootMode } from "../devices/index.ts";
import type { LayerRow, Store } from "../store/index.ts";
import { BOOT_FSID, type FileTree, type HandleCodec, Layer, ReadOnlyTree, ROOT_FSID, Root } from "../vfs/index.ts";
import type { BootImage, BootImages } from "./catalogue.ts";
import { LayerRecords } from "./layers.ts";
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

/** A boot volume that is being read; its image and its layer stay open until `release`, which may be called again. */
export interface BootVolume {
	readonly tree: FileTree;
	release(): void;
}

/** How often it is looked whether a root can go. */
const SWEEP_MS = 30_000;

/** "The old kernel goes on with its old layer until the new path is mounted and the old connection is closed or silent." */
const SILENT_MS = 5 * 60_000;

/** A Pi whose firmware asks for files has not used its root for longer than this: it starts in three seconds at best. */
const REBOOT_MS = 2_000;

/** A Pi that did not say a word for so long, and has no connection, is off. */
const OFF_MS = 60 * 60_000;

/** After a start the library may still have to see that an image is complete. */
const STARTING_MS = 30_000;

export class RootKeeper {
	readonly #options: RootKeeperOptions;
	readonly #layers: LayerRecords;
	/** By the id that stands in handles. */
	readonly #open = new Map<string, OpenRoot>();
	readonly #opening = new Map<string, Promise<OpenRoot>>();
	readonly #startedAt: number;
	#timer: Timer | undefined;
	#sweeping: Promise<void> | undefined;
	#isStopped = false;

	constructor(options: RootKeeperOptions) {
		this.#options = options;
		this.#layers = new LayerRecords(options);
		this.#startedAt = options.clock.monotonic();
	}

	/** Begins to look after the roots that nobody uses any more. */
	start(): void {
		this.#timer = this.#options.clock.after(SWEEP_MS, () => {
			this.#sweeping = this.sweep().catch((error) => {
				this.#options.log.warn(`old roots were not cleared away: ${errorText(error)}`);
			});
			void this.#sweeping.then(() => {
				if (!this.#isStopped) this.start();
			});
		});
	}

	/** Closes all roots; what they were told is on the disk afterwards. None is opened any more. */
	async stop(): Promise<void> {
		this.#isStopped = true;
		this.#timer?.cancel();
		await this.#sweeping;
		await Promise.allSettled(this.#opening.values());
		await settleSeries([...this.#open.values()].map((open) => () => this.#close(open)));
	}

	/** The root with this id where it is open: the quick way. */
	opened(id: string): OpenRoot | undefined {
		return this.#open.get(id);
	}

	/** The newest boot with this root that goes on. A boot that was not mounted cannot be the one that uses it. */
	bootOf(id: string): Boot | undefined {
		const boots = this.#liveBoots().filter((boot) => rootId(boot) === id);
		return boots.find(({ mountedAt }) => mountedAt !== null) ?? boots[0];
	}

	#liveBoots(): Boot[] {
		const { registry } = this.#options;
		return registry.list().flatMap((device) => registry.bootsOf(device));
	}

	/**
	 * Opens the root that a handle speaks of.
	 *
	 * @throws FileError ESTALE when no boot that goes on has it, or its image is gone; EAGAIN when that is not known yet.
	 */
	openById(id: string): Promise<OpenRoot> {
		const boot = this.bootOf(id);
		if (boot === undefined) return Promise.reject(new FileError("ESTALE", "no boot that goes on has this root"));
		return this.openFor(boot);
	}

	/** Opens the root of a boot. @throws as `openById`. */
	openFor(boot: Boot): Promise<OpenRoot> {
		return this.#openOnce(rootId(boot), () => this.#load(boot));
	}

	/** A root is opened by one at a time: a layer that is open twice would be torn. */
	#openOnce(id: string, load: () => Promise<OpenRoot>): Promise<OpenRoot> {
		const open = this.#open.get(id);
		if (open !== undefined) return Promise.resolve(open);
		const opening = this.#opening.get(id) ?? load().finally(() => this.#opening.delete(id));
		this.#opening.set(id, opening);
		return opening;
	}

	async #load(boot: Boot): Promise<OpenRoot> {
		const device = this.#options.registry.byKey(boot.deviceKey);
		const image = this.#options.images.build(boot.buildId);
		if (device === undefined) throw new FileError("ESTALE", `the device of boot ${boot.id} was forgotten`);
		if (image === undefined) throw this.#imageGone(device, boot);
		if (boot.layerId === null) {
			return this.#held(image, async () => {
				const volumes = await this.#volumes(device, image, boot.mode);
				return this.#put(boot.id, device, image, volumes, undefined);
			});
		}
		const row = await this.#layers.get(boot.layerId);
		if (row === undefined) throw new FileError("ESTALE", `the layer of boot ${boot.id} was dropped: reboot the Pi`);
		return this.#openLayer(row, device, image, boot.mode);
	}

	#imageGone(device: Device, boot: Boot): FileError {
		const { clock, registry } = this.#options;
		const message = `the image that boot ${boot.id} runs from is gone: reboot the Pi`;
		// A Pi that is told ESTALE gives its root up for good, one that is told EAGAIN asks again.
		if (clock.monotonic() - this.#startedAt < STARTING_MS) return new FileError("EAGAIN", message);
		registry.fact(device, { kind: "image-changed", bootId: boot.id });
		return new FileError("ESTALE", message);
	}

	/** Opens a root, whose image stays open from before until the root is closed. */
	async #held(image: BootImage, open: () => Promise<OpenRoot>): Promise<OpenRoot> {
		const { images } = this.#options;
		images.hold(image.build.id);
		try {
			return await open();
		} catch (error) {
			images.release(image.build.id);
			throw error;
		}
	}

	async #volumes(device: Device, image: BootImage, mode: RootMode): Promise<DeviceVolumes> {
		const identity = await identityOf(device, this.#options);
		return whenReady(() => deviceVolumes(image, mode, identity));
	}

	#openLayer(row: LayerRow, device: Device, image: BootImage, mode: RootMode): Promise<OpenRoot> {
		return this.#held(image, async () => {
			const volumes = await this.#volumes(device, image, mode);
			return this.#put(row.id, device, image, volumes, this.#layerAt(row.path, volumes));
		});
	}

	#layerAt(path: string, volumes: DeviceVolumes): Layer {
		this.#checkRunning();
		const { clock, log } = this.#options;
		return Layer.open({ path: this.#layers.path(path), volumes: layerVolumes(volumes), clock, log });
	}

	/** Who is told to come again finds the server that is started next. */
	#checkRunning(): void {
		if (this.#isStopped) throw new FileError("EAGAIN", "the server stops: no root is opened any more");
	}

	#put(id: string, device: Device, image: BootImage, volumes: DeviceVolumes, layer: Layer | undefined): OpenRoot {
		this.#checkRunning();
		const { handles, clock } = this.#options;
		const tree = (fsid: number, base: FileTree) => ({ fsid, tree: layer?.tree(fsid) ?? new ReadOnlyTree(base) });
		const trees = [tree(ROOT_FSID, volumes.root)];
		if (volumes.boot !== undefined) trees.push(tree(BOOT_FSID, volumes.boot));
		const { mountPoint } = volumes;
		const mounts = mountPoint === undefined ? [] : [{ fsid: BOOT_FSID, on: { fsid: ROOT_FSID, ino: mountPoint } }];
		const root = new Root({ id, handles, volumes: trees, mounts, ...(layer && { layer }) });
		const open = new OpenRoot({ id, deviceKey: device.key, build: image.build, root, trees, layer, clock });
		this.#open.set(id, open);
		return open;
	}

	#close(open: OpenRoot): void {
		if (!this.#open.delete(open.id)) return;
		try {
			open.close();
		} finally {
			this.#options.images.release(open.buildId);
		}
	}

	/** Finds or makes the layer of a boot that is about to begin, as its mode says. */
	layerMaker(device: Device, image: BootImage, mode: RootMode): LayerMaker {
		return async (bootId, reset) => {
			if (reset) await this.#layers.reset(device, image.imageId);
			if (mode === "read-only") return null;
			const kept = mode === "persistent" ? await this.#layers.kept(device, image.build.id) : undefined;
			if (kept === undefined) return this.#newLayer(device, image, mode, bootId);
			await this.#layers.used(kept.id);
			this.#freshen(kept.id);
			return kept.id;
		};
	}

	/**
	 * What we put into the root (names, keys) may have changed since it was opened, and takes effect at a boot. The
	 * connection of a Pi that was switched off stays open for minutes, so its silence counts.
	 */
	#freshen(id: string): void {
		const open = this.#open.get(id);
		if (open === undefined) return;
		open.isOutdated = true;
		this.#closeOutdated(open);
	}

	#closeOutdated(open: OpenRoot): void {
		const isQuiet = open.connections === 0 || open.silentFor() >= REBOOT_MS;
		if (open.isOutdated && open.leases === 0 && isQuiet) this.#close(open);
	}

	async #newLayer(device: Device, image: BootImage, mode: RootMode, bootId: string): Promise<string> {
		const path = `${device.key}-${bootId}`;
		const open = await this.#held(image, async () => {
			const volumes = await this.#volumes(device, image, mode);
			const layer = this.#layerAt(path, volumes);
			return this.#put(layer.id, device, image, volumes, layer);
		});
		try {
			await this.#layers.add(open.id, path, device, image, mode);
		} catch (error) {
			this.#close(open);
			Layer.drop(this.#layers.path(path));
			throw error;
		}
		return open.id;
	}

	/**
	 * The boot volume that a device's next boot begins with: what the Pi changed there, where its layer is kept.
	 *
	 * @throws FileError ESTALE when the image's build is no longer open.
	 */
	async bootVolume(device: Device, image: BootImage, mode: RootMode): Promise<BootVolume | undefined> {
		const { images } = this.#options;
		const tree = image.build.trees().boot?.tree;
		if (tree === undefined) return undefined;
		images.hold(image.build.id);
		const release = once(() => images.release(image.build.id));
		try {
			const keeps = mode === "persistent" && !device.rootReset;
			const row = keeps ? await this.#layers.kept(device, image.build.id) : undefined;
			if (row === undefined) return { tree, release };
			const volume = await this.#leased(row, device, image);
			// An open root holds its image by itself.
			release();
			return volume;
		} catch (error) {
			release();
			throw error;
		}
	}

	async #leased(row: LayerRow, device: Device, image: BootImage): Promise<BootVolume | undefined> {
		for (;;) {
			const open = await this.#openOnce(row.id, () => this.#openLayer(row, device, image, "persistent"));
			// It may have been closed again before we come to run.
			if (open.isClosed) continue;
			const tree = open.tree(BOOT_FSID);
			if (tree === undefined) return undefined;
			const end = open.lease();
			const release = () => {
				end();
				this.#closeOutdated(open);
			};
			return { tree, release };
		}
	}

	/** Ends boots whose device has mounted a newer one and says nothing more, and drops what nobody will ask for again. */
	async sweep(): Promise<void> {
		const { registry } = this.#options;
		for (const device of registry.list()) {
			const boots = registry.bootsOf(device);
			const [current, ...older] = boots.slice(boots.findIndex(({ mountedAt }) => mountedAt !== null));
			if (current === undefined || current.mountedAt === null) continue;
			for (const old of older) if (this.#isOver(old, current)) await registry.bootEnded(old.id);
		}
		this.#closeUnused();
		await this.#layers.clear((id) => this.#isUsed(id));
	}

	/** A boot that has its root in common with the one that runs loses nothing but its path. */
	#isOver(old: Boot, current: Boot): boolean {
		const id = rootId(old);
		if (id === rootId(current)) return true;
		if (this.#opening.has(id) || this.#options.clock.monotonic() - this.#startedAt < SILENT_MS) return false;
		const open = this.#open.get(id);
		return open === undefined || open.connections === 0 || open.silentFor() >= SILENT_MS;
	}

	#closeUnused(): void {
		for (const open of [...this.#open.values()]) {
			if (!this.#canGo(open)) continue;
			try {
				this.#close(open);
			} catch (error) {
				this.#options.log.warn(`a root was not closed whole: ${errorText(error)}`);
			}
		}
	}

	/** Roots that no boot has, and those of Pis that are off. Of an older build nothing would be left to be opened again. */
	#canGo(open: OpenRoot): boolean {
		if (open.leases > 0) return false;
		const boot = this.bootOf(open.id);
		if (boot === undefined) return open.silentFor() > SWEEP_MS;
		const isNewest = this.#options.images.choose(boot.imageId)?.build.id === open.buildId;
		return isNewest && open.connections === 0 && open.silentFor() > OFF_MS;
	}

	#isUsed(id: string): boolean {
		return this.#open.has(id) || this.#opening.has(id) || this.#liveBoots().some((boot) => rootId(boot) === id);
	}
}

/** What stands in the handles of a boot's root: its layer's id, or its own where it has no layer. */
export function rootId(boot: Boot): string {
	return boot.layerId ?? boot.id;
}

function once(action: () => void): () => void {
	let isDone = false;
	return () => {
		if (!isDone) action();
		isDone = true;
	};
}
