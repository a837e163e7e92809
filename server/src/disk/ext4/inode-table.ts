/** Finds inodes by number. */
import { FileError } from "../../base/index.ts";
import { GenerationCache } from "../block/cache.ts";
import { readBytes } from "../block/source.ts";
import { GroupTable } from "./groups.ts";
import type { Inode } from "./inode.ts";
import { INODE_FLAG, isFree, parseInode, verifyInode } from "./inode.ts";
import type { ExtVolume } from "./volume.ts";

export const ROOT_INO = 2;
const CACHED_INODES = 65_536;

export class InodeTable {
	readonly groups: GroupTable;
	readonly #volume: ExtVolume;
	readonly #fsid: number;
	readonly #cache = new GenerationCache<number, Inode>(CACHED_INODES);

	constructor(volume: ExtVolume, fsid: number) {
		this.#volume = volume;
		this.#fsid = fsid;
		this.groups = new GroupTable(volume);
	}

	/** A file that a directory may name. @throws FileError ESTALE when there is none of this number. */
	get(ino: number): Inode {
		const inode = this.#cache.get(ino) ?? this.#load(ino);
		return inode;
	}

	#load(ino: number): Inode {
		const reserved = ino < this.#volume.superblock.firstIno && ino !== ROOT_INO;
		if (reserved) throw new FileError("ESTALE", `inode ${ino} is reserved`);
		const inode = parseInode(this.raw(ino), ino, this.#volume, this.#fsid);
		if (inode.flags & INODE_FLAG.EA_INODE) throw new FileError("ESTALE", `inode ${ino} holds an extended attribute`);
		this.#cache.set(ino, inode);
		return inode;
	}

	/** An inode that only the file system itself uses: the journal, the value of an extended attribute. Not cached. */
	special(ino: number): Inode {
		return parseInode(this.raw(ino), ino, this.#volume, this.#fsid);
	}

	/**
	 * The bytes of an inode in use, with their checksum verified.
	 *
	 * @throws FileError ESTALE when there is none of this number, MalformedError.
	 */
	raw(ino: number): Buffer {
		const { superblock, source, blockSize } = this.#volume;
		if (!Number.isInteger(ino) || ino < 1 || ino > superblock.inodesCount) {
			throw new FileError("ESTALE", `there is no inode ${ino}, there are ${superblock.inodesCount}`);
		}
		const group = Math.floor((ino - 1) / superblock.inodesPerGroup);
		const descriptor = this.groups.get(group);
		if (descriptor.inodesUninitialised) throw new FileError("ESTALE", `inode ${ino} was never used`);
		const index = (ino - 1) % superblock.inodesPerGroup;
		const offset = descriptor.inodeTable * blockSize + index * superblock.inodeSize;
		const raw = readBytes(source, offset, superblock.inodeSize);
		if (isFree(raw)) throw new FileError("ESTALE", `inode ${ino} is free`);
		verifyInode(raw, ino, this.#volume);
		return raw;
	}
}
