/** FAT12, FAT16 and FAT32 with long names, read straight from a block source. */
import type { Attributes, DirectoryEntry, FileSystemStatistics } from "../../base/index.ts";
import { FileError, UnsupportedError } from "../../base/index.ts";
import { readMapped } from "../block/block-map.ts";
import { GenerationCache } from "../block/cache.ts";
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";
import type { FatGeometry, FatVariant } from "./boot-sector.ts";
import { malformed, readGeometry } from "./boot-sector.ts";
import { FatDirectories } from "./directories.ts";
import type { FatDirectory } from "./directory.ts";
import { ENTRY_SIZE } from "./directory.ts";
import { readFreeClusters } from "./fs-info.ts";
import { foldName } from "./names.ts";
import type { FatNode } from "./node.ts";
import { isFileEntry, parseNode, rootNode } from "./node.ts";
import type { Chain } from "./table.ts";
import { FatTable } from "./table.ts";

const ROOT_INO = 1;
const MAX_NAME = 255;
/** Inode numbers are places of directory entries, counted in entries: with this many, 32 GiB have room. */
const MAX_INO = 2 ** 30;

export interface FatOptions {
	/** Goes into the attributes of every file. */
	readonly fsid: number;
}

/**
 * A file tree (as the room `vfs` has it) over a FAT file system. Attributes are what Linux shows of a vfat that root
 * mounted with the usual umask: all belongs to root, mode 0755 (0555 for a read-only file), a directory has 2 links and
 * one for each directory in it. Names are found whatever their case, and kept as they are.
 */
export class FatFileSystem {
	readonly root = ROOT_INO;
	readonly label: string;
	/** 8 hex digits. */
	readonly serial: string;
	readonly variant: FatVariant;
	readonly #source: BlockSource;
	readonly #geometry: FatGeometry;
	readonly #fsid: number;
	readonly #table: FatTable;
	readonly #directories: FatDirectories;
	readonly #nodes = new GenerationCache<number, FatNode>(16_384);
	readonly #chains = new GenerationCache<number, Chain>(500_000, ({ map }) => map.weight);
	#statistics: FileSystemStatistics | undefined;

	/** @throws MalformedError (`fat`), UnsupportedError beyond 32 GiB, BlockFault. */
	static open(source: BlockSource, options: FatOptions): FatFileSystem {
		const geometry = readGeometry(source);
		if (geometry.dataEnd / ENTRY_SIZE > MAX_INO) {
			throw new UnsupportedError("fat", `fat: the file system has ${geometry.dataEnd} bytes, more than 32 GiB`);
		}
		return new FatFileSystem(source, geometry, options);
	}

	private constructor(source: BlockSource, geometry: FatGeometry, options: FatOptions) {
		this.#source = source;
		this.#geometry = geometry;
		this.#fsid = options.fsid;
		this.#table = new FatTable(source, geometry);
		this.#directories = new FatDirectories(source, geometry, this.#table);
		this.variant = geometry.variant;
		this.serial = geometry.serial;
		this.label = (this.#directories.root().label ?? geometry.label).trimEnd();
	}

	/** @throws FileError ESTALE. */
	getattr(ino: number): Attributes {
		return this.#node(ino).attributes;
	}

	/** Always 0: in an image that never changes a number keeps its file. */
	generation(ino: number): number {
		this.#node(ino);
		return 0;
	}

	/** @throws FileError ENOENT, ENOTDIR, ENAMETOOLONG, ESTALE. */
	lookup(directory: number, name: string): number {
		if (name.length > MAX_NAME) throw new FileError("ENAMETOOLONG");
		const ino = this.#directory(directory).inoByName.get(foldName(name));
		if (ino === undefined) throw new FileError("ENOENT");
		return ino;
	}

	/** @throws FileError ENOTDIR, ESTALE. */
	parent(directory: number): number {
		if (directory === ROOT_INO) return ROOT_INO;
		return this.#directories.inoOfParent(this.#directory(directory), directory) ?? ROOT_INO;
	}

	/** @throws FileError EINVAL always: FAT has no symbolic links. */
	readlink(ino: number): Buffer {
		throw new FileError("EINVAL", `inode ${this.#node(ino).attributes.ino} is no symbolic link`);
	}

	/** Gives how many bytes there were. @throws FileError EISDIR, EINVAL, ESTALE. */
	read(ino: number, offset: number, target: Uint8Array): number {
		const node = this.#node(ino);
		const { type, size } = node.attributes;
		if (type === "directory") throw new FileError("EISDIR", `inode ${ino} is a directory`);
		if (!Number.isSafeInteger(offset) || offset < 0) throw new FileError("EINVAL", `offset ${offset}`);
		const length = Math.min(target.length, size - offset);
		if (length <= 0) return 0;
		const wanted = length === target.length ? target : target.subarray(0, length);
		readMapped(this.#source, this.#geometry.clusterSize, this.#chain(node).map, offset, wanted);
		return length;
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

	statfs(): FileSystemStatistics {
		this.#statistics ??= this.#count();
		return this.#statistics;
	}

	#count(): FileSystemStatistics {
		const { clusterCount, clusterSize } = this.#geometry;
		const free = readFreeClusters(this.#source, this.#geometry) ?? this.#table.countFree();
		const freeBytes = free * clusterSize;
		const totalBytes = clusterCount * clusterSize;
		return { totalBytes, freeBytes, availableBytes: freeBytes, totalInodes: 0, freeInodes: 0 };
	}

	#node(ino: number): FatNode {
		const cached = this.#nodes.get(ino);
		if (cached !== undefined) return cached;
		const node = this.#readNode(ino);
		this.#nodes.set(ino, node);
		return node;
	}

	#readNode(ino: number): FatNode {
		if (ino === ROOT_INO) return rootNode(this.#directories.root(), this.#fsid, this.#geometry);
		if (!this.#canHoldEntry(ino)) throw new FileError("ESTALE", `there is no directory entry ${ino}`);
		const raw = readBytes(this.#source, ino * ENTRY_SIZE, ENTRY_SIZE);
		if (!isFileEntry(raw)) throw new FileError("ESTALE", `directory entry ${ino} is no file's`);
		return parseNode(raw, ino, this.#fsid, this.#geometry, (cluster) => this.#directories.at(cluster, ino));
	}

	/** The root directory has a place of its own on FAT12 and FAT16; all other entries are in clusters. */
	#canHoldEntry(ino: number): boolean {
		const { rootStart, rootSize, dataStart, dataEnd } = this.#geometry;
		const at = ino * ENTRY_SIZE;
		return (
			Number.isInteger(ino) && ((at >= rootStart && at < rootStart + rootSize) || (at >= dataStart && at < dataEnd))
		);
	}

	#directory(ino: number): FatDirectory {
		if (ino === ROOT_INO) return this.#directories.root();
		const node = this.#node(ino);
		if (node.attributes.type !== "directory") throw new FileError("ENOTDIR", `inode ${ino} is no directory`);
		return this.#directories.at(node.cluster, ino);
	}

	#chain(node: FatNode): Chain {
		const { ino, size } = node.attributes;
		const cached = this.#chains.get(ino);
		if (cached !== undefined) return cached;
		const { clusterSize, clusterCount } = this.#geometry;
		const needed = Math.ceil(size / clusterSize);
		if (needed > clusterCount) {
			throw malformed(`file ${ino}`, `its ${size} bytes need ${needed} clusters, there are ${clusterCount}`);
		}
		const chain = this.#table.chain(node.cluster, `file ${ino}`, clusterCount, needed);
		this.#chains.set(ino, chain);
		return chain;
	}
}
