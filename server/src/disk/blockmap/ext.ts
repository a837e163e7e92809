/** The free blocks of ext2, ext3 and ext4, out of the bitmaps of the block groups. */
import type { BlockSource } from "../block/source.ts";
import { COMPAT, FEATURES, INCOMPAT, RO_COMPAT } from "../ext4/features.ts";
import type { Superblock } from "../ext4/superblock.ts";
import { parseSuperblock, readSuperblock } from "../ext4/superblock.ts";
import { ExtVolume } from "../ext4/volume.ts";
import { Doubt } from "./doubt.ts";
import { ExtGroups } from "./ext-groups.ts";
import { FreeBlocks } from "./free-blocks.ts";
import { RunJoiner } from "./run-joiner.ts";

/** `s_state`. */
const EXT4_VALID_FS = 0x1;
const EXT4_ERROR_FS = 0x2;
/** What the bitmaps do not tell the whole truth about: their blocks have more than one owner, or an owner elsewhere. */
const SHARED = RO_COMPAT.SHARED_BLOCKS | RO_COMPAT.HAS_SNAPSHOT | RO_COMPAT.REPLICA;

/**
 * Gives each run of bytes that no file and no structure of the file system uses. What was given counts only when it returns.
 *
 * @throws Doubt when the bitmaps may be stale or contradict the counts, MalformedError (`ext4`), UnsupportedError, BlockFault.
 */
export function freeOfExt(source: BlockSource, pass: (start: number, end: number) => void): void {
	const raw = readSuperblock(source);
	const superblock = parseSuperblock(raw);
	checkClean(raw, superblock);
	const end = superblock.blocksCount * superblock.blockSize;
	if (end > source.size) throw new Doubt(`it ends at byte ${end}, its partition at ${source.size}`);
	const groups = new ExtGroups(new ExtVolume(source, superblock), raw);
	const free = new FreeBlocks(end);
	countFree(groups, superblock, raw, (first, behind) => {
		free.free(first * superblock.blockSize, behind * superblock.blockSize);
		pass(first * superblock.blockSize, behind * superblock.blockSize);
	});
	checkStructures(groups, superblock, free);
}

function checkClean(raw: Buffer, superblock: Superblock): void {
	const { state, incompat, compat, roCompat } = superblock;
	if ((incompat & INCOMPAT.RECOVER) !== 0) throw new Doubt("it was not unmounted: its journal needs recovery");
	if ((state & EXT4_VALID_FS) === 0) throw new Doubt("it was not unmounted (s_state)");
	if ((state & EXT4_ERROR_FS) !== 0) throw new Doubt("errors were found in it (s_state): e2fsck repairs it");
	const orphans = raw.readUInt32LE(0xe8) !== 0 || (roCompat & RO_COMPAT.ORPHAN_PRESENT) !== 0; // s_last_orphan
	if (orphans) throw new Doubt("it has files that were deleted while they were open");
	if ((roCompat & SHARED) !== 0) throw new Doubt("it shares blocks between files or keeps snapshots");
	if ((compat & COMPAT.LAZY_BG) !== 0) throw new Doubt("it has lazy block groups (lazy_bg)");
	if ((compat & ~known("compat")) !== 0 || (roCompat & ~known("roCompat")) !== 0) {
		throw new Doubt("it has features that are unknown here");
	}
}

function known(word: "compat" | "roCompat"): number {
	return FEATURES.filter((each) => each.word === word).reduce((all, each) => all | each.bit, 0);
}

/** Gives the runs of free blocks by number; they must be as many as the descriptors and the superblock count. */
function countFree(
	groups: ExtGroups,
	superblock: Superblock,
	raw: Buffer,
	pass: (first: number, behind: number) => void,
): void {
	const joiner = new RunJoiner(pass);
	let clusters = 0;
	for (let group = 0; group < superblock.groupsCount; group++) {
		clusters += groups.free(group, (first, behind) => joiner.add(first, behind));
	}
	joiner.finish();
	const counted = superblock.clusterRatio * clusters;
	const expected = freeBlocksCount(raw, superblock);
	if (counted === expected) return;
	throw new Doubt(`its bitmaps have ${counted} free blocks, its superblock counts ${expected}`);
}

/** With flex_bg the structures of a group may stand in another one: no bitmap may give them away. */
function checkStructures(groups: ExtGroups, superblock: Superblock, free: FreeBlocks): void {
	const { blockSize } = superblock;
	for (let group = 0; group < superblock.groupsCount; group++) {
		for (const [first, count] of groups.structures(group)) {
			if (free.isUsed(first * blockSize, (first + count) * blockSize)) continue;
			throw new Doubt(`its bitmaps call blocks free that hold a structure of group ${group}`);
		}
	}
}

/** `s_free_blocks_count`: in blocks, also with bigalloc. */
function freeBlocksCount(raw: Buffer, { incompat }: Superblock): number {
	const high = (incompat & INCOMPAT.BITS64) === 0 ? 0 : raw.readUInt32LE(0x158);
	return raw.readUInt32LE(0x0c) + high * 0x1_0000_0000;
}
