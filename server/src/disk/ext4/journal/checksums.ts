/** The three generations of checksums in a journal. */
import { crc32be, crc32c } from "../../block/crc.ts";
import { TAIL_SIZE } from "./records.ts";
import type { JournalSuperblock } from "./superblock.ts";

const ZERO = Uint8Array.of(0, 0, 0, 0);
/** `h_chksum[0]` of a commit block. */
const COMMIT_CHECKSUM = 16;
const CRC32_CHKSUM = 1;

/** Descriptor and revoke blocks end with their checksum (v2, v3). */
export function isTailRight(block: Buffer, journal: JournalSuperblock): boolean {
	if (journal.checksum < 2) return true;
	const tail = block.length - TAIL_SIZE;
	return block.readUInt32BE(tail) === crc32c(crc32c(journal.seed, block, 0, tail), ZERO);
}

/** @param transaction v1: the checksum of the transaction's descriptor blocks and data. */
export function isCommitRight(block: Buffer, journal: JournalSuperblock, transaction: number): boolean {
	const stored = block.readUInt32BE(COMMIT_CHECKSUM);
	if (journal.checksum === 1) return isTransactionRight(block, stored, transaction);
	if (journal.checksum === 0) return true;
	const head = crc32c(crc32c(journal.seed, block, 0, COMMIT_CHECKSUM), ZERO);
	return stored === crc32c(head, block, COMMIT_CHECKSUM + 4);
}

/** A commit block without any checksum (type, size and value 0) is right: the feature was set later. */
function isTransactionRight(block: Buffer, stored: number, transaction: number): boolean {
	const type = block.readUInt8(12);
	const size = block.readUInt8(13);
	if (type === 0 && size === 0 && stored === 0) return true;
	return type === CRC32_CHKSUM && size === 4 && stored === transaction;
}

/** v1: the running checksum of a transaction, 0xffffffff at its start. */
export function addToTransaction(crc: number, block: Buffer): number {
	return crc32be(crc, block);
}

/** v2 and v3: the checksum of a block in the journal begins with its transaction's number. */
export function isDataRight(block: Buffer, journal: JournalSuperblock, sequence: number, stored: number): boolean {
	if (journal.checksum < 2) return true;
	const number = Buffer.alloc(4);
	number.writeUInt32BE(sequence);
	const crc = crc32c(crc32c(journal.seed, number), block);
	return stored === (journal.checksum === 3 ? crc : crc & 0xffff);
}
