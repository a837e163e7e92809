/**
 * What the blocks of a journal hold.
 *
 *     every one    h_magic, h_blocktype, h_sequence
 *     descriptor   a tag for each block that follows it in the log: which block of the file system it is
 *     revoke       block numbers that must not be written from this transaction or an older one
 *     commit       the transaction is whole
 */
import { malformed } from "../errors.ts";
import { JBD2_MAGIC, type JournalSuperblock } from "./superblock.ts";

export const BLOCK_TYPE = { DESCRIPTOR: 1, COMMIT: 2, REVOKE: 5 } as const;
const HEADER_SIZE = 12;
/** `jbd2_journal_block_tail`: the checksum at the end of descriptor and revoke blocks (v2, v3). */
export const TAIL_SIZE = 4;
const UUID_SIZE = 16;
/** Bits of `t_flags`. */
const FLAG = { ESCAPE: 0x1, SAME_UUID: 0x2, LAST_TAG: 0x8 } as const;

export interface Tag {
	/** The block of the file system. */
	readonly block: number;
	/** Its first four bytes were the journal's magic number and are zeros in the journal. */
	readonly escaped: boolean;
	/** Of the block in the journal; 16 bits of it with v2. */
	readonly checksum: number;
}

/** The type of a block that belongs to this transaction, or undefined when the log is at its end. */
export function blockType(block: Buffer, sequence: number): number | undefined {
	const belongs = block.readUInt32BE(0) === JBD2_MAGIC && block.readUInt32BE(8) === sequence;
	return belongs ? block.readUInt32BE(4) : undefined;
}

/** @throws MalformedError when the tags do not end inside the block. */
export function parseTags(block: Buffer, journal: JournalSuperblock, place: string): Tag[] {
	const size = tagSize(journal);
	const end = block.length - (journal.checksum >= 2 ? TAIL_SIZE : 0);
	const tags: Tag[] = [];
	for (let at = HEADER_SIZE; at + size <= end; ) {
		const flags = journal.checksum === 3 ? block.readUInt32BE(at + 4) : block.readUInt16BE(at + 6);
		tags.push(parseTag(block, at, flags, journal));
		if (flags & FLAG.LAST_TAG) return tags;
		at += size + (flags & FLAG.SAME_UUID ? 0 : UUID_SIZE);
	}
	// A block that is full need not mark its last tag.
	if (tags.length === 0) throw malformed(place, "a descriptor block without tags");
	return tags;
}

/** v3: blocknr, flags, blocknr_high, checksum. Before: blocknr, 16 bits of checksum, of flags, [blocknr_high], [pad]. */
function tagSize(journal: JournalSuperblock): number {
	if (journal.checksum === 3) return 16;
	return 8 + (journal.wide ? 4 : 0) + (journal.checksum === 2 ? 2 : 0);
}

function parseTag(block: Buffer, at: number, flags: number, journal: JournalSuperblock): Tag {
	const high = journal.wide ? block.readUInt32BE(at + 8) : 0;
	return {
		block: block.readUInt32BE(at) + high * 0x1_0000_0000,
		escaped: (flags & FLAG.ESCAPE) !== 0,
		checksum: journal.checksum === 3 ? block.readUInt32BE(at + 12) : block.readUInt16BE(at + 4),
	};
}

/** @throws MalformedError. */
export function parseRevoked(block: Buffer, journal: JournalSuperblock, place: string): number[] {
	const used = block.readUInt32BE(HEADER_SIZE); // r_count: bytes, with the header
	const end = block.length - (journal.checksum >= 2 ? TAIL_SIZE : 0);
	const size = journal.wide ? 8 : 4;
	if (used < HEADER_SIZE + 4 || used > end) {
		throw malformed(place, `r_count is ${used}, expected ${HEADER_SIZE + 4} to ${end}`);
	}
	const revoked: number[] = [];
	for (let at = HEADER_SIZE + 4; at + size <= used; at += size) {
		const high = journal.wide ? block.readUInt32BE(at) : 0;
		revoked.push(high * 0x1_0000_0000 + block.readUInt32BE(at + size - 4));
	}
	return revoked;
}

/** `h_commit_sec`: seconds since 1970. */
export function commitTime(block: Buffer): number {
	return block.readUInt32BE(48) * 0x1_0000_0000 + block.readUInt32BE(52);
}
