/** The feature words of the superblock: which there are, and which of them stand between us and the files. */
import { UnsupportedError } from "../../base/index.ts";

/** `s_feature_compat`: who does not know one may still write. */
export const COMPAT = {
	HAS_JOURNAL: 0x4,
	DIR_INDEX: 0x20,
	SPARSE_SUPER2: 0x200,
} as const;

/** `s_feature_incompat`: who does not know one must not even read. */
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

/** `s_feature_ro_compat`: who does not know one may read. */
export const RO_COMPAT = {
	SPARSE_SUPER: 0x1,
	LARGE_FILE: 0x2,
	HUGE_FILE: 0x8,
	GDT_CSUM: 0x10,
	BIGALLOC: 0x200,
	METADATA_CSUM: 0x400,
	VERITY: 0x8000,
} as const;

/** What hides the whole file system from us. */
const UNREADABLE: readonly (readonly [bit: number, name: string])[] = [
	[INCOMPAT.COMPRESSION, "compression"],
	[INCOMPAT.JOURNAL_DEV, "journal_dev (this is an external journal, not a file system)"],
	[INCOMPAT.DIRDATA, "dirdata"],
];

const KNOWN = Object.values(INCOMPAT).reduce((all, bit) => all | bit, 0);

/**
 * @param incompat `s_feature_incompat`.
 * @throws UnsupportedError that names each feature that we cannot read.
 */
export function checkIncompat(incompat: number): void {
	const names = UNREADABLE.filter(([bit]) => (incompat & bit) !== 0).map(([, name]) => name);
	const unknown = (incompat & ~KNOWN) >>> 0;
	if (unknown !== 0) names.push(`unknown incompatible features 0x${unknown.toString(16)}`);
	if (names.length > 0) throw new UnsupportedError("ext4", `ext4: cannot read a file system with ${names.join(", ")}`);
}
