/** What the files of a layer take on the host's disk. */
import { stat } from "node:fs/promises";
import { systemCode } from "../../base/index.ts";
import { LAYER_FILES } from "./layer-files.ts";

/** Bytes on the disk, of a layer or of a copy, open or not; blocks that a copy shares with its original count for both. */
export async function layerBytes(path: string): Promise<number> {
	const sizes = await Promise.all(LAYER_FILES.map((end) => diskBytes(path + end)));
	return sizes.reduce((sum, size) => sum + size, 0);
}

async function diskBytes(path: string): Promise<number> {
	try {
		// stat(2): st_blocks counts units of 512 bytes, whatever the file system's own are.
		return (await stat(path)).blocks * 512;
	} catch (error) {
		if (systemCode(error) === "ENOENT") return 0;
		throw error;
	}
}
