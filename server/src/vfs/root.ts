/**
 * A root as a device has it mounted: the volumes of its image under one roof, the boot volume on its directory in the root
 * volume, changes in the device's layer.
 */
import { BugError, FileError } from "../base/index.ts";
import type { FileHandle, HandleCodec } from "./handles.ts";
import { BoundedCache } from "./layer/bounded-cache.ts";
import type { Layer } from "./layer/index.ts";
import type { WritableFileTree } from "./tree.ts";

/** A file of a root. */
export interface RootNode {
	readonly tree: WritableFileTree;
	readonly ino: number;
}

/** One volume of a root. */
export interface RootVolume {
	readonly fsid: number;
	readonly tree: WritableFileTree;
}

/** A volume that is mounted on a directory of another. */
export interface RootMount {
	readonly fsid: number;
	/** The directory that it covers: a volume of this root and an inode in it. */
	readonly on: { readonly fsid: number; readonly ino: number };
}

export interface RootOptions {
	/** 8 bytes in hex: the id of the layer, or of the image's build for a read-only root. */
	readonly id: string;
	readonly handles: HandleCodec;
	/** The first is the root volume. */
	readonly volumes: readonly RootVolume[];
	readonly mounts?: readonly RootMount[];
	/** Where changes go; without it the volumes must be read-only. */
	readonly layer?: Layer;
	/** Called once by `close`, to let go of what is below. */
	readonly closed?: () => void;
}

type ReplyKey = Parameters<Layer["storedReply"]>[0];

const HANDLES_CACHED = 16_384;

interface Volume extends RootVolume {
	/** By inode, as latin1 strings: a Buffer of 36 bytes takes some 400 bytes of memory, and there is one for each file of each Pi. */
	readonly handles: BoundedCache<string>;
	/** The mount that this volume is seen through. */
	readonly on: RootNode | undefined;
}

/** What the NFS server calls an export. */
export class Root {
	readonly #id: Buffer;
	readonly #codec: HandleCodec;
	readonly #layer: Layer | undefined;
	readonly #closed: (() => void) | undefined;
	readonly #root: RootNode;
	readonly #byFsid = new Map<number, Volume>();
	readonly #byTree = new Map<WritableFileTree, Volume>();
	/** By tree, what is mounted on which directory. */
	readonly #mounts = new Map<WritableFileTree, Map<number, RootNode>>();

	constructor(options: RootOptions) {
		this.#id = Buffer.from(options.id, "hex");
		this.#codec = options.handles;
		this.#layer = options.layer;
		this.#closed = options.closed;
		for (const volume of options.volumes) this.#addVolume(volume, options);
		const [first] = options.volumes;
		if (first === undefined) throw new BugError("a root without volumes");
		this.#root = { tree: first.tree, ino: first.tree.root };
		for (const mount of options.mounts ?? []) this.#addMount(mount);
	}

	/** The directory that `/` leads to. */
	get root(): RootNode {
		return this.#root;
	}

	/** 8 bytes that change when writes which were not committed may have been lost. */
	get writeVerifier(): Buffer {
		return this.#layer?.writeVerifier ?? this.#id;
	}

	/** The handle of a file: the same for the same file, over restarts. */
	handleOf({ tree, ino }: RootNode): Buffer {
		const { fsid, handles } = this.#volumeOf(tree);
		const known = handles.get(ino);
		if (known !== undefined) return Buffer.from(known, "latin1");
		const handle = this.#codec.encode({ root: this.#id, fsid, ino, generation: tree.generation(ino) });
		handles.set(ino, handle.toString("latin1"));
		return handle;
	}

	/** The file that a handle of this root names. @throws FileError ESTALE when there is no such file any more. */
	nodeOf({ root, fsid, ino, generation }: FileHandle): RootNode {
		const volume = this.#byFsid.get(fsid);
		if (!root.equals(this.#id) || volume === undefined) throw new FileError("ESTALE", "a handle of another root");
		if (volume.tree.generation(ino) >>> 0 !== generation)
			throw new FileError("ESTALE", `inode ${ino} is another file now`);
		return { tree: volume.tree, ino };
	}

	/** What is mounted on a directory, where something is; otherwise the file itself. */
	cross(node: RootNode): RootNode {
		return this.#mounts.get(node.tree)?.get(node.ino) ?? node;
	}

	/** The directory that holds a directory, over the border of its volume. */
	parent({ tree, ino }: RootNode): RootNode {
		const on = ino === tree.root ? this.#volumeOf(tree).on : undefined;
		if (on === undefined) return { tree, ino: tree.parent(ino) };
		return { tree: on.tree, ino: on.tree.parent(on.ino) };
	}

	/** As `Layer.transaction`; without a layer nothing can change. */
	transaction<T>(change: () => T): T {
		return this.#layer === undefined ? change() : this.#layer.transaction(change);
	}

	storedReply(key: ReplyKey): Buffer | undefined {
		return this.#layer?.storedReply(key);
	}

	/** Calls that a read-only root refuses can be refused again, so their replies are not kept. */
	storeReply(key: ReplyKey, reply: Buffer): void {
		this.#layer?.storeReply(key, reply);
	}

	/** Closes the layer. Handles of this root are stale until it is opened again. */
	close(): void {
		try {
			this.#layer?.close();
		} finally {
			this.#closed?.();
		}
	}

	#volumeOf(tree: WritableFileTree): Volume {
		const volume = this.#byTree.get(tree);
		if (volume === undefined) throw new BugError("a file of another root");
		return volume;
	}

	#addVolume({ fsid, tree }: RootVolume, { mounts = [], volumes }: RootOptions): void {
		const mount = mounts.find((candidate) => candidate.fsid === fsid);
		const below = volumes.find((candidate) => candidate.fsid === mount?.on.fsid);
		const on = mount === undefined || below === undefined ? undefined : { tree: below.tree, ino: mount.on.ino };
		const volume = { fsid, tree, on, handles: new BoundedCache<string>(HANDLES_CACHED) };
		this.#byFsid.set(fsid, volume);
		this.#byTree.set(tree, volume);
	}

	#addMount({ fsid, on }: RootMount): void {
		const mounted = this.#byFsid.get(fsid);
		const below = this.#byFsid.get(on.fsid);
		if (mounted === undefined || below === undefined)
			throw new BugError(`volume ${fsid} on ${on.fsid}: not of this root`);
		const points = this.#mounts.get(below.tree) ?? new Map<number, RootNode>();
		points.set(on.ino, { tree: mounted.tree, ino: mounted.tree.root });
		this.#mounts.set(below.tree, points);
	}
}
