/**
 * Reads the log from its start to the last transaction that is whole, and finds where the newest state of each block is.
 *
 * A revoke record says that a block was freed: what this transaction and older ones wrote to it must not come back, since
 * the block may hold a file's data by now. Transactions are taken in order, so the newest copy of a block replaces older
 * ones, and a transaction's revoke records drop what it and those before it had.
 */
import { malformed } from "../errors.ts";
import type { JournalBlocks } from "./blocks.ts";
import { addToTransaction, isCommitRight, isDataRight, isTailRight } from "./checksums.ts";
import type { Tag } from "./records.ts";
import { BLOCK_TYPE, blockType, commitTime, parseRevoked, parseTags } from "./records.ts";
import type { JournalSuperblock } from "./superblock.ts";

type ReadableBlocks = Pick<JournalBlocks, "read">;

/** The newest state of a block of the file system is this block of the journal. */
export interface Replacement {
	readonly tag: Tag;
	/** Number in the journal. */
	readonly at: number;
	readonly sequence: number;
}

export interface Log {
	readonly replacements: ReadonlyMap<number, Replacement>;
	/** How many transactions were whole. */
	readonly transactions: number;
	/** The transaction that would have come next. */
	readonly nextSequence: number;
	/** The log ends with a commit block whose checksum is wrong. */
	readonly damagedEnd: boolean;
}

interface Transaction {
	readonly replacements: Replacement[];
	readonly revoked: number[];
	/** v1: the running checksum. */
	crc: number;
	/** A descriptor's checksum is wrong: a leftover of an older journal, or damage. The commit block tells which. */
	suspect: number | undefined;
}

/** @throws MalformedError, BlockFault. */
export function readLog(blocks: ReadableBlocks, journal: JournalSuperblock): Log {
	const reader = new LogReader(blocks, journal);
	reader.run();
	return reader;
}

class LogReader implements Log {
	readonly replacements = new Map<number, Replacement>();
	transactions = 0;
	nextSequence: number;
	damagedEnd = false;
	readonly #blocks: ReadableBlocks;
	readonly #journal: JournalSuperblock;
	/** The next block to read. */
	#at: number;
	/** Blocks that may still be read: the log does not overtake its own start. */
	#left: number;
	#lastCommit = 0;
	#transaction = newTransaction();

	constructor(blocks: ReadableBlocks, journal: JournalSuperblock) {
		this.#blocks = blocks;
		this.#journal = journal;
		this.#at = journal.start;
		this.#left = journal.end - journal.first;
		this.nextSequence = journal.sequence;
	}

	run(): void {
		while (this.#left > 0) {
			const at = this.#advance();
			const block = this.#blocks.read(at);
			if (!this.#take(block, at)) return;
		}
	}

	/** Takes in a block. @returns false at the end of the log. */
	#take(block: Buffer, at: number): boolean {
		const type = blockType(block, this.nextSequence);
		const place = `journal block ${at}`;
		if (type === BLOCK_TYPE.DESCRIPTOR) return this.#descriptor(block, place);
		if (type === BLOCK_TYPE.COMMIT) return this.#commit(block);
		if (type !== BLOCK_TYPE.REVOKE) return false;
		if (!isTailRight(block, this.#journal)) this.#transaction.suspect = at;
		else this.#transaction.revoked.push(...parseRevoked(block, this.#journal, place));
		return true;
	}

	/** The log goes round: behind the last block comes the first. */
	#advance(): number {
		const at = this.#at;
		this.#at = at + 1 === this.#journal.end ? this.#journal.first : at + 1;
		this.#left--;
		return at;
	}

	#descriptor(block: Buffer, place: string): boolean {
		const transaction = this.#transaction;
		if (!isTailRight(block, this.#journal)) transaction.suspect = this.#at;
		const checksummed = this.#journal.checksum === 1;
		if (checksummed) transaction.crc = addToTransaction(transaction.crc, block);
		for (const tag of parseTags(block, this.#journal, place)) {
			if (this.#left === 0) return false;
			const at = this.#advance();
			if (checksummed) transaction.crc = addToTransaction(transaction.crc, this.#blocks.read(at));
			transaction.replacements.push({ tag, at, sequence: this.nextSequence });
		}
		return true;
	}

	#commit(block: Buffer): boolean {
		const transaction = this.#transaction;
		const time = commitTime(block);
		// What is older than the transaction before it is a leftover of an earlier round: the log ends here.
		if (transaction.suspect !== undefined && time < this.#lastCommit) return false;
		if (transaction.suspect !== undefined) {
			throw malformed("journal", `transaction ${this.nextSequence} has a block with a wrong checksum`);
		}
		if (!isCommitRight(block, this.#journal, transaction.crc)) {
			this.damagedEnd = time >= this.#lastCommit;
			return false;
		}
		for (const replacement of transaction.replacements) this.replacements.set(replacement.tag.block, replacement);
		for (const revoked of transaction.revoked) this.replacements.delete(revoked);
		this.#transaction = newTransaction();
		this.#lastCommit = time;
		this.transactions++;
		this.nextSequence = (this.nextSequence + 1) >>> 0;
		return true;
	}
}

function newTransaction(): Transaction {
	return { replacements: [], revoked: [], crc: 0xffffffff, suspect: undefined };
}

/** @throws MalformedError when a block in the journal is not what was written there. */
export function verifyReplacement(blocks: ReadableBlocks, journal: JournalSuperblock, found: Replacement): void {
	if (journal.checksum < 2) return;
	if (isDataRight(blocks.read(found.at), journal, found.sequence, found.tag.checksum)) return;
	throw malformed(`journal block ${found.at}`, `the checksum of block ${found.tag.block} is wrong`);
}
