/** What a person should know of a file system before a Pi boots from it. */
import { describeFeatures } from "./features.ts";
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
	return [...findings, ...describeFeatures(superblock)];
}
