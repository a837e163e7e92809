/**
 * What the NFS server needs from the rest: exports to mount, trees to work on, and a place for stored replies.
 *
 * The tree's methods are synchronous and may throw a `BlockFault` (run the call again when it is ready) or a `FileError`
 * whose POSIX code becomes the `nfsstat3`.
 */
import type { Attributes, DirectoryEntry, FileSystemStatistics, FileTime } from "../../base/index.ts";

/** Attributes of a file about to be made. */
export interface NfsNewFile {
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
}

/** `sattr3`, with what is not set left out. */
export interface NfsAttributeChanges {
	readonly mode?: number;
	readonly uid?: number;
	readonly gid?: number;
	readonly size?: number;
	readonly atime?: FileTime | "now";
	readonly mtime?: FileTime | "now";
}

export type NfsNodeType = "block" | "character" | "fifo" | "socket";

/** One volume (one fsid) of an export. Semantics as POSIX has them; the room `vfs` documents each method. */
export interface NfsTree {
	readonly root: number;
	readonly writable: boolean;
	getattr(ino: number): Attributes;
	lookup(directory: number, name: string): number;
	parent(directory: number): number;
	readlink(ino: number): Buffer;
	read(ino: number, offset: number, target: Uint8Array): number;
	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean;
	statfs(): FileSystemStatistics;
	setattr(ino: number, changes: NfsAttributeChanges): void;
	write(ino: number, offset: number, data: Uint8Array): void;
	create(directory: number, name: string, file: NfsNewFile): number;
	mkdir(directory: number, name: string, file: NfsNewFile): number;
	symlink(directory: number, name: string, target: Uint8Array, file: NfsNewFile): number;
	mknod(directory: number, name: string, type: NfsNodeType, major: number, minor: number, file: NfsNewFile): number;
	link(ino: number, directory: number, name: string): void;
	remove(directory: number, name: string): void;
	rmdir(directory: number, name: string): void;
	rename(fromDirectory: number, fromName: string, toDirectory: number, toName: string): void;
	commit(ino: number): Promise<void>;
}

/** A file: a tree of an export and an inode in it. */
export interface NfsNode {
	readonly tree: NfsTree;
	readonly ino: number;
}

/** One root as a device has it mounted: its volumes under one roof. */
export interface NfsExport {
	/** 8 bytes for WRITE and COMMIT (`writeverf3`): they change when unstable writes may have been lost. */
	readonly writeVerifier: Buffer;

	/** The handle (`nfs_fh3`, at most 64 bytes) of a file: the same for the same file, over restarts of the server. */
	handleOf(node: NfsNode): Buffer;

	/** What is mounted on this directory, where something is; otherwise the directory itself. */
	cross(node: NfsNode): NfsNode;

	/** Where `..` of a volume's root leads. */
	parent(node: NfsNode): NfsNode;

	/**
	 * Runs a call that changes things, so that all of its changes and `storeReply` take effect together or not at all,
	 * also over a `kill -9`. Undone when `change` throws.
	 */
	transaction<T>(change: () => T): T;

	/** The reply that was stored for this call, or undefined. */
	storedReply(key: ReplyKey): Buffer | undefined;

	/** Keeps the reply of a non-idempotent call; only inside `transaction`. */
	storeReply(key: ReplyKey, reply: Buffer): void;
}

/** Tells a retransmitted call from a new one: the client's address, xid, procedure and a checksum of the arguments. */
export interface ReplyKey {
	readonly client: string;
	readonly xid: number;
	readonly procedure: number;
	readonly checksum: number;
}

/** Who is calling. */
export interface NfsClient {
	readonly address: string;
	readonly port: number;
	/** An object that lives as long as the connection, for what is checked once per connection. */
	readonly connection: object;
}

/** A handle leads to its export and file. */
export interface ResolvedHandle {
	readonly export: NfsExport;
	readonly node: NfsNode;
	/** Where the bytes are counted that are read through it. */
	readonly meter?: { bytesRead: number };
}

export interface NfsPort {
	/**
	 * Finds the file behind a handle and checks that this client may use it. Must be fast for a handle that this
	 * connection used before.
	 *
	 * @throws FileError ESTALE (no such file or root any more), EACCES (another device's), EINVAL (not a handle of ours).
	 */
	resolve(handle: Buffer, client: NfsClient): ResolvedHandle;

	/**
	 * MOUNT MNT: the handle of the root of an export path.
	 *
	 * @throws FileError ENOENT (no such export), EACCES (not this client's).
	 */
	mount(path: string, client: NfsClient): Promise<Buffer>;

	/** MOUNT UMNT and UMNTALL (path undefined): for the record. */
	unmount(path: string | undefined, client: NfsClient): void;

	/** Whether the connection uses a root: where there are too many, others go first. */
	isAtHome(client: NfsClient): boolean;

	/** A connection ended. */
	disconnected(client: NfsClient): void;
}
