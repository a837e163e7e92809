/** ext2, ext3 and ext4 images made by the real mke2fs, and debugfs to change and question them. */
import { writeFileSync } from "node:fs";
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

/**
 * Adds a directory `name` whose entries all are links of one empty file, `target`, with its hash index made by e2fsck.
 * Far quicker than creating the files: mke2fs and debugfs look through a whole directory for each name that they add.
 */
export function addHashedDirectory(image: string, dir: string, name: string, names: readonly string[]): void {
	const blockSize = Number(/^Block size: +(\d+)/m.exec(askDebugfs(image, "stats"))?.[1]);
	const empty = join(dir, "empty-file");
	const raw = join(dir, "raw-directory");
	writeFileSync(empty, "");
	writeWithDebugfs(image, [`write ${empty} target`]);
	const target = Number(/Inode: +(\d+)/.exec(askDebugfs(image, "stat target"))?.[1]);
	writeFileSync(raw, directoryBlocks(blockSize, target, names));
	writeWithDebugfs(image, [`write ${raw} ${name}`, `sif ${name} mode 040755`, `sif ${name} links_count 2`]);
	// 1: "file system errors corrected": missing `.` and `..`, link counts, checksums, and the index is made.
	runTool("e2fsck", ["-f", "-y", "-D", image], undefined, [0, 1]);
	checkExtImage(image);
}

function directoryBlocks(blockSize: number, ino: number, names: readonly string[]): Buffer {
	const blocks: Buffer[] = [];
	let used = blockSize;
	let last = 0;
	for (const name of ["placeholder-1", "placeholder-2", ...names]) {
		const length = (8 + name.length + 3) & ~3;
		// 12 bytes stay free for the checksum.
		if (used + length > blockSize - 12) {
			blocks.push(Buffer.alloc(blockSize));
			used = 0;
		}
		const block = blocks.at(-1) ?? Buffer.alloc(0);
		last = used;
		block.writeUInt32LE(ino, last);
		block.writeUInt16LE(blockSize - last, last + 4);
		block.writeUInt8(name.length, last + 6);
		block.writeUInt8(1, last + 7);
		block.write(name, last + 8, "latin1");
		if (last > 0) shrinkEntryBefore(block, last);
		used = last + length;
	}
	return Buffer.concat(blocks);
}

/** Only the last entry of a block reaches to its end. */
function shrinkEntryBefore(block: Buffer, at: number): void {
	let before = 0;
	for (let next = 0; next < at; next = before + ((8 + block.readUInt8(before + 6) + 3) & ~3)) before = next;
	block.writeUInt16LE(at - before, before + 4);
}

/** Replays the journal on the disk, as a mount would: the truth about a replay in memory. */
export function replayOnDisk(image: string): void {
	runTool("e2fsck", ["-y", "-E", "journal_only", image], undefined, [0, 1]);
}
