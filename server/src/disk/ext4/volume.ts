/** A file system's blocks by number, checked against its size, and what its checksums begin with. */
import { crc32cOfU32 } from "../block/crc.ts";
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";
import { malformed } from "./errors.ts";
import { INCOMPAT, RO_COMPAT } from "./features.ts";
import type { Superblock } from "./superblock.ts";

export class ExtVolume {
	readonly source: BlockSource;
	readonly superblock: Superblock;
	readonly blockSize: number;
	/** metadata_csum: all metadata carries a crc32c. */
	readonly checksums: boolean;
	/** ea_inode: the values of extended attributes may have inodes of their own. */
	readonly valuesInInodes: boolean;

	constructor(source: BlockSource, superblock: Superblock) {
		this.source = source;
		this.superblock = superblock;
		this.blockSize = superblock.blockSize;
		this.checksums = (superblock.roCompat & RO_COMPAT.METADATA_CSUM) !== 0;
		this.valuesInInodes = (superblock.incompat & INCOMPAT.EA_INODE) !== 0;
	}

	/** @throws MalformedError when these are not blocks that can hold something. */
	checkBlocks(first: number, count: number, place: string): void {
		const { firstDataBlock, blocksCount } = this.superblock;
		if (first > firstDataBlock && first + count <= blocksCount) return;
		const range = count === 1 ? `block ${first}` : `blocks ${first} to ${first + count - 1}`;
		throw malformed(place, `${range} not inside the file system's ${blocksCount} blocks`);
	}

	/** One block of metadata, in a buffer of its own. */
	readBlock(block: number, place: string): Buffer {
		this.checkBlocks(block, 1, place);
		return readBytes(this.source, block * this.blockSize, this.blockSize);
	}

	/** `i_csum_seed`: what the checksums of an inode, its extents and its directory blocks begin with. */
	inodeSeed(ino: number, generation: number): number {
		return crc32cOfU32(crc32cOfU32(this.superblock.checksumSeed, ino), generation);
	}
}
