/** An `NfsPort` over trees in memory, for tests. */
import { FileError } from "../../../base/index.ts";
import type { NfsClient, NfsExport, NfsNode, NfsPort, ReplyKey, ResolvedHandle } from "../port.ts";
import { MemoryTree } from "./memory-tree.ts";

/** An export with a second volume on the directory `mnt`, when there is one. */
export class MemoryExport implements NfsExport {
	readonly writeVerifier = Buffer.from("verifier");
	readonly tree = new MemoryTree(1);
	readonly volume = new MemoryTree(2);
	/** The inode of `tree` that `volume` is mounted on. */
	mountPoint = 0;
	readonly replies = new Map<string, Buffer>();
	transactions = 0;
	readonly #id: number;

	constructor(id: number) {
		this.#id = id;
	}

	handleOf({ tree, ino }: NfsNode): Buffer {
		const handle = Buffer.alloc(16);
		handle.writeUInt32BE(this.#id, 0);
		handle.writeUInt32BE(tree === this.tree ? 1 : 2, 4);
		handle.writeUInt32BE(ino, 8);
		return handle;
	}

	cross(node: NfsNode): NfsNode {
		if (node.tree !== this.tree || node.ino !== this.mountPoint) return node;
		return { tree: this.volume, ino: this.volume.root };
	}

	parent(node: NfsNode): NfsNode {
		if (node.tree === this.tree) return node;
		return { tree: this.tree, ino: this.tree.parent(this.mountPoint) };
	}

	transaction<T>(change: () => T): T {
		this.transactions++;
		const undo = this.tree.save();
		try {
			return change();
		} catch (error) {
			undo();
			throw error;
		}
	}

	storedReply(key: ReplyKey): Buffer | undefined {
		return this.replies.get(JSON.stringify(key));
	}

	storeReply(key: ReplyKey, reply: Buffer): void {
		this.replies.set(JSON.stringify(key), reply);
	}
}

/** Exports the path `/pi`; `/theirs` is refused. */
export class MemoryPort implements NfsPort {
	readonly exported = new MemoryExport(1);
	readonly log: string[] = [];
	readonly meter = { bytesRead: 0 };
	readonly #resolved = new Map<string, ResolvedHandle>();

	resolve(handle: Buffer, _client: NfsClient): ResolvedHandle {
		const key = handle.toString("latin1");
		const known = this.#resolved.get(key);
		if (known !== undefined) return known;
		if (handle.length !== 16) throw new FileError("EINVAL");
		if (handle.readUInt32BE(0) === 9) throw new FileError("EACCES");
		if (handle.readUInt32BE(0) !== 1) throw new FileError("ESTALE");
		const tree = handle.readUInt32BE(4) === 1 ? this.exported.tree : this.exported.volume;
		const resolved = { export: this.exported, node: { tree, ino: handle.readUInt32BE(8) }, meter: this.meter };
		this.#resolved.set(key, resolved);
		return resolved;
	}

	async mount(path: string, client: NfsClient): Promise<Buffer> {
		this.log.push(`mount ${path} ${client.address}`);
		if (path === "/theirs") throw new FileError("EACCES");
		if (path !== "/pi") throw new FileError("ENOENT");
		return this.exported.handleOf({ tree: this.exported.tree, ino: this.exported.tree.root });
	}

	unmount(path: string | undefined): void {
		this.log.push(`unmount ${path}`);
	}

	isAtHome(): boolean {
		return true;
	}

	disconnected(client: NfsClient): void {
		this.log.push(`disconnected ${client.address}`);
	}
}
