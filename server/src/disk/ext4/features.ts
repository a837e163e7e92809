/**
 * The feature words of the superblock: all flags that there are, and what each means for somebody who only reads.
 *
 * Who does not know a flag of `s_feature_compat` may still write, of `s_feature_ro_compat` may read, of
 * `s_feature_incompat` must not even read.
 */
import { UnsupportedError } from "../../base/index.ts";

export const COMPAT = {
	DIR_PREALLOC: 0x1,
	IMAGIC_INODES: 0x2,
	HAS_JOURNAL: 0x4,
	EXT_ATTR: 0x8,
	RESIZE_INODE: 0x10,
	DIR_INDEX: 0x20,
	LAZY_BG: 0x40,
	EXCLUDE_INODE: 0x80,
	EXCLUDE_BITMAP: 0x100,
	SPARSE_SUPER2: 0x200,
	FAST_COMMIT: 0x400,
	STABLE_INODES: 0x800,
	ORPHAN_FILE: 0x1000,
} as const;

export const INCOMPAT = {
	COMPRESSION: 0x1,
	FILETYPE: 0x2,
	RECOVER: 0x4,
	JOURNAL_DEV: 0x8,
	META_BG: 0x10,
	EXTENTS: 0x40,
	BITS64: 0x80,
	MMP: 0x100,
	FLEX_BG: 0x200,
	EA_INODE: 0x400,
	DIRDATA: 0x1000,
	CSUM_SEED: 0x2000,
	LARGEDIR: 0x4000,
	INLINE_DATA: 0x8000,
	ENCRYPT: 0x10000,
	CASEFOLD: 0x20000,
} as const;

export const RO_COMPAT = {
	SPARSE_SUPER: 0x1,
	LARGE_FILE: 0x2,
	BTREE_DIR: 0x4,
	HUGE_FILE: 0x8,
	GDT_CSUM: 0x10,
	DIR_NLINK: 0x20,
	EXTRA_ISIZE: 0x40,
	HAS_SNAPSHOT: 0x80,
	QUOTA: 0x100,
	BIGALLOC: 0x200,
	METADATA_CSUM: 0x400,
	REPLICA: 0x800,
	READONLY: 0x1000,
	PROJECT: 0x2000,
	SHARED_BLOCKS: 0x4000,
	VERITY: 0x8000,
	ORPHAN_PRESENT: 0x10000,
} as const;

export type FeatureWord = "compat" | "incompat" | "roCompat";

/** `read`: nothing is lost. `finding`: read, with something that a person should know. `refused`: it hides the files. */
export type FeatureRank = "read" | "finding" | "refused";

export interface Feature {
	readonly word: FeatureWord;
	readonly bit: number;
	/** As `mke2fs -O` and dumpe2fs call it. */
	readonly name: string;
	readonly rank: FeatureRank;
	/** What a finding or a refusal says. */
	readonly says?: string;
}

function feature(word: FeatureWord, bit: number, name: string, rank: FeatureRank = "read", says?: string): Feature {
	return { word, bit, name, rank, ...(says !== undefined && { says }) };
}

/** Every flag that Linux and e2fsprogs know. */
export const FEATURES: readonly Feature[] = [
	feature("compat", COMPAT.DIR_PREALLOC, "dir_prealloc"),
	feature("compat", COMPAT.IMAGIC_INODES, "imagic_inodes"),
	feature("compat", COMPAT.HAS_JOURNAL, "has_journal"),
	feature("compat", COMPAT.EXT_ATTR, "ext_attr"),
	feature("compat", COMPAT.RESIZE_INODE, "resize_inode"),
	feature("compat", COMPAT.DIR_INDEX, "dir_index"),
	feature("compat", COMPAT.LAZY_BG, "lazy_bg"),
	feature("compat", COMPAT.EXCLUDE_INODE, "snapshot_inode"),
	feature("compat", COMPAT.EXCLUDE_BITMAP, "snapshot_bitmap"),
	feature("compat", COMPAT.SPARSE_SUPER2, "sparse_super2"),
	// Fast commits stand in the journal; that they are left out of its replay is said when there are some.
	feature("compat", COMPAT.FAST_COMMIT, "fast_commit"),
	feature("compat", COMPAT.STABLE_INODES, "stable_inodes"),
	// Names of files that nobody can reach any more: no directory leads to one.
	feature("compat", COMPAT.ORPHAN_FILE, "orphan_file"),
	feature("incompat", INCOMPAT.COMPRESSION, "compression", "refused"),
	feature("incompat", INCOMPAT.FILETYPE, "filetype"),
	feature("incompat", INCOMPAT.RECOVER, "needs_recovery"),
	feature("incompat", INCOMPAT.JOURNAL_DEV, "journal_dev", "refused", "this is an external journal, not a file system"),
	feature("incompat", INCOMPAT.META_BG, "meta_bg"),
	feature("incompat", INCOMPAT.EXTENTS, "extent"),
	feature("incompat", INCOMPAT.BITS64, "64bit"),
	// Guards against two who write.
	feature("incompat", INCOMPAT.MMP, "mmp"),
	feature("incompat", INCOMPAT.FLEX_BG, "flex_bg"),
	feature("incompat", INCOMPAT.EA_INODE, "ea_inode"),
	feature("incompat", INCOMPAT.DIRDATA, "dirdata", "refused"),
	feature("incompat", INCOMPAT.CSUM_SEED, "metadata_csum_seed"),
	feature("incompat", INCOMPAT.LARGEDIR, "large_dir"),
	feature("incompat", INCOMPAT.INLINE_DATA, "inline_data"),
	feature(
		"incompat",
		INCOMPAT.ENCRYPT,
		"encrypt",
		"finding",
		"may have encrypted files (fscrypt), which cannot be read",
	),
	feature(
		"incompat",
		INCOMPAT.CASEFOLD,
		"casefold",
		"finding",
		"has case-insensitive directories: names must match exactly here",
	),
	feature("roCompat", RO_COMPAT.SPARSE_SUPER, "sparse_super"),
	feature("roCompat", RO_COMPAT.LARGE_FILE, "large_file"),
	feature("roCompat", RO_COMPAT.BTREE_DIR, "btree_dir"),
	feature("roCompat", RO_COMPAT.HUGE_FILE, "huge_file"),
	feature("roCompat", RO_COMPAT.GDT_CSUM, "uninit_bg"),
	feature("roCompat", RO_COMPAT.DIR_NLINK, "dir_nlink"),
	feature("roCompat", RO_COMPAT.EXTRA_ISIZE, "extra_isize"),
	feature(
		"roCompat",
		RO_COMPAT.HAS_SNAPSHOT,
		"snapshot",
		"finding",
		"has snapshots, of which only the newest state is seen",
	),
	feature("roCompat", RO_COMPAT.QUOTA, "quota"),
	feature("roCompat", RO_COMPAT.BIGALLOC, "bigalloc"),
	feature("roCompat", RO_COMPAT.METADATA_CSUM, "metadata_csum"),
	feature("roCompat", RO_COMPAT.REPLICA, "replica"),
	feature("roCompat", RO_COMPAT.READONLY, "read-only"),
	feature("roCompat", RO_COMPAT.PROJECT, "project"),
	feature("roCompat", RO_COMPAT.SHARED_BLOCKS, "shared_blocks"),
	feature(
		"roCompat",
		RO_COMPAT.VERITY,
		"verity",
		"finding",
		"has files with fs-verity, which are read without that check",
	),
	feature("roCompat", RO_COMPAT.ORPHAN_PRESENT, "orphan_present"),
];

export type FeatureWords = Readonly<Record<FeatureWord, number>>;

function present(words: FeatureWords, rank: FeatureRank): Feature[] {
	return FEATURES.filter((each) => each.rank === rank && (words[each.word] & each.bit) !== 0);
}

/** The flags of a word that are in no table. */
function unknown(words: FeatureWords, word: FeatureWord): number {
	const known = FEATURES.filter((each) => each.word === word).reduce((all, each) => all | each.bit, 0);
	return (words[word] & ~known) >>> 0;
}

/** @throws UnsupportedError that names each feature that we cannot read. */
export function checkFeatures(words: FeatureWords): void {
	const names = present(words, "refused").map(({ name, says }) => (says === undefined ? name : `${name} (${says})`));
	const others = unknown(words, "incompat");
	if (others !== 0) names.push(`unknown incompatible features 0x${others.toString(16)}`);
	if (names.length > 0) throw new UnsupportedError("ext4", `ext4: cannot read a file system with ${names.join(", ")}`);
}

/** A sentence for each feature that a person should know of. */
export function describeFeatures(words: FeatureWords): string[] {
	const findings = present(words, "finding").map(({ name, says }) => `the root file system ${says} (${name})`);
	for (const [word, field] of [
		["compat", "s_feature_compat"],
		["roCompat", "s_feature_ro_compat"],
	] as const) {
		const others = unknown(words, word);
		if (others === 0) continue;
		findings.push(
			`the root file system has features that are unknown here (${field} 0x${others.toString(16)}); it can be read`,
		);
	}
	return findings;
}
