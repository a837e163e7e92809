/**
 * Roots that a person kept under a name. The files of one come to the disk before its row, and its row goes before its
 * files: whenever the server is killed, a row has its files, and files without a row are cleared away at the next start.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Clock, NetbootError } from "../base/index.ts";
import type { Device } from "../devices/index.ts";
import type { LayerRow, SnapshotRow, Store } from "../store/index.ts";
import { dropLayer, type Layer, layerBytes } from "../vfs/index.ts";

/** Nobody looks through more; each may be as large as a root. */
const MOST_PER_DEVICE = 32;

export interface SnapshotsOptions {
	readonly folder: string;
	readonly store: Store;
	readonly clock: Clock;
}

export interface Snapshot {
	readonly name: string;
	readonly imageId: string;
	readonly buildId: string;
	readonly createdAt: number;
	/** On the disk; blocks that it shares with the root count for both. */
	readonly bytes: number;
}

export class Snapshots {
	readonly #options: SnapshotsOptions;
	/** Names that are being made, by device. */
	readonly #making = new Set<string>();

	constructor(options: SnapshotsOptions) {
		this.#options = options;
	}

	/** The oldest first. */
	async list(device: Device): Promise<Snapshot[]> {
		const rows = await this.#options.store.snapshots.ofDevice(device.key);
		return Promise.all(rows.map((row) => this.show(row)));
	}

	async show(row: SnapshotRow): Promise<Snapshot> {
		const { name, imageId, buildId, createdAt } = row;
		return { name, imageId, buildId, createdAt, bytes: await layerBytes(this.path(row)) };
	}

	path({ path }: Pick<SnapshotRow, "path">): string {
		return join(this.#options.folder, path);
	}

	/** @throws NetbootError `snapshot-not-found`. */
	async get(device: Device, name: string): Promise<SnapshotRow> {
		const rows = await this.#options.store.snapshots.ofDevice(device.key);
		const row = rows.find((one) => one.name === name);
		if (row === undefined) throw new NetbootError("snapshot-not-found", `${device.name} has no snapshot "${name}".`);
		return row;
	}

	/** Keeps a layer as it is now. On the disk when it resolves. @throws NetbootError `conflict`; as `Layer.copyTo`. */
	async take(device: Device, name: string, layer: Layer, { imageId, buildId }: LayerRow): Promise<Snapshot> {
		const key = `${device.key} ${name}`;
		await this.#checkFree(device, name, key);
		this.#making.add(key);
		try {
			const id = randomBytes(8).toString("hex");
			const path = `${device.key}-${id}`;
			mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
			await layer.copyTo(this.path({ path }));
			const createdAt = this.#options.clock.now();
			return await this.#record({ id, deviceKey: device.key, name, path, imageId, buildId, createdAt });
		} finally {
			this.#making.delete(key);
		}
	}

	async #checkFree(device: Device, name: string, key: string): Promise<void> {
		const rows = await this.#options.store.snapshots.ofDevice(device.key);
		if (this.#making.has(key) || rows.some((row) => row.name === name)) {
			throw new NetbootError("conflict", `${device.name} has a snapshot "${name}" already.`, {
				hint: "Choose another name, or delete that one first.",
			});
		}
		if (rows.length >= MOST_PER_DEVICE) {
			throw new NetbootError("conflict", `${device.name} has ${rows.length} snapshots, which is the limit.`, {
				hint: "Delete one first.",
			});
		}
	}

	async #record(row: SnapshotRow): Promise<Snapshot> {
		const { store } = this.#options;
		try {
			await store.snapshots.insert(row);
		} catch (error) {
			dropLayer(this.path(row));
			throw error;
		}
		await store.durable();
		return this.show(row);
	}

	/** @throws NetbootError `snapshot-not-found`. */
	async remove(device: Device, name: string): Promise<void> {
		const { store } = this.#options;
		const row = await this.get(device, name);
		await store.snapshots.remove(row.id);
		// Otherwise a power cut could bring the row back, without its files.
		await store.durable();
		dropLayer(this.path(row));
	}

	/** Bytes of all, by device. */
	async bytes(): Promise<Map<number, number>> {
		const all = new Map<number, number>();
		for (const row of await this.#options.store.snapshots.list()) {
			all.set(row.deviceKey, (all.get(row.deviceKey) ?? 0) + (await layerBytes(this.path(row))));
		}
		return all;
	}

	/** Removes files that no row names. Only before the first snapshot is taken. */
	async clearLeftovers(): Promise<number> {
		const rows = await this.#options.store.snapshots.list();
		return clearLeftovers(this.#options.folder, new Set(rows.map(({ path }) => path)));
	}
}

/** @param known what may stay, without the ends of the files' names. @returns how many layers were removed. */
export function clearLeftovers(folder: string, known: ReadonlySet<string>): number {
	if (!existsSync(folder)) return 0;
	const found = readdirSync(folder).flatMap((name) => /^(\d+-[0-9a-f]+)\.[a-z-]+$/.exec(name)?.[1] ?? []);
	const leftovers = new Set(found.filter((path) => !known.has(path)));
	for (const path of leftovers) dropLayer(join(folder, path));
	return leftovers.size;
}
