/** `struct ext4_super_block`: the 1,024 bytes at offset 1,024 that say how everything else is laid out. */
import { crc32c } from "../block/crc.ts";
import type { BlockSource } from "../block/source.ts";
import { readBytes } from "../block/source.ts";
import { checkSum, malformed } from "./errors.ts";
import { COMPAT, checkFeatures, INCOMPAT, RO_COMPAT } from "./features.ts";

const SUPERBLOCK_OFFSET = 1024;
const SUPERBLOCK_SIZE = 1024;
const MAGIC = 0xef53;
/** 128 TiB at the usual 128 MiB a group: keeps what is done for every group within a second. */
const MAX_GROUPS = 2 ** 20;
const PLACE = "superblock";

export interface Superblock {
	readonly inodesCount: number;
	readonly blocksCount: number;
	readonly reservedBlocks: number;
	readonly firstDataBlock: number;
	/** Bytes. */
	readonly blockSize: number;
	/** Blocks per cluster: 1 unless bigalloc. */
	readonly clusterRatio: number;
	readonly blocksPerGroup: number;
	readonly inodesPerGroup: number;
	readonly groupsCount: number;
	/** The first inode that is not reserved. */
	readonly firstIno: number;
	readonly inodeSize: number;
	readonly descSize: number;
	readonly compat: number;
	readonly incompat: number;
	readonly roCompat: number;
	readonly state: number;
	readonly uuid: Buffer;
	readonly label: string;
	/** 0 when the journal is on another device. */
	readonly journalInum: number;
	readonly firstMetaBg: number;
	readonly backupBgs: readonly [number, number];
	readonly overheadClusters: number;
	/** What the checksums of everything else begin with. */
	readonly checksumSeed: number;
}

/** The bytes of the superblock as they are on the disk. */
export function readSuperblock(source: BlockSource): Buffer {
	if (source.size < SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE) {
		throw malformed(PLACE, `the source has ${source.size} bytes, it needs ${SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE}`);
	}
	return readBytes(source, SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE);
}

/**
 * Decodes and checks the superblock, as the kernel does before it mounts.
 *
 * @throws MalformedError, UnsupportedError for features that hide the files from us.
 */
export function parseSuperblock(raw: Buffer): Superblock {
	const magic = raw.readUInt16LE(0x38); // s_magic
	if (magic !== MAGIC) throw malformed(PLACE, `s_magic is 0x${magic.toString(16)}, expected 0xef53`);
	const revision = raw.readUInt32LE(0x4c); // s_rev_level
	if (revision > 1) throw malformed(PLACE, `s_rev_level is ${revision}, expected 0 or 1`);
	const dynamic = revision === 1;
	const compat = dynamic ? raw.readUInt32LE(0x5c) : 0;
	const incompat = dynamic ? raw.readUInt32LE(0x60) : 0;
	const roCompat = dynamic ? raw.readUInt32LE(0x64) : 0;
	checkFeatures({ compat, incompat, roCompat });
	if (roCompat & RO_COMPAT.METADATA_CSUM) checkSuperblockChecksum(raw);
	const geometry = parseGeometry(raw, incompat, roCompat);
	return {
		...geometry,
		...parseInodeLayout(raw, geometry, dynamic),
		descSize: descriptorSize(raw, incompat),
		compat,
		incompat,
		roCompat,
		state: raw.readUInt16LE(0x3a),
		uuid: Buffer.from(raw.subarray(0x68, 0x78)),
		label: text(raw.subarray(0x78, 0x88)),
		journalInum: raw.readUInt32LE(0xe0),
		firstMetaBg: raw.readUInt32LE(0x104),
		backupBgs: [raw.readUInt32LE(0x24c), raw.readUInt32LE(0x250)],
		overheadClusters: raw.readUInt32LE(0x248),
		checksumSeed:
			incompat & INCOMPAT.CSUM_SEED ? raw.readUInt32LE(0x270) : crc32c(0xffffffff, raw.subarray(0x68, 0x78)),
	};
}

function text(bytes: Buffer): string {
	const end = bytes.indexOf(0);
	return bytes.subarray(0, end === -1 ? bytes.length : end).toString("utf8");
}

function checkSuperblockChecksum(raw: Buffer): void {
	const type = raw.readUInt8(0x175); // s_checksum_type
	if (type !== 1) throw malformed(PLACE, `s_checksum_type is ${type}, expected 1 (crc32c)`);
	checkSum(PLACE, raw.readUInt32LE(0x3fc), crc32c(0xffffffff, raw, 0, 0x3fc));
}

type Geometry = Pick<
	Superblock,
	"blocksCount" | "reservedBlocks" | "firstDataBlock" | "blockSize" | "clusterRatio" | "blocksPerGroup" | "groupsCount"
>;

function parseGeometry(raw: Buffer, incompat: number, roCompat: number): Geometry {
	const logBlockSize = raw.readUInt32LE(0x18); // s_log_block_size
	if (logBlockSize > 6) throw malformed(PLACE, `s_log_block_size is ${logBlockSize}, expected at most 6`);
	const blockSize = 1024 << logBlockSize;
	const clusterRatio = roCompat & RO_COMPAT.BIGALLOC ? clusterBlocks(raw, logBlockSize) : 1;
	const high = incompat & INCOMPAT.BITS64 ? 1 : 0;
	const blocksCount = raw.readUInt32LE(0x04) + high * raw.readUInt32LE(0x150) * 0x1_0000_0000;
	const reservedBlocks = raw.readUInt32LE(0x08) + high * raw.readUInt32LE(0x154) * 0x1_0000_0000;
	const firstDataBlock = raw.readUInt32LE(0x14);
	const expectedFirst = blockSize === 1024 && clusterRatio === 1 ? 1 : 0;
	if (firstDataBlock !== expectedFirst) {
		throw malformed(PLACE, `s_first_data_block is ${firstDataBlock}, expected ${expectedFirst}`);
	}
	if (blocksCount <= firstDataBlock || blocksCount > 2 ** 48) {
		throw malformed(PLACE, `s_blocks_count is ${blocksCount}, expected 1 to 2^48`);
	}
	const blocksPerGroup = groupBlocks(raw, blockSize, clusterRatio);
	const groupsCount = Math.ceil((blocksCount - firstDataBlock) / blocksPerGroup);
	if (groupsCount > MAX_GROUPS)
		throw malformed(PLACE, `there are ${groupsCount} groups, expected at most ${MAX_GROUPS}`);
	return { blocksCount, reservedBlocks, firstDataBlock, blockSize, clusterRatio, blocksPerGroup, groupsCount };
}

function clusterBlocks(raw: Buffer, logBlockSize: number): number {
	const logClusterSize = raw.readUInt32LE(0x1c); // s_log_cluster_size
	if (logClusterSize < logBlockSize || logClusterSize > 20) {
		throw malformed(PLACE, `s_log_cluster_size is ${logClusterSize}, expected ${logBlockSize} to 20`);
	}
	return 1 << (logClusterSize - logBlockSize);
}

function groupBlocks(raw: Buffer, blockSize: number, clusterRatio: number): number {
	const blocks = raw.readUInt32LE(0x20); // s_blocks_per_group
	if (blocks === 0 || blocks > blockSize * 8 * clusterRatio) {
		throw malformed(PLACE, `s_blocks_per_group is ${blocks}, expected 1 to ${blockSize * 8 * clusterRatio}`);
	}
	return blocks;
}

type InodeLayout = Pick<Superblock, "inodesCount" | "inodesPerGroup" | "inodeSize" | "firstIno">;

function parseInodeLayout(raw: Buffer, geometry: Geometry, dynamic: boolean): InodeLayout {
	const inodesCount = raw.readUInt32LE(0x00);
	const inodesPerGroup = raw.readUInt32LE(0x28);
	const inodeSize = dynamic ? raw.readUInt16LE(0x58) : 128;
	const firstIno = dynamic ? raw.readUInt32LE(0x54) : 11;
	if (inodesPerGroup === 0 || inodesPerGroup > geometry.blockSize * 8) {
		throw malformed(PLACE, `s_inodes_per_group is ${inodesPerGroup}, expected 1 to ${geometry.blockSize * 8}`);
	}
	if (inodesCount > inodesPerGroup * geometry.groupsCount) {
		throw malformed(
			PLACE,
			`s_inodes_count is ${inodesCount}, the groups have ${inodesPerGroup * geometry.groupsCount}`,
		);
	}
	if (inodeSize < 128 || inodeSize > geometry.blockSize || (inodeSize & (inodeSize - 1)) !== 0) {
		throw malformed(PLACE, `s_inode_size is ${inodeSize}, expected a power of 2 from 128 to ${geometry.blockSize}`);
	}
	if (firstIno < 11) throw malformed(PLACE, `s_first_ino is ${firstIno}, expected at least 11`);
	return { inodesCount, inodesPerGroup, inodeSize, firstIno };
}

function descriptorSize(raw: Buffer, incompat: number): number {
	if ((incompat & INCOMPAT.BITS64) === 0) return 32;
	const size = raw.readUInt16LE(0xfe); // s_desc_size
	if (size < 64 || size > 1024 || (size & (size - 1)) !== 0) {
		throw malformed(PLACE, `s_desc_size is ${size}, expected a power of 2 from 64 to 1024`);
	}
	return size;
}

/** Whether a block group holds a copy of the superblock and of the descriptors. */
export function hasSuperblock(superblock: Superblock, group: number): boolean {
	if (group === 0) return true;
	if (superblock.compat & COMPAT.SPARSE_SUPER2) return superblock.backupBgs.includes(group);
	if (group === 1 || (superblock.roCompat & RO_COMPAT.SPARSE_SUPER) === 0) return true;
	return [3, 5, 7].some((base) => isPowerOf(base, group));
}

function isPowerOf(base: number, value: number): boolean {
	let power = base;
	while (power < value) power *= base;
	return power === value;
}
