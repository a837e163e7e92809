/** Putting on the disk what would otherwise be lost in a power cut. A name is only there with the directory that it is in: fsync(2). */
import { closeSync, fsyncSync, openSync } from "node:fs";
import { open } from "node:fs/promises";

/** Syncs a file or a directory. @throws the operating system's error. */
export async function syncPath(path: string): Promise<void> {
	const handle = await open(path, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

/** The same where nothing may come between. */
export function syncPathNow(path: string): void {
	const fd = openSync(path, "r");
	try {
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}
