/** The journal's own superblock (`journal_superblock_t` of jbd2; big endian, unlike all else in ext4). */
import { UnsupportedError } from "../../../base/index.ts";
import { crc32c } from "../../block/crc.ts";
import { checkSum, malformed } from "../errors.ts";

export const JBD2_MAGIC = 0xc03b3998;
const SUPERBLOCK_V1 = 3;
const SUPERBLOCK_V2 = 4;
const SIZE = 1024;
const CHECKSUM = 0xfc; // s_checksum
const PLACE = "journal superblock";

/** `s_feature_incompat`. */
const INCOMPAT = {
	REVOKE: 0x1,
	BITS64: 0x2,
	ASYNC_COMMIT: 0x4,
	CSUM_V2: 0x8,
	CSUM_V3: 0x10,
	FAST_COMMIT: 0x20,
} as const;
const KNOWN = Object.values(INCOMPAT).reduce((all, bit) => all | bit, 0);
/** `s_feature_compat`: checksum v1, one of the whole transaction in its commit block. */
const COMPAT_CHECKSUM = 0x1;
const CRC32C_CHKSUM = 4;
/** How many blocks at the end are for fast commits when the journal does not say. */
const DEFAULT_FAST_COMMIT_BLOCKS = 256;
const MIN_LOG_BLOCKS = 1024;

export interface JournalSuperblock {
	/** The log goes round in blocks [first, end). */
	readonly first: number;
	readonly end: number;
	/** The transaction that is expected first; 0xffffffff is followed by 0. */
	readonly sequence: number;
	/** Where the log begins; 0: there is nothing to replay. */
	readonly start: number;
	/** 0: none; 1: the whole transaction; 2 and 3: each block. */
	readonly checksum: 0 | 1 | 2 | 3;
	/** `t_blocknr_high` and 8-byte revoke records. */
	readonly wide: boolean;
	readonly fastCommit: boolean;
	/** What the checksums v2 and v3 begin with. */
	readonly seed: number;
}

/**
 * @param block the first block of the journal.
 * @param blocks how many blocks the journal's file has.
 * @throws MalformedError, UnsupportedError.
 */
export function parseJournalSuperblock(block: Buffer, blocks: number): JournalSuperblock {
	const magic = block.readUInt32BE(0);
	const type = block.readUInt32BE(4);
	if (magic !== JBD2_MAGIC || (type !== SUPERBLOCK_V1 && type !== SUPERBLOCK_V2)) {
		throw malformed(PLACE, `magic 0x${magic.toString(16)} and type ${type}, expected 0xc03b3998 and 3 or 4`);
	}
	const blockSize = block.readUInt32BE(0x0c);
	if (blockSize !== block.length) throw malformed(PLACE, `s_blocksize is ${blockSize}, expected ${block.length}`);
	const second = type === SUPERBLOCK_V2;
	const incompat = second ? block.readUInt32BE(0x28) : 0;
	checkFeatures(incompat);
	const checksum = checksumVersion(second ? block.readUInt32BE(0x24) : 0, incompat);
	if (checksum >= 2) verify(block);
	return {
		...parseLog(block, blocks, (incompat & INCOMPAT.FAST_COMMIT) !== 0),
		sequence: block.readUInt32BE(0x18),
		checksum,
		wide: (incompat & INCOMPAT.BITS64) !== 0,
		fastCommit: (incompat & INCOMPAT.FAST_COMMIT) !== 0,
		seed: crc32c(0xffffffff, block, 0x30, 0x40), // s_uuid
	};
}

function checkFeatures(incompat: number): void {
	const unknown = (incompat & ~KNOWN) >>> 0;
	if (unknown === 0) return;
	throw new UnsupportedError("ext4", `ext4: cannot replay a journal with unknown features 0x${unknown.toString(16)}`);
}

function checksumVersion(compat: number, incompat: number): 0 | 1 | 2 | 3 {
	const both = INCOMPAT.CSUM_V2 | INCOMPAT.CSUM_V3;
	if ((incompat & both) === both) throw malformed(PLACE, "it claims to have checksums v2 and v3");
	if (incompat & INCOMPAT.CSUM_V3) return 3;
	if (incompat & INCOMPAT.CSUM_V2) return 2;
	return compat & COMPAT_CHECKSUM ? 1 : 0;
}

function verify(block: Buffer): void {
	const type = block.readUInt8(0x50); // s_checksum_type
	if (type !== CRC32C_CHKSUM) throw malformed(PLACE, `s_checksum_type is ${type}, expected 4 (crc32c)`);
	const head = crc32c(crc32c(0xffffffff, block, 0, CHECKSUM), Uint8Array.of(0, 0, 0, 0));
	checkSum(PLACE, block.readUInt32BE(CHECKSUM), crc32c(head, block, CHECKSUM + 4, SIZE));
}

function parseLog(
	block: Buffer,
	blocks: number,
	fastCommit: boolean,
): Pick<JournalSuperblock, "first" | "end" | "start"> {
	const length = block.readUInt32BE(0x10); // s_maxlen
	const first = block.readUInt32BE(0x14); // s_first
	const start = block.readUInt32BE(0x1c); // s_start
	if (length > blocks) throw malformed(PLACE, `s_maxlen is ${length}, the journal has ${blocks} blocks`);
	const reserved = fastCommit ? block.readUInt32BE(0x54) || DEFAULT_FAST_COMMIT_BLOCKS : 0; // s_num_fc_blks
	const end = length - reserved >= MIN_LOG_BLOCKS ? length - reserved : length;
	if (first < 1 || first >= end) throw malformed(PLACE, `s_first is ${first}, expected 1 to ${end - 1}`);
	if (start !== 0 && (start < first || start >= end)) {
		throw malformed(PLACE, `s_start is ${start}, expected 0 or ${first} to ${end - 1}`);
	}
	return { first, end, start };
}
