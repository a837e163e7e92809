/** What the host's disk has. */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";

export interface HostSpace {
	/** Bytes. */
	readonly total: number;
	readonly free: number;
	/** What one who is not root may still use. */
	readonly available: number;
}

/** The file system that holds this file, which need not exist. */
export function hostSpace(path: string): HostSpace {
	const { bsize, blocks, bfree, bavail } = statfsSync(dirname(path));
	return { total: blocks * bsize, free: bfree * bsize, available: bavail * bsize };
}
