/** Block group descriptors (`struct ext4_group_desc`): where each group keeps its inodes, and what it has left. */
import { GenerationCache } from "../block/cache.ts";
import { crc16, crc32c, crc32cOfU32 } from "../block/crc.ts";
import { readBytes } from "../block/source.ts";
import { checkSum } from "./errors.ts";
import { INCOMPAT, RO_COMPAT } from "./features.ts";
import { hasSuperblock } from "./superblock.ts";
import type { ExtVolume } from "./volume.ts";

export interface GroupDescriptor {
	readonly blockBitmap: number;
	readonly inodeBitmap: number;
	/** Of 32 bits, or the lower 16 where the descriptors have no room for more. */
	readonly blockBitmapChecksum: number;
	/** None of the group's blocks was ever used by a file, and its bitmap may be garbage. */
	readonly blocksUninitialised: boolean;
	/** First block of the inode table. */
	readonly inodeTable: number;
	readonly freeClusters: number;
	readonly freeInodes: number;
	/** None of the group's inodes was ever used, and its table may be garbage. */
	readonly inodesUninitialised: boolean;
}

const BG_CHECKSUM = 0x1e;
const EXT4_BG_INODE_UNINIT = 0x1;
const EXT4_BG_BLOCK_UNINIT = 0x2;

export class GroupTable {
	readonly #volume: ExtVolume;
	readonly #known = new GenerationCache<number, GroupDescriptor>(8192);

	constructor(volume: ExtVolume) {
		this.#volume = volume;
	}

	/** @param group below the number of groups. */
	get(group: number): GroupDescriptor {
		const known = this.#known.get(group);
		if (known !== undefined) return known;
		const descriptor = this.#read(group);
		this.#known.set(group, descriptor);
		return descriptor;
	}

	#read(group: number): GroupDescriptor {
		const { superblock, blockSize, source } = this.#volume;
		const perBlock = blockSize / superblock.descSize;
		const block = this.#descriptorBlock(Math.floor(group / perBlock), perBlock);
		const place = `descriptor of group ${group}`;
		this.#volume.checkBlocks(block, 1, place);
		const raw = readBytes(source, block * blockSize + (group % perBlock) * superblock.descSize, superblock.descSize);
		this.#verify(raw, group, place);
		return this.#parse(raw, place);
	}

	/** With meta_bg the descriptors are not behind the superblock: each run of groups keeps its own block of them. */
	#descriptorBlock(index: number, perBlock: number): number {
		const { superblock, blockSize } = this.#volume;
		const superblockBlock = blockSize === 1024 ? 1 : 0;
		const metaBg = (superblock.incompat & INCOMPAT.META_BG) !== 0;
		if (!metaBg || index < superblock.firstMetaBg) return superblockBlock + index + 1;
		const group = index * perBlock;
		const first = superblock.firstDataBlock + group * superblock.blocksPerGroup;
		// A 1k-block file system with bigalloc counts its blocks from 0, yet its superblock is in block 1.
		const shifted = blockSize === 1024 && index === 0 && superblock.firstDataBlock === 0 ? 1 : 0;
		return first + (hasSuperblock(superblock, group) ? 1 : 0) + shifted;
	}

	#parse(raw: Buffer, place: string): GroupDescriptor {
		const { superblock, blockSize } = this.#volume;
		const wide = superblock.descSize >= 64;
		const high16 = (at: number) => (wide ? raw.readUInt16LE(at) * 0x1_0000 : 0);
		const block = (low: number, high: number) =>
			raw.readUInt32LE(low) + (wide ? raw.readUInt32LE(high) * 0x1_0000_0000 : 0);
		const inodeTable = block(0x08, 0x28);
		const tableBlocks = Math.ceil((superblock.inodesPerGroup * superblock.inodeSize) / blockSize);
		this.#volume.checkBlocks(inodeTable, tableBlocks, `${place}, bg_inode_table`);
		const flagged = this.#volume.checksums || (superblock.roCompat & RO_COMPAT.GDT_CSUM) !== 0;
		const flags = raw.readUInt16LE(0x12);
		return {
			blockBitmap: block(0x00, 0x20),
			inodeBitmap: block(0x04, 0x24),
			blockBitmapChecksum: raw.readUInt16LE(0x18) + high16(0x38),
			blocksUninitialised: flagged && (flags & EXT4_BG_BLOCK_UNINIT) !== 0,
			inodeTable,
			freeClusters: raw.readUInt16LE(0x0c) + high16(0x2c),
			freeInodes: raw.readUInt16LE(0x0e) + high16(0x2e),
			inodesUninitialised: flagged && (flags & EXT4_BG_INODE_UNINIT) !== 0,
		};
	}

	#verify(raw: Buffer, group: number, place: string): void {
		const { superblock, checksums } = this.#volume;
		const stored = raw.readUInt16LE(BG_CHECKSUM);
		if (checksums) {
			const start = crc32c(crc32cOfU32(superblock.checksumSeed, group), raw, 0, BG_CHECKSUM);
			const crc = crc32c(crc32c(start, Uint8Array.of(0, 0)), raw, BG_CHECKSUM + 2);
			checkSum(place, stored, crc & 0xffff);
		} else if (superblock.roCompat & RO_COMPAT.GDT_CSUM) {
			checkSum(place, stored, this.#gdtChecksum(raw, group));
		}
	}

	/** The older checksum: crc16 over uuid, group number and descriptor, in which the checksum itself is left out. */
	#gdtChecksum(raw: Buffer, group: number): number {
		const number = Uint8Array.of(group & 0xff, (group >>> 8) & 0xff, (group >>> 16) & 0xff, group >>> 24);
		const start = crc16(crc16(0xffff, this.#volume.superblock.uuid), number);
		return crc16(crc16(start, raw, 0, BG_CHECKSUM), raw, BG_CHECKSUM + 2);
	}
}
