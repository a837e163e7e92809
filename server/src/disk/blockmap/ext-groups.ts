/** A block group's bitmap of clusters, and where the structures of the file system are. */
import { crc32c } from "../block/crc.ts";
import { INCOMPAT } from "../ext4/features.ts";
import { GroupTable } from "../ext4/groups.ts";
import { hasSuperblock } from "../ext4/superblock.ts";
import type { ExtVolume } from "../ext4/volume.ts";
import { Doubt } from "./doubt.ts";

/** First block, number of blocks. */
type Stretch = readonly [number, number];

export class ExtGroups {
	readonly #volume: ExtVolume;
	readonly #table: GroupTable;
	readonly #reservedDescriptorBlocks: number;

	/** @param raw the superblock's bytes. */
	constructor(volume: ExtVolume, raw: Buffer) {
		this.#volume = volume;
		this.#table = new GroupTable(volume);
		this.#reservedDescriptorBlocks = raw.readUInt16LE(0xce); // s_reserved_gdt_blocks
	}

	#first(group: number): number {
		const { firstDataBlock, blocksPerGroup } = this.#volume.superblock;
		return firstDataBlock + group * blocksPerGroup;
	}

	/** Gives each run of the group's free blocks. @returns free clusters. @throws Doubt when the descriptor counts others. */
	free(group: number, pass: (first: number, behind: number) => void): number {
		const { blocksCount, blocksPerGroup, clusterRatio } = this.#volume.superblock;
		const first = this.#first(group);
		const behind = Math.min(first + blocksPerGroup, blocksCount);
		const clusters = Math.ceil((behind - first) / clusterRatio);
		const bitmap = this.#bitmap(group);
		let free = 0;
		for (let at = 0; at < clusters; ) {
			const end = runEnd(bitmap, at, clusters);
			if (!isSet(bitmap, at)) {
				pass(first + at * clusterRatio, Math.min(first + end * clusterRatio, behind));
				free += end - at;
			}
			at = end;
		}
		const { freeClusters } = this.#table.get(group);
		if (free !== freeClusters) {
			throw new Doubt(`the bitmap of group ${group} has ${free} free clusters, its descriptor counts ${freeClusters}`);
		}
		return free;
	}

	#bitmap(group: number): Buffer {
		const { blockBitmap, blocksUninitialised, blockBitmapChecksum } = this.#table.get(group);
		if (blocksUninitialised) return this.#madeUp(group);
		const bitmap = this.#volume.readBlock(blockBitmap, `block bitmap of group ${group}`);
		if (!this.#volume.checksums) return bitmap;
		const { blocksPerGroup, clusterRatio, checksumSeed, descSize } = this.#volume.superblock;
		const crc = crc32c(checksumSeed, bitmap, 0, Math.floor(blocksPerGroup / clusterRatio / 8));
		// A descriptor of 32 bytes has room for one half of it.
		const kept = descSize >= 64 ? crc : crc & 0xffff;
		if (kept >>> 0 !== blockBitmapChecksum) throw new Doubt(`the checksum of the bitmap of group ${group} is wrong`);
		return bitmap;
	}

	/** BLOCK_UNINIT: no file ever used the group and its bitmap was never written; its own structures are all that it holds. */
	#madeUp(group: number): Buffer {
		const { blocksPerGroup, clusterRatio } = this.#volume.superblock;
		const first = this.#first(group);
		const bitmap = Buffer.alloc(this.#volume.blockSize);
		for (const [start, count] of this.structures(group)) {
			const from = Math.max(start, first);
			const behind = Math.min(start + count, first + blocksPerGroup);
			for (let at = Math.floor((from - first) / clusterRatio); first + at * clusterRatio < behind; at++) {
				bitmap[at >>> 3] = (bitmap[at >>> 3] ?? 0) | (1 << (at & 7));
			}
		}
		return bitmap;
	}

	/** Superblock and descriptors where the group has them, its two bitmaps, its inodes. */
	structures(group: number): Stretch[] {
		const { inodesPerGroup, inodeSize, blocksCount } = this.#volume.superblock;
		const { blockBitmap, inodeBitmap, inodeTable } = this.#table.get(group);
		const tableBlocks = Math.ceil((inodesPerGroup * inodeSize) / this.#volume.blockSize);
		this.#volume.checkBlocks(inodeBitmap, 1, `descriptor of group ${group}, bg_inode_bitmap`);
		return [
			...this.#backups(group).filter(([first, count]) => count > 0 && first + count <= blocksCount),
			[blockBitmap, 1],
			[inodeBitmap, 1],
			[inodeTable, tableBlocks],
		];
	}

	#backups(group: number): Stretch[] {
		const { superblock, blockSize } = this.#volume;
		// A 1k-block file system with bigalloc counts its blocks from 0, yet its superblock is in block 1.
		const shifted = group === 0 && blockSize === 1024 && superblock.firstDataBlock === 0 ? 1 : 0;
		const first = this.#first(group) + shifted;
		const own = hasSuperblock(superblock, group) ? 1 : 0;
		return [
			[first - shifted, own + shifted],
			[first + own, this.#descriptorBlocks(group, own === 1)],
		];
	}

	/** With meta_bg the first, second and last group of each run keep the block of descriptors of that run. */
	#descriptorBlocks(group: number, hasSuper: boolean): number {
		const { superblock, blockSize } = this.#volume;
		const perBlock = blockSize / superblock.descSize;
		const metaBg = (superblock.incompat & INCOMPAT.META_BG) !== 0;
		if (metaBg && Math.floor(group / perBlock) >= superblock.firstMetaBg) {
			return [0, 1, perBlock - 1].includes(group % perBlock) ? 1 : 0;
		}
		if (!hasSuper) return 0;
		if (metaBg) return superblock.firstMetaBg;
		return Math.ceil(superblock.groupsCount / perBlock) + this.#reservedDescriptorBlocks;
	}
}

function isSet(bitmap: Buffer, at: number): boolean {
	return ((bitmap[at >>> 3] ?? 0xff) & (1 << (at & 7))) !== 0;
}

/** Where the bits stop to be as the one at `from` is. */
function runEnd(bitmap: Buffer, from: number, length: number): number {
	const wanted = isSet(bitmap, from);
	const whole = wanted ? 0xff : 0;
	let at = from + 1;
	while (at < length) {
		if ((at & 7) === 0 && bitmap[at >>> 3] === whole) at += 8;
		else if (isSet(bitmap, at) === wanted) at++;
		else return at;
	}
	return length;
}
