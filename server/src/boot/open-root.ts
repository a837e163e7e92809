/** A root that is open, and who uses it. */
import type { Clock } from "../base/index.ts";
import { type Layer, type Root, type RootVolume, resolvePath, type WritableFileTree } from "../vfs/index.ts";

export interface OpenRootParts {
	readonly id: string;
	readonly deviceKey: number;
	readonly buildId: string;
	readonly root: Root;
	readonly trees: readonly RootVolume[];
	readonly layer: Layer | undefined;
	readonly clock: Clock;
}

export class OpenRoot {
	/** 16 hex digits; the same after a restart. */
	readonly id: string;
	readonly deviceKey: number;
	readonly buildId: string;
	readonly root: Root;
	readonly #trees: ReadonlyMap<number, WritableFileTree>;
	readonly #layer: Layer | undefined;
	readonly #clock: Clock;
	readonly #connections = new Set<object>();
	#usedAt: number;
	#isClosed = false;

	constructor({ id, deviceKey, buildId, root, trees, layer, clock }: OpenRootParts) {
		this.id = id;
		this.deviceKey = deviceKey;
		this.buildId = buildId;
		this.root = root;
		this.#trees = new Map(trees.map(({ fsid, tree }) => [fsid, tree]));
		this.#layer = layer;
		this.#clock = clock;
		this.#usedAt = clock.monotonic();
	}

	get isClosed(): boolean {
		return this.#isClosed;
	}

	/** One of its volumes, with the device's changes. */
	tree(fsid: number): WritableFileTree | undefined {
		return this.#trees.get(fsid);
	}

	/** Connections that have used it and are open. */
	get connections(): number {
		return this.#connections.size;
	}

	/** Milliseconds since its last use. */
	silentFor(): number {
		return this.#clock.monotonic() - this.#usedAt;
	}

	/** Bytes that its layer takes on the host. */
	usedBytes(): number {
		return this.#layer?.usedBytes() ?? 0;
	}

	used(connection: object): void {
		this.#usedAt = this.#clock.monotonic();
		this.#connections.add(connection);
	}

	left(connection: object): void {
		this.#connections.delete(connection);
	}

	/** The inode of `/etc/os-release`, which every init system reads first. @throws BlockFault */
	osRelease(): number | undefined {
		return resolvePath(this.root.root.tree, "/etc/os-release");
	}

	close(): void {
		this.#isClosed = true;
		this.root.close();
	}
}
