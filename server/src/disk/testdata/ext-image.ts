/** ext2, ext3 and ext4 images made by the real mke2fs, and debugfs to change and question them. */
import { join } from "node:path";
import { runTool } from "./tools.ts";

export interface ExtImageOptions {
	/** As mke2fs takes it: `64M`. */
	readonly size: string;
	/** Its content becomes the root directory. */
	readonly sourceDir?: string;
	/** Default `ext4`. */
	readonly type?: "ext2" | "ext3" | "ext4";
	/** As `mke2fs -O`: `^64bit,inline_data`. */
	readonly features?: string;
	readonly blockSize?: number;
	readonly inodeSize?: number;
	readonly label?: string;
	/** Lines for `debugfs -w`, after the image was made. */
	readonly commands?: readonly string[];
	/** More arguments for mke2fs: `["-E", "lazy_itable_init=0"]`. */
	readonly extra?: readonly string[];
	/** File name in `dir`; default `root.ext4`. */
	readonly name?: string;
}

export const EXT_UUID = "11223344-5566-7788-99aa-bbccddeeff00";

/** Makes an image in `dir` and gives its path. */
export function makeExtImage(dir: string, options: ExtImageOptions): string {
	const image = join(dir, options.name ?? "root.ext4");
	runTool("mke2fs", [
		...["-q", "-F", "-t", options.type ?? "ext4", "-U", EXT_UUID, "-L", options.label ?? "rootfs"],
		...(options.features === undefined ? [] : ["-O", options.features]),
		...(options.blockSize === undefined ? [] : ["-b", String(options.blockSize)]),
		...(options.inodeSize === undefined ? [] : ["-I", String(options.inodeSize)]),
		...(options.sourceDir === undefined ? [] : ["-d", options.sourceDir]),
		...(options.extra ?? []),
		...[image, options.size],
	]);
	if (options.commands !== undefined) writeWithDebugfs(image, options.commands);
	return image;
}

/** Runs `debugfs -w` with these lines. debugfs exits with 0 whatever happens, so the caller checks what came of it. */
export function writeWithDebugfs(image: string, commands: readonly string[]): void {
	runTool("debugfs", ["-w", "-f", "-", image], `${commands.join("\n")}\n`);
}

/** What debugfs answers to one question: `stat <12>`. */
export function askDebugfs(image: string, command: string): string {
	return runTool("debugfs", ["-R", command, image]).toString("latin1");
}

/** Throws when e2fsck finds anything wrong with the image. */
export function checkExtImage(image: string): void {
	runTool("e2fsck", ["-f", "-n", image]);
}
