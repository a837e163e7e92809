/** ext2, ext3 and ext4, read straight from a block source. */
import { createHash } from "node:crypto";
import type { Attributes, DirectoryEntry, FileSystemStatistics } from "../../base/index.ts";
import { FileError, UnsupportedError } from "../../base/index.ts";
import { GenerationCache } from "../block/cache.ts";
import type { BlockSource } from "../block/source.ts";
import { Content } from "./content.ts";
import type { Directory } from "./directory.ts";
import { readDirectory } from "./directory-reader.ts";
import { malformed } from "./errors.ts";
import { describe } from "./findings.ts";
import type { Inode } from "./inode.ts";
import { I_BLOCK, INODE_FLAG } from "./inode.ts";
import { InodeTable, ROOT_INO } from "./inode-table.ts";
import { recover } from "./journal/recover.ts";
import { parseSuperblock, readSuperblock } from "./superblock.ts";
import { ExtVolume } from "./volume.ts";
import { blockXattrs, inodeXattrs } from "./xattr.ts";
import { isShown, xattrName, xattrValue } from "./xattr-names.ts";

/** Directory entries that are kept, over all directories: about 100 bytes each. */
const CACHED_ENTRIES = 300_000;
const MAX_NAME = 255;

export interface ExtOptions {
	/** Goes into the attributes of every file. */
	readonly fsid: number;
}

/** A file tree (as the room `vfs` has it) over an ext file system. All reading is synchronous and may throw BlockFault. */
export class ExtFileSystem {
	readonly root = ROOT_INO;
	readonly label: string;
	readonly uuid: string;
	/** Tells builds of an image apart: every mount and every tool that writes changes something in the superblock. */
	readonly superblockIdentity: string;
	readonly inodeCount: number;
	/** Sentences about what is unusual here. */
	readonly findings: readonly string[];
	readonly #volume: ExtVolume;
	readonly #inodes: InodeTable;
	readonly #content: Content;
	readonly #directories = new GenerationCache<number, Directory>(CACHED_ENTRIES, ({ entries }) => entries.length + 2);
	#statistics: FileSystemStatistics | undefined;

	/**
	 * Reads the superblock, and the journal into memory if the file system was not unmounted.
	 *
	 * @throws MalformedError, UnsupportedError that names the feature, BlockFault.
	 */
	static open(source: BlockSource, options: ExtOptions): ExtFileSystem {
		const raw = readSuperblock(source);
		const identity = createHash("sha256").update(raw).digest("hex");
		const { volume, findings } = recover(new ExtVolume(source, parseSuperblock(raw)));
		const all = [...describe(volume), ...findings];
		return new ExtFileSystem(volume, options, identity, all);
	}

	private constructor(volume: ExtVolume, options: ExtOptions, identity: string, findings: readonly string[]) {
		const { superblock } = volume;
		this.#volume = volume;
		this.#inodes = new InodeTable(volume, options.fsid);
		this.#content = new Content(volume, this.#inodes);
		this.label = superblock.label;
		this.uuid = superblock.uuid.toString("hex").replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
		this.superblockIdentity = identity;
		this.inodeCount = superblock.inodesCount;
		this.findings = findings;
	}

	/** @throws FileError ESTALE. */
	getattr(ino: number): Attributes {
		return this.#inodes.get(ino).attributes;
	}

	/** `i_generation`. @throws FileError ESTALE. */
	generation(ino: number): number {
		return this.#inodes.get(ino).generation;
	}

	/** @throws FileError ENOENT, ENOTDIR, ENAMETOOLONG, ESTALE. */
	lookup(directory: number, name: string): number {
		if (name.length > MAX_NAME) throw new FileError("ENAMETOOLONG");
		const ino = this.#directory(directory).inoByName.get(name);
		if (ino === undefined) throw new FileError("ENOENT");
		return ino;
	}

	/** @throws FileError ENOTDIR, ESTALE, MalformedError when the directory has no `..`. */
	parent(directory: number): number {
		if (directory === ROOT_INO) return ROOT_INO;
		const { parent } = this.#directory(directory);
		if (parent === undefined) throw malformed(`inode ${directory}`, "the directory has no entry ..");
		return parent;
	}

	/** @throws FileError EINVAL, ESTALE. */
	readlink(ino: number): Buffer {
		const inode = this.#inodes.get(ino);
		const { type, size } = inode.attributes;
		if (type !== "symlink") throw new FileError("EINVAL", `inode ${ino} is no symbolic link`);
		if (size === 0 || size > this.#volume.blockSize) {
			throw malformed(`inode ${ino}`, `i_size is ${size}, a symbolic link has 1 to ${this.#volume.blockSize} bytes`);
		}
		refuseEncrypted(inode);
		const target = Buffer.allocUnsafe(size);
		if (this.#isFast(inode)) this.#inodes.raw(ino).copy(target, 0, I_BLOCK, I_BLOCK + size);
		else this.#content.read(inode, 0, target);
		return target;
	}

	/** A target below 60 bytes stands where the block map would be: a "fast" symbolic link. It has no block of its own. */
	#isFast(inode: Inode): boolean {
		const { size, used } = inode.attributes;
		if (size >= 60 || inode.flags & (INODE_FLAG.EXTENTS | INODE_FLAG.INLINE_DATA)) return false;
		const { superblock, blockSize } = this.#volume;
		// With ea_inode the blocks of an attribute count as the link's, so `used` tells nothing.
		const attributeBytes = inode.fileAcl === 0 ? 0 : blockSize * superblock.clusterRatio;
		return this.#volume.valuesInInodes || used === attributeBytes;
	}

	/** Gives how many bytes there were. @throws FileError EISDIR, EINVAL, ESTALE. */
	read(ino: number, offset: number, target: Uint8Array): number {
		const inode = this.#inodes.get(ino);
		const { type } = inode.attributes;
		if (type === "directory") throw new FileError("EISDIR", `inode ${ino} is a directory`);
		if (type !== "file") throw new FileError("EINVAL", `inode ${ino} is no file`);
		refuseEncrypted(inode);
		return this.#content.read(inode, offset, target);
	}

	/** Gives the entries behind `cookie`, until `visit` says false. @returns true at the end. @throws FileError ENOTDIR. */
	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean {
		const { entries } = this.#directory(directory);
		for (let at = Math.max(0, cookie); at < entries.length; at++) {
			const entry = entries[at];
			if (entry !== undefined && !visit(entry)) return false;
		}
		return true;
	}

	#directory(ino: number): Directory {
		const cached = this.#directories.get(ino);
		if (cached !== undefined) return cached;
		const inode = this.#inodes.get(ino);
		if (inode.attributes.type !== "directory") throw new FileError("ENOTDIR", `inode ${ino} is no directory`);
		refuseEncrypted(inode);
		const directory = readDirectory(this.#volume, this.#content, inode);
		this.#directories.set(ino, directory);
		return directory;
	}

	/** The extended attributes by full name (`security.capability`), as Linux gives them. @throws FileError ESTALE. */
	xattrs(ino: number): Map<string, Buffer> {
		const { fileAcl } = this.#inodes.get(ino);
		const place = `inode ${ino}`;
		const entries = inodeXattrs(this.#inodes.raw(ino), place);
		if (fileAcl !== 0) entries.push(...blockXattrs(this.#volume, fileAcl, ino));
		const shown = entries.filter(isShown);
		return new Map(
			shown.map((entry) => [xattrName(entry, place), xattrValue(entry, this.#content.xattr(entry, place), place)]),
		);
	}

	statfs(): FileSystemStatistics {
		this.#statistics ??= this.#count();
		return this.#statistics;
	}

	/** The superblock's own counters are only right after an unmount; those of the groups always are. */
	#count(): FileSystemStatistics {
		const { superblock, blockSize } = this.#volume;
		const clusterSize = blockSize * superblock.clusterRatio;
		let freeClusters = 0;
		let freeInodes = 0;
		for (let group = 0; group < superblock.groupsCount; group++) {
			const descriptor = this.#inodes.groups.get(group);
			freeClusters += descriptor.freeClusters;
			freeInodes += descriptor.freeInodes;
		}
		const total = superblock.blocksCount * blockSize - superblock.overheadClusters * clusterSize;
		const freeBytes = freeClusters * clusterSize;
		return {
			totalBytes: Math.max(total, freeBytes),
			freeBytes,
			availableBytes: Math.max(0, freeBytes - superblock.reservedBlocks * blockSize),
			totalInodes: superblock.inodesCount,
			freeInodes,
		};
	}
}

function refuseEncrypted(inode: Inode): void {
	if ((inode.flags & INODE_FLAG.ENCRYPT) === 0) return;
	throw new UnsupportedError("ext4", `ext4: inode ${inode.attributes.ino} is encrypted (fscrypt)`);
}
