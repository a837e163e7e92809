/**
 * The roots of the boots that go on: opened when their first handle comes, kept while somebody uses them, closed and, where
 * they were for one boot only, dropped.
 */
import { errorText, FileError, type Timer } from "../base/index.ts";
import type { Boot, Device, LayerMaker, RootMode } from "../devices/index.ts";
import type { LayerRow } from "../store/index.ts";
import { BOOT_FSID, type FileTree } from "../vfs/index.ts";
import type { BootImage } from "./catalogue.ts";
import { LayerRecords } from "./layers.ts";
import type { OpenRoot } from "./open-root.ts";
import { RootCare } from "./root-care.ts";
import { newestOf, type RootKeeperOptions, RootOpener, rootId } from "./root-opener.ts";

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

export class RootKeeper {
	/** What a person asks of the roots. */
	readonly care: RootCare;
	readonly #options: RootKeeperOptions;
	readonly #layers: LayerRecords;
	readonly #roots: RootOpener;
	readonly #startedAt: number;
	#timer: Timer | undefined;
	#sweeping: Promise<void> | undefined;
	#isStopped = false;

	constructor(options: RootKeeperOptions) {
		this.#options = options;
		this.#layers = new LayerRecords(options);
		this.#roots = new RootOpener(options, this.#layers);
		const isUsed = (id: string) => this.#isUsed(id);
		this.care = new RootCare({ ...options, layers: this.#layers, roots: this.#roots, isUsed });
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
		await this.care.stop();
		await this.#roots.stop();
	}

	/** What was set for a device and its image could not take when it booted last, in sentences. */
	gapsOf(device: Device): readonly string[] {
		return this.#roots.gaps.of(device);
	}

	/** The root with this id where it is open: the quick way. */
	opened(id: string): OpenRoot | undefined {
		return this.#roots.get(id);
	}

	/** The boot that uses this root, or is about to. */
	bootOf(id: string): Boot | undefined {
		return newestOf(this.#liveBoots().filter((boot) => rootId(boot) === id));
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
		return this.#roots.openFor(boot);
	}

	/** Finds or makes the layer of a boot that is about to begin, as its mode says. */
	layerMaker(device: Device, image: BootImage, mode: RootMode): LayerMaker {
		return async (bootId, reset) => {
			if (reset) await this.#layers.reset(device, image.imageId);
			if (mode === "read-only") return null;
			const kept = mode === "persistent" ? await this.#layers.kept(device, image.build.id) : undefined;
			if (kept === undefined) return this.#roots.make(device, image, mode, bootId);
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
		const open = this.#roots.get(id);
		if (open === undefined) return;
		open.isOutdated = true;
		this.#closeOutdated(open);
	}

	#closeOutdated(open: OpenRoot): void {
		const isQuiet = open.connections === 0 || open.silentFor() >= REBOOT_MS;
		if (open.isOutdated && open.leases === 0 && isQuiet) this.#roots.close(open);
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
			const open = await this.#roots.openKept(row, device, image);
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
		this.#closeAll((open) => this.#canGo(open));
		this.care.applyQuotas();
		await this.care.tidy();
		await this.#layers.clear((id) => this.#isUsed(id));
	}

	/** A boot that has its root in common with the one that runs loses nothing but its path. */
	#isOver(old: Boot, current: Boot): boolean {
		const id = rootId(old);
		if (id === rootId(current)) return true;
		if (this.#roots.isOpening(id) || this.#options.clock.monotonic() - this.#startedAt < SILENT_MS) return false;
		const open = this.#roots.get(id);
		return open === undefined || open.connections === 0 || open.silentFor() >= SILENT_MS;
	}

	/** Closes what was only looked into, so that it keeps no image: no Pi has it. */
	letGo(): void {
		this.#closeAll((open) => open.leases === 0 && this.bootOf(open.id) === undefined);
	}

	#closeAll(canGo: (open: OpenRoot) => boolean): void {
		for (const open of this.#roots.list()) {
			if (!canGo(open)) continue;
			try {
				this.#roots.close(open);
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
		return (
			this.#roots.get(id) !== undefined ||
			this.#roots.isOpening(id) ||
			this.#liveBoots().some((boot) => rootId(boot) === id)
		);
	}
}

function once(action: () => void): () => void {
	let isDone = false;
	return () => {
		if (!isDone) action();
		isDone = true;
	};
}
