/** Brings a file system that was not unmounted to the state that a mount would give it, in memory. */
import { FileError, UnsupportedError } from "../../../base/index.ts";
import { Content } from "../content.ts";
import { malformed } from "../errors.ts";
import { COMPAT, INCOMPAT } from "../features.ts";
import type { Inode } from "../inode.ts";
import { InodeTable } from "../inode-table.ts";
import { parseSuperblock, readSuperblock } from "../superblock.ts";
import { ExtVolume } from "../volume.ts";
import { JournalBlocks } from "./blocks.ts";
import type { Log } from "./log.ts";
import { readLog, verifyReplacement } from "./log.ts";
import type { Redirection } from "./overlay.ts";
import { OverlaySource } from "./overlay.ts";
import type { JournalSuperblock } from "./superblock.ts";
import { parseJournalSuperblock } from "./superblock.ts";

export interface Recovered {
	readonly volume: ExtVolume;
	readonly findings: readonly string[];
}

/**
 * Gives the volume as it is when its journal needs no replay, else one over the replayed state.
 *
 * @throws MalformedError, UnsupportedError for an external journal, BlockFault.
 */
export function recover(volume: ExtVolume): Recovered {
	if ((volume.superblock.incompat & INCOMPAT.RECOVER) === 0) return { volume, findings: [] };
	if ((volume.superblock.compat & COMPAT.HAS_JOURNAL) === 0) {
		throw malformed("superblock", "it needs recovery and has no journal");
	}
	const blocks = openJournal(volume);
	const journal = parseJournalSuperblock(blocks.read(0), blocks.count);
	if (journal.start === 0) return { volume, findings: [] };
	const log = readLog(blocks, journal);
	return { volume: replay(volume, blocks, journal, log), findings: describeLog(blocks, journal, log) };
}

function openJournal(volume: ExtVolume): JournalBlocks {
	const { journalInum } = volume.superblock;
	if (journalInum === 0) {
		throw new UnsupportedError("ext4", "ext4: the journal that must be replayed is on another device");
	}
	const inodes = new InodeTable(volume, 0);
	const inode = journalInode(inodes, journalInum);
	if (inode.attributes.type !== "file") throw malformed(`inode ${journalInum}`, "the journal is no file");
	const count = Math.floor(inode.attributes.size / volume.blockSize);
	return new JournalBlocks(volume, new Content(volume, inodes).map(inode), count);
}

function journalInode(inodes: InodeTable, ino: number): Inode {
	try {
		return inodes.special(ino);
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		throw malformed("superblock", `the journal should be inode ${ino}: ${error.message}`);
	}
}

function replay(volume: ExtVolume, blocks: JournalBlocks, journal: JournalSuperblock, log: Log): ExtVolume {
	const redirections: Redirection[] = [];
	for (const [block, found] of log.replacements) {
		if (block >= volume.superblock.blocksCount) {
			throw malformed(
				`journal block ${found.at}`,
				`it is for block ${block}, there are ${volume.superblock.blocksCount}`,
			);
		}
		verifyReplacement(blocks, journal, found);
		redirections.push({ block, position: blocks.position(found.at), escaped: found.tag.escaped });
	}
	const source = new OverlaySource(volume.source, volume.blockSize, redirections);
	return new ExtVolume(source, parseSuperblock(readSuperblock(source)));
}

function describeLog(blocks: JournalBlocks, journal: JournalSuperblock, log: Log): string[] {
	const { transactions } = log;
	const findings = [
		`the root file system was not unmounted: ${transactions} transactions of its journal are replayed in memory`,
	];
	if (log.damagedEnd) findings.push("the journal ends with a damaged transaction, which is left out");
	if (hasFastCommits(blocks, journal, log)) {
		findings.push("the journal ends with fast commits, which are left out: changes of the last seconds are missing");
	}
	return findings;
}

const FC_TAG_HEAD = 9;

/** Fast commits stand behind the log and begin with the number of the transaction that they belong to. */
function hasFastCommits(blocks: JournalBlocks, journal: JournalSuperblock, log: Log): boolean {
	if (!journal.fastCommit || journal.end >= blocks.count) return false;
	const head = blocks.read(journal.end);
	return head.readUInt16LE(0) === FC_TAG_HEAD && head.readUInt32LE(8) === log.nextSequence;
}
