/** Opens roots, each once, and closes them. */
import { type Clock, FileError, type Logger, settleSeries, whenReady } from "../base/index.ts";
import type { Boot, Device, DeviceRegistry, RootMode } from "../devices/index.ts";
import type { LayerRow, Store } from "../store/index.ts";
import {
	BOOT_FSID,
	dropLayer,
	type FileTree,
	type HandleCodec,
	Layer,
	ReadOnlyTree,
	ROOT_FSID,
	Root,
	type RootMount,
	type RootVolume,
} from "../vfs/index.ts";
import { AGENT_FSID, type AgentPlace, AgentVolume, findAgentPoint } from "./agent/index.ts";
import type { BootImage, BootImages } from "./catalogue.ts";
import { KnownGaps } from "./known-gaps.ts";
import type { LayerRecords } from "./layers.ts";
import { OpenRoot } from "./open-root.ts";
import { type DeviceVolumes, deviceVolumes, identityOf, layerVolumes, type VolumeMaker } from "./root-volumes.ts";

export interface RootKeeperOptions extends VolumeMaker {
	/** Where the layers are. */
	readonly folder: string;
	readonly store: Store;
	readonly registry: DeviceRegistry;
	readonly images: BootImages;
	readonly handles: HandleCodec;
	readonly agent: AgentPlace;
	readonly clock: Clock;
	readonly log: Logger;
}

/** What a root is put together of. */
interface RootParts {
	readonly id: string;
	readonly device: Device;
	readonly image: BootImage;
	readonly trees: readonly RootVolume[];
	readonly mounts: readonly RootMount[];
	readonly layer: Layer | undefined;
}

/** After a start the library may still have to see that an image is complete. */
const STARTING_MS = 30_000;

export class RootOpener {
	readonly gaps = new KnownGaps();
	readonly #options: RootKeeperOptions;
	readonly #layers: LayerRecords;
	/** By the id that stands in handles. */
	readonly #open = new Map<string, OpenRoot>();
	readonly #opening = new Map<string, Promise<OpenRoot>>();
	readonly #startedAt: number;
	#isStopped = false;

	constructor(options: RootKeeperOptions, layers: LayerRecords) {
		this.#options = options;
		this.#layers = layers;
		this.#startedAt = options.clock.monotonic();
	}

	/** The roots that are open. */
	list(): OpenRoot[] {
		return [...this.#open.values()];
	}

	/** The root with this id where it is open: the quick way. */
	get(id: string): OpenRoot | undefined {
		return this.#open.get(id);
	}

	isOpening(id: string): boolean {
		return this.#opening.has(id);
	}

	/** Closes all roots, and opens none any more. */
	async stop(): Promise<void> {
		this.#isStopped = true;
		await Promise.allSettled(this.#opening.values());
		await settleSeries(this.list().map((open) => () => this.close(open)));
	}

	/**
	 * Opens the root of a boot.
	 *
	 * @throws FileError ESTALE when its image or its layer is gone; EAGAIN when that is not known yet.
	 */
	openFor(boot: Boot): Promise<OpenRoot> {
		return this.#once(rootId(boot), () => this.#load(boot));
	}

	/** Opens what a device keeps over its boots, or what it runs from. */
	openKept(row: LayerRow, device: Device, image: BootImage): Promise<OpenRoot> {
		const mode = row.mode === "ephemeral" ? "ephemeral" : "persistent";
		return this.#once(row.id, () => this.#openLayer(row, device, image, mode));
	}

	/** A root is opened by one at a time: a layer that is open twice would be torn. */
	#once(id: string, load: () => Promise<OpenRoot>): Promise<OpenRoot> {
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
		const { clock, registry, images } = this.#options;
		const message = `the image that boot ${boot.id} runs from is gone: reboot the Pi`;
		// A Pi that is told ESTALE gives its root up for good, one that is told EAGAIN asks again.
		const isStarting = clock.monotonic() - this.#startedAt < STARTING_MS;
		if (isStarting || images.isImporting(boot.imageId)) return new FileError("EAGAIN", message);
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
		const volumes = await whenReady(() => deviceVolumes(image, mode, identity));
		for (const gap of volumes.gaps) this.#options.log.warn({ device: device.id }, `${device.name}: ${gap}`);
		this.gaps.set(device, volumes.gaps);
		return volumes;
	}

	#openLayer(row: LayerRow, device: Device, image: BootImage, mode: RootMode): Promise<OpenRoot> {
		return this.#held(image, async () => {
			const volumes = await this.#volumes(device, image, mode);
			return this.#put(row.id, device, image, volumes, this.#layerAt(row.path, volumes, device));
		});
	}

	#layerAt(path: string, volumes: DeviceVolumes, device: Device): Layer {
		this.#checkRunning();
		const { clock, log, registry } = this.#options;
		const quotaBytes = registry.quotaOf(device);
		return Layer.open({ path: this.#layers.path(path), volumes: layerVolumes(volumes), clock, log, quotaBytes });
	}

	/** Who is told to come again finds the server that is started next. */
	#checkRunning(): void {
		if (this.#isStopped) throw new FileError("EAGAIN", "the server stops: no root is opened any more");
	}

	async #put(
		id: string,
		device: Device,
		image: BootImage,
		volumes: DeviceVolumes,
		layer: Layer | undefined,
	): Promise<OpenRoot> {
		try {
			const tree = (fsid: number, base: FileTree) => layer?.tree(fsid) ?? new ReadOnlyTree(base);
			const root = tree(ROOT_FSID, volumes.root);
			const trees: RootVolume[] = [{ fsid: ROOT_FSID, tree: root }];
			const agentPoint = await findAgentPoint(volumes.root, root, layer);
			if (volumes.boot !== undefined) trees.push({ fsid: BOOT_FSID, tree: tree(BOOT_FSID, volumes.boot) });
			if (agentPoint !== undefined) trees.push(this.#agentVolume(id, device));
			this.#checkRunning();
			const mounts = [...mountOn(BOOT_FSID, volumes.mountPoint), ...mountOn(AGENT_FSID, agentPoint)];
			return this.#opened({ id, device, image, trees, mounts, layer });
		} catch (error) {
			layer?.close();
			throw error;
		}
	}

	#opened({ id, device, image, trees, mounts, layer }: RootParts): OpenRoot {
		const { handles, clock } = this.#options;
		const root = new Root({ id, handles, volumes: trees, mounts, ...(layer && { layer }) });
		const open = new OpenRoot({ id, deviceKey: device.key, build: image.build, root, trees, layer, clock });
		this.#open.set(id, open);
		return open;
	}

	#agentVolume(id: string, device: Device): RootVolume {
		const { registry, agent, clock } = this.#options;
		const boot = () => newestOf(registry.bootsOf(device).filter((each) => rootId(each) === id));
		return { fsid: AGENT_FSID, tree: new ReadOnlyTree(new AgentVolume(agent, boot, clock)) };
	}

	/** Closes a root; opened again, it is the same one. @throws FileError EIO, ENOSPC. */
	close(open: OpenRoot): void {
		if (!this.#open.delete(open.id)) return;
		try {
			open.close();
		} finally {
			this.#options.images.release(open.buildId);
		}
	}

	/** Makes a layer for a boot that is about to begin, and opens it. Gives its id. */
	async make(device: Device, image: BootImage, mode: RootMode, bootId: string): Promise<string> {
		const path = `${device.key}-${bootId}`;
		const open = await this.#held(image, async () => {
			const volumes = await this.#volumes(device, image, mode);
			const layer = this.#layerAt(path, volumes, device);
			return this.#put(layer.id, device, image, volumes, layer);
		});
		try {
			await this.#layers.add(open.id, path, device, image, mode);
		} catch (error) {
			this.close(open);
			dropLayer(this.#layers.path(path));
			throw error;
		}
		return open.id;
	}
}

function mountOn(fsid: number, ino: number | undefined): RootMount[] {
	return ino === undefined ? [] : [{ fsid, on: { fsid: ROOT_FSID, ino } }];
}

/**
 * Of a root's boots the one that uses it: the newest that was mounted, else the one that is about to be.
 *
 * @param boots the newest first.
 */
export function newestOf(boots: readonly Boot[]): Boot | undefined {
	return boots.find(({ mountedAt }) => mountedAt !== null) ?? boots[0];
}

/** What stands in the handles of a boot's root: its layer's id, or its own where it has no layer. */
export function rootId(boot: Boot): string {
	return boot.layerId ?? boot.id;
}
