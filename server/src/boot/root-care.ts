/** What a person asks of the roots: what they take, what was changed in them, to keep them under a name and to have them back. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { errorText, NetbootError } from "../base/index.ts";
import type { Device, RootMode } from "../devices/index.ts";
import type { LayerRow } from "../store/index.ts";
import {
	BOOT_FSID,
	dropLayer,
	hostSpace,
	type Layer,
	type LayerChange,
	layerBytes,
	ROOT_FSID,
	restoreLayer,
} from "../vfs/index.ts";
import type { BootImage } from "./catalogue.ts";
import { isKept, type LayerRecords } from "./layers.ts";
import { DEFAULT_RULE, type OldRootRule, rootsToDrop } from "./old-roots.ts";
import type { OpenRoot } from "./open-root.ts";
import type { RootKeeperOptions, RootOpener } from "./root-opener.ts";
import { clearLeftovers, type Snapshot, Snapshots } from "./snapshots.ts";

/** Changes of one root that are looked for; a list that is longer is cut, and says so. */
const MOST_CHANGES = 100_000;

/** How long a list of changes is given out again while the root is written to. */
const LIST_MS = 10_000;

export interface RootUse {
	readonly imageId: string;
	readonly buildId: string;
	readonly mode: RootMode;
	readonly bytes: number;
	readonly createdAt: number;
	readonly lastUsedAt: number;
	/** What the device runs from, or what its next boot gets if nothing changes. */
	readonly isCurrent: boolean;
}

export interface KeptRoots {
	readonly roots: number;
	/** On the disk, of all of them. */
	readonly bytes: number;
	/** When a boot last had one of them. */
	readonly usedAt: number;
}

export interface RootChanges {
	readonly changes: readonly LayerChange[];
	/** False when there are more than are looked for. */
	readonly isComplete: boolean;
}

interface Listed extends RootChanges {
	readonly version: number;
	readonly at: number;
}

interface Current {
	readonly row: LayerRow;
	readonly image: BootImage;
}

export interface RootCareOptions extends RootKeeperOptions {
	readonly layers: LayerRecords;
	readonly roots: RootOpener;
	/** Whether a layer is open, or a boot that goes on has it. */
	readonly isUsed: (id: string) => boolean;
}

export class RootCare {
	readonly snapshots: Snapshots;
	readonly #options: RootCareOptions;
	readonly #listed = new WeakMap<OpenRoot, Listed>();
	readonly #running = new Set<Promise<unknown>>();
	#bytes: ReadonlyMap<number, number> = new Map();
	#sizes: ReadonlyMap<LayerRow, number> = new Map();
	#isStopped = false;

	constructor(options: RootCareOptions) {
		this.#options = options;
		this.snapshots = new Snapshots({ ...options, folder: join(options.folder, "snapshots") });
	}

	/** Removes what a server that was killed left half made. Before the first boot. */
	async clearLeftovers(): Promise<void> {
		const { layers, folder, log } = this.#options;
		const rows = await layers.list();
		const count =
			clearLeftovers(folder, new Set(rows.map(({ path }) => path))) + (await this.snapshots.clearLeftovers());
		if (count > 0) log.info(`removed ${count} roots that were half made when the server ended`);
	}

	/** Waits for what is being copied, and begins nothing more. */
	async stop(): Promise<void> {
		this.#isStopped = true;
		await Promise.allSettled(this.#running);
	}

	/** Bytes on the disk of a device's roots and snapshots, as they were when it was last looked. */
	bytesOf(device: Device): number {
		return this.#bytes.get(device.key) ?? 0;
	}

	/** The builds of an image that roots are kept of, as they were when it was last looked. */
	keptOf(imageId: string): Map<string, KeptRoots> {
		const kept = new Map<string, KeptRoots>();
		for (const [row, size] of this.#sizes) {
			if (row.imageId !== imageId) continue;
			const { roots = 0, bytes = 0, usedAt = 0 } = kept.get(row.buildId) ?? {};
			const used = Math.max(usedAt, row.lastUsedAt);
			kept.set(row.buildId, { roots: roots + 1, bytes: bytes + size, usedAt: used });
		}
		return kept;
	}

	/** Bytes of all devices, and what the disk has left. */
	total(): { bytes: number; freeBytes: number } {
		const bytes = [...this.#bytes.values()].reduce((sum, one) => sum + one, 0);
		return { bytes, freeBytes: hostSpace(join(this.#options.folder, "x")).available };
	}

	/** Every root that a device has on the disk, the one used last first. */
	async rootsOf(device: Device): Promise<RootUse[]> {
		const { layers } = this.#options;
		const current = await this.#current(device);
		const rows = (await layers.ofDevice(device)).toSorted((a, b) => b.lastUsedAt - a.lastUsedAt);
		return Promise.all(rows.map((row) => this.#use(row, row.id === current?.row.id)));
	}

	async #use(row: LayerRow, isCurrent: boolean): Promise<RootUse> {
		const { imageId, buildId, createdAt, lastUsedAt } = row;
		const mode = row.mode === "ephemeral" ? "ephemeral" : "persistent";
		const bytes = await layerBytes(this.#options.layers.path(row.path));
		return { imageId, buildId, mode, bytes, createdAt, lastUsedAt, isCurrent };
	}

	/** What a device changed of its image, sorted by path. @throws NetbootError `conflict` when it has no root. */
	changes(device: Device): Promise<RootChanges> {
		return this.#run(() => this.#withCurrent(device, (open, layer, { image }) => this.#list(open, layer, image)));
	}

	async #list(open: OpenRoot, layer: Layer, image: BootImage): Promise<RootChanges> {
		const now = this.#options.clock.monotonic();
		const known = this.#listed.get(open);
		if (known !== undefined && (known.version === layer.version || now - known.at < LIST_MS)) return known;
		const { version } = layer;
		const found: LayerChange[] = [];
		for (const fsid of [ROOT_FSID, BOOT_FSID]) {
			if (open.tree(fsid) === undefined) continue;
			const places = open.placesOf(fsid);
			const prefix = fsid === BOOT_FSID ? image.build.trees().bootMount : "";
			const changes = await layer.changes(fsid, places, MOST_CHANGES + 1 - found.length);
			for (const change of changes) found.push({ ...change, path: prefix + change.path });
		}
		found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
		const isComplete = found.length <= MOST_CHANGES;
		const listed = { version, at: now, changes: found.slice(0, MOST_CHANGES), isComplete };
		this.#listed.set(open, listed);
		return listed;
	}

	/** Keeps what a device has now under a name; a Pi that runs waits with its writes meanwhile. */
	takeSnapshot(device: Device, name: string): Promise<Snapshot> {
		return this.#run(() =>
			this.#withCurrent(device, (_open, layer, { row }) => {
				if (row.mode !== "persistent") throw notKept(device);
				return this.snapshots.take(device, name, layer, row);
			}),
		);
	}

	/**
	 * The next boot begins with what was kept. What the device has now goes when it runs from it no more.
	 *
	 * @throws NetbootError `snapshot-not-found`; `conflict` when the next boot has another image, build or mode.
	 */
	restoreSnapshot(device: Device, name: string): Promise<void> {
		return this.#run(async () => {
			const { layers, images, registry } = this.#options;
			const snapshot = await this.snapshots.get(device, name);
			const image = images.choose(device.imageId);
			if (registry.rootModeOf(device) !== "persistent") throw notKept(device);
			if (image?.imageId !== snapshot.imageId || image.build.id !== snapshot.buildId) throw otherBuild(device, name);
			const path = `${device.key}-${randomBytes(8).toString("hex")}`;
			const id = await restoreLayer(this.snapshots.path(snapshot), layers.path(path));
			try {
				// A wish for a fresh root would take this one.
				await registry.keepRoot(device.id);
				await layers.replace(id, path, device, image);
			} catch (error) {
				dropLayer(layers.path(path));
				throw error;
			}
			// One that was told its root and never mounted it would get the old one when it asks again.
			const waiting = registry.bootsOf(device).filter(({ mountedAt }) => mountedAt === null);
			for (const boot of waiting) await registry.bootEnded(boot.id);
		});
	}

	removeSnapshot(device: Device, name: string): Promise<void> {
		return this.#run(() => this.snapshots.remove(device, name));
	}

	/** How much the open roots may hold may have changed. */
	applyQuotas(): void {
		const { roots, registry } = this.#options;
		for (const { layer, deviceKey } of roots.list()) {
			const device = registry.byKey(deviceKey);
			if (layer !== undefined && device !== undefined) layer.quotaBytes = registry.quotaOf(device);
		}
	}

	/** Counts what all roots take, and gives up those of older builds that the rule wants gone. */
	async tidy(): Promise<void> {
		const { layers, log, clock } = this.#options;
		const bytes = await this.snapshots.bytes();
		const rows = await layers.list();
		const sizes = new Map<LayerRow, number>();
		for (const row of rows) {
			const size = await layerBytes(layers.path(row.path));
			sizes.set(row, size);
			bytes.set(row.deviceKey, (bytes.get(row.deviceKey) ?? 0) + size);
		}
		this.#bytes = bytes;
		this.#sizes = sizes;
		const total = [...bytes.values()].reduce((sum, one) => sum + one, 0);
		const old = rows.filter((row) => this.#isOld(row)).map((row) => ({ row, bytes: sizes.get(row) ?? 0 }));
		for (const { row, reason } of rootsToDrop(old, total, this.rule(), clock.now())) {
			await layers.drop(row.id);
			sizes.delete(row);
			const owner = this.#options.registry.byKey(row.deviceKey)?.name ?? "a device that was forgotten";
			log.info(`the root of ${owner} on an older build of ${row.imageId} goes: ${reason}`);
		}
	}

	/** An image that is not ready, or not there, may come back as it was. */
	#isOld(row: LayerRow): boolean {
		const newest = this.#options.images.choose(row.imageId);
		return isKept(row) && newest !== undefined && newest.build.id !== row.buildId && !this.#options.isUsed(row.id);
	}

	/** When roots of older builds go. */
	rule(): OldRootRule {
		const { settings } = this.#options.store;
		const days = settings.get("oldRootDays");
		return {
			kept: settings.get("oldRootsKept") ?? DEFAULT_RULE.kept,
			days: days === undefined ? DEFAULT_RULE.days : days,
			budgetBytes: settings.get("rootBudgetBytes") ?? DEFAULT_RULE.budgetBytes,
		};
	}

	/** What a device runs from; else what its next boot gets. */
	async #current(device: Device): Promise<Current | undefined> {
		const { registry, images, layers } = this.#options;
		for (const boot of registry.bootsOf(device).toSorted((a, b) => (b.mountedAt ?? 0) - (a.mountedAt ?? 0))) {
			const image = images.build(boot.buildId);
			const row = boot.layerId === null ? undefined : await layers.get(boot.layerId);
			if (image !== undefined && row !== undefined) return { row, image };
		}
		const image = images.choose(device.imageId);
		const row = image === undefined ? undefined : await layers.kept(device, image.build.id);
		return image === undefined || row === undefined ? undefined : { row, image };
	}

	async #withCurrent<T>(
		device: Device,
		use: (open: OpenRoot, layer: Layer, current: Current) => Promise<T>,
	): Promise<T> {
		const current = await this.#current(device);
		if (current === undefined) throw noRoot(device);
		const open = await this.#options.roots.openKept(current.row, device, current.image);
		const { layer } = open;
		if (layer === undefined || open.isClosed) throw noRoot(device);
		const end = open.lease();
		try {
			return await use(open, layer, current);
		} finally {
			end();
		}
	}

	async #run<T>(work: () => Promise<T>): Promise<T> {
		if (this.#isStopped) throw new NetbootError("unavailable", "The server is stopping.");
		const running = work().catch((error: unknown) => {
			throw forPerson(error);
		});
		this.#running.add(running);
		try {
			return await running;
		} finally {
			this.#running.delete(running);
		}
	}
}

/** A full disk is no fault of ours. */
function forPerson(error: unknown): unknown {
	const isFull = error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
	if (!isFull) return error;
	const hint = "Free space where the data folder is; deleting snapshots helps.";
	return new NetbootError("conflict", `The server's disk is too full for a copy: ${errorText(error)}.`, { hint });
}

function noRoot(device: Device): NetbootError {
	return new NetbootError("conflict", `${device.name} has no root of its own: it has not booted this image yet.`, {
		hint: "A read-only root has no changes either.",
	});
}

function notKept(device: Device): NetbootError {
	return new NetbootError("conflict", `The root of ${device.name} is not kept over its boots.`, {
		hint: "Let it keep its changes (root mode `persistent`).",
	});
}

function otherBuild(device: Device, name: string): NetbootError {
	return new NetbootError("conflict", `"${name}" belongs to another image, or to another build of it.`, {
		hint: `${device.name} boots something else now: give it that image, or put the older build back.`,
	});
}
