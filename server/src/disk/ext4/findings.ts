/** What a person should know of a file system before a Pi boots from it. */
import { INCOMPAT, RO_COMPAT } from "./features.ts";
import type { ExtVolume } from "./volume.ts";

const EXT4_ERROR_FS = 0x2;

/** One sentence per unusual thing. */
export function describe(volume: ExtVolume): string[] {
	const { superblock, source, blockSize } = volume;
	const findings: string[] = [];
	const needed = superblock.blocksCount * blockSize;
	if (needed > source.size) {
		findings.push(`the root file system has ${needed} bytes, only ${source.size} are there: the image is cut off`);
	}
	if (superblock.state & EXT4_ERROR_FS) findings.push("the root file system is marked as damaged (run e2fsck)");
	if (superblock.incompat & INCOMPAT.ENCRYPT) {
		findings.push("the root file system may have encrypted files (fscrypt), which cannot be read");
	}
	if (superblock.incompat & INCOMPAT.CASEFOLD) {
		findings.push("the root file system has case-insensitive directories (casefold); names must match exactly here");
	}
	if (superblock.roCompat & RO_COMPAT.VERITY) {
		findings.push("the root file system has files with fs-verity, which are read without that check");
	}
	return findings;
}
