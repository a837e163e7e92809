/** FAT images made by the real mkfs.fat, filled by mtools. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "./tools.ts";

export interface FatImageOptions {
	/** KiB. */
	readonly sizeKiB: number;
	/** Its content is copied into the root directory. */
	readonly sourceDir?: string;
	/** Default: what mkfs.fat takes for the size. */
	readonly bits?: 12 | 16 | 32;
	readonly sectorsPerCluster?: number;
	readonly label?: string;
	/** More arguments for mkfs.fat. */
	readonly extra?: readonly string[];
	/** File name in `dir`; default `boot.fat`. */
	readonly name?: string;
}

export const FAT_SERIAL = "cafe1234";

/** Makes an image in `dir` and gives its path. */
export function makeFatImage(dir: string, options: FatImageOptions): string {
	const image = join(dir, options.name ?? "boot.fat");
	rmSync(image, { force: true });
	runTool("mkfs.fat", [
		...["-C", "-i", FAT_SERIAL, "-n", options.label ?? "BOOTFS"],
		...(options.bits === undefined ? [] : ["-F", String(options.bits)]),
		...(options.sectorsPerCluster === undefined ? [] : ["-s", String(options.sectorsPerCluster)]),
		...(options.extra ?? []),
		...[image, String(options.sizeKiB)],
	]);
	if (options.sourceDir !== undefined) copyIntoFat(image, options.sourceDir);
	return image;
}

/** Copies what is in a directory to the root of the image, with times. */
export function copyIntoFat(image: string, sourceDir: string): void {
	const paths = readdirSync(sourceDir).map((name) => join(sourceDir, name));
	if (paths.length > 0) runTool("mcopy", ["-s", "-m", "-Q", "-o", "-i", image, ...paths, "::"]);
}
