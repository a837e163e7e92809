/** A root that is open, and who uses it. */
import type { Clock } from "../base/index.ts";
import {
	type ImageBuild,
	type Layer,
	type Place,
	type Root,
	type RootVolume,
	resolvePath,
	type WritableFileTree,
} from "../vfs/index.ts";

export interface OpenRootParts {
	readonly id: string;
	readonly deviceKey: number;
	readonly build: ImageBuild;
	readonly root: Root;
	readonly trees: readonly RootVolume[];
	readonly layer: Layer | undefined;
	readonly clock: Clock;
}

/** What its use has told of the boot so far. */
export interface RootSigns {
	/** When it was last said that it is in use; as the clock's `monotonic` has it. */
	toldAt: number;
	/** Bytes of files that were read since then. */
	bytesRead: number;
	/** The inode whose use says that an init system is at work; undefined when that is not waited for. */
	osRelease: number | undefined;
	/** That was looked for, once per mount. */
	isWatched: boolean;
	/** It was said that the image was overwritten. */
	saidChanged: boolean;
}

export class OpenRoot {
	/** 16 hex digits; the same after a restart. */
	readonly id: string;
	readonly deviceKey: number;
	readonly root: Root;
	/** True when it is to be opened anew as soon as nobody reads from it. */
	isOutdated = false;
	readonly signs: RootSigns = {
		toldAt: Number.NEGATIVE_INFINITY,
		bytesRead: 0,
		osRelease: undefined,
		isWatched: false,
		saidChanged: false,
	};
	readonly #build: ImageBuild;
	readonly #trees: ReadonlyMap<number, WritableFileTree>;
	readonly #layer: Layer | undefined;
	readonly #clock: Clock;
	readonly #connections = new Set<object>();
	readonly #places = new Map<number, Map<number, Place>>();
	#leases = 0;
	#usedAt: number;
	#isClosed = false;

	constructor({ id, deviceKey, build, root, trees, layer, clock }: OpenRootParts) {
		this.id = id;
		this.deviceKey = deviceKey;
		this.root = root;
		this.#build = build;
		this.#trees = new Map(trees.map(({ fsid, tree }) => [fsid, tree]));
		this.#layer = layer;
		this.#clock = clock;
		this.#usedAt = clock.monotonic();
	}

	get buildId(): string {
		return this.#build.id;
	}

	/** False once the image's file was overwritten: nothing of it is given any more. */
	get isImageValid(): boolean {
		return this.#build.valid;
	}

	/** Why the rest of the image never came, where the boot began before all of it was there. */
	get imageFailure(): string | undefined {
		return this.#build.failure;
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

	/** Readers that are in the middle of a file: it must stay open until they have ended. */
	get leases(): number {
		return this.#leases;
	}

	/** Milliseconds since its last use. */
	silentFor(): number {
		return this.#clock.monotonic() - this.#usedAt;
	}

	/** What the device changed; undefined where nothing can be. */
	get layer(): Layer | undefined {
		return this.#layer;
	}

	/** Where files of one volume of the image were found that the device changed. */
	placesOf(fsid: number): Map<number, Place> {
		const places = this.#places.get(fsid) ?? new Map<number, Place>();
		this.#places.set(fsid, places);
		return places;
	}

	/** @param now as the clock's `monotonic` has it. */
	used(connection: object, now: number): void {
		this.#usedAt = now;
		this.#connections.add(connection);
	}

	left(connection: object): void {
		this.#connections.delete(connection);
	}

	/** Begins to read; gives what ends it, which may be called more than once. */
	lease(): () => void {
		this.#leases++;
		let isOver = false;
		return () => {
			if (!isOver) this.#leases--;
			isOver = true;
		};
	}

	/** The inode of `/etc/os-release`, which every init system reads first. @throws BlockFault */
	osRelease(): number | undefined {
		return resolvePath(this.root.root.tree, "/etc/os-release");
	}

	/** Brings everything to the disk. @throws FileError EIO, ENOSPC; it counts as closed all the same. */
	close(): void {
		this.#isClosed = true;
		this.root.close();
	}
}
