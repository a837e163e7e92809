/** An image as Pis have it: MBR, a FAT32 with some files, and an ext4 that is full by so much, of files as a system has them. */
import { createHash } from "node:crypto";
import { copyFile, link, mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { must } from "../test/harness/command.ts";

const MB = 1_000_000;
const MIB = 1024 * 1024;
const SECTOR = 512;
const BOOT_START_MIB = 4;
const MOST_BOOT_MIB = 512;
const BOOT_FILES_MB = 50;
/** What small files take more than they are long, in their last blocks. */
const SLACK = 1.1;
/** Of the root: inode tables and the journal, which are in use from the start. */
const STRUCTURES = 0.05;
/** Enough for a Pi 4 to begin a boot, and for its agent to find a Python: nothing of it runs here. */
const BOOT_FILES: Readonly<Record<string, string>> = {
	"config.txt": "arm_64bit=1\n",
	"cmdline.txt": "console=serial0,115200 root=PARTUUID=1f00cafe-02 rootfstype=ext4 rootwait\n",
	"start4.elf": "firmware",
	"fixup4.dat": "firmware",
	"kernel8.img": "kernel",
	"bcm2711-rpi-4-b.dtb": "device tree",
};
const PROGRAMS = ["usr/bin/python3", "usr/lib/systemd/systemd"];
/** Where the files come from. */
const SYSTEM = "/usr";

interface SystemFile {
	readonly path: string;
	readonly size: number;
}

export interface BenchImage {
	readonly path: string;
	/** Bytes. */
	readonly size: number;
}

/**
 * Makes a sparse image.
 *
 * @param gigabytes its size, 10^9 each.
 * @param full what part of its root is in use, as `df` has it.
 */
export async function makeBenchImage(folder: string, gigabytes: number, full: number): Promise<BenchImage> {
	const path = join(folder, "image.img");
	const size = Math.floor((gigabytes * 1000 * MB) / MIB) * MIB;
	const files = await systemFiles();
	const tree = join(folder, "tree");
	const bootMiB = Math.min(MOST_BOOT_MIB, 64 + Math.ceil(gigabytes) * 64);
	const rootStart = BOOT_START_MIB + bootMiB;
	const rootMiB = size / MIB - rootStart;
	await fill(join(tree, "srv"), files, ((full - STRUCTURES) * rootMiB * MIB) / SLACK);
	await makeSystem(tree);
	await writeFile(path, "");
	await truncate(path, size);
	const table = [
		"label: dos",
		"label-id: 0x1f00cafe",
		`start=${(BOOT_START_MIB * MIB) / SECTOR}, size=${(bootMiB * MIB) / SECTOR}, type=c`,
		`start=${(rootStart * MIB) / SECTOR}, size=${(rootMiB * MIB) / SECTOR}, type=83`,
	];
	await must(["sfdisk", "-q", path], { input: `${table.join("\n")}\n` });
	const options = ["-t", "ext4", "-b", "4096", "-m", "0", "-E", `offset=${rootStart * MIB}`];
	await must(["mke2fs", "-q", "-F", ...options, "-d", tree, path, `${rootMiB}M`]);
	await makeBoot(folder, path, bootMiB, files);
	await rm(tree, { recursive: true });
	return { path, size };
}

/** In an order that mixes programs, libraries and texts, and is the same each time. */
async function systemFiles(): Promise<SystemFile[]> {
	const found = await must(["find", SYSTEM, "-xdev", "-type", "f", "-printf", "%s %p\\n"]);
	const files = found
		.trimEnd()
		.split("\n")
		.map((line) => ({ size: Number.parseInt(line, 10), path: line.slice(line.indexOf(" ") + 1) }));
	const order = new Map(files.map((file) => [file, createHash("md5").update(file.path).digest("hex")]));
	return files.toSorted((a, b) => ((order.get(a) ?? "") < (order.get(b) ?? "") ? -1 : 1));
}

/** Links files of this machine into a tree until they are so many bytes; copies them where one turn is not enough. */
async function fill(tree: string, files: readonly SystemFile[], bytes: number): Promise<void> {
	let filled = 0;
	for (let turn = 0; filled < bytes; turn++) {
		for (const { path, size } of files) {
			if (filled >= bytes) break;
			const to = join(tree, String(turn), path);
			await mkdir(dirname(to), { recursive: true });
			// A second link of the same file would take no room in the image.
			await (turn === 0 ? link(path, to).catch(() => copyFile(path, to)) : copyFile(path, to));
			filled += size;
		}
	}
}

async function makeSystem(tree: string): Promise<void> {
	for (const path of ["etc", "boot/firmware", "opt", "sbin", "var"]) await mkdir(join(tree, path), { recursive: true });
	await writeFile(join(tree, "etc/os-release"), "ID=debian\n");
	for (const path of PROGRAMS) {
		await mkdir(dirname(join(tree, path)), { recursive: true });
		await writeFile(join(tree, path), "a program", { mode: 0o755 });
	}
	await symlink("/usr/lib/systemd/systemd", join(tree, "sbin/init"));
}

async function makeBoot(folder: string, image: string, bootMiB: number, files: readonly SystemFile[]): Promise<void> {
	const part = join(folder, "boot.part");
	await must(["mkfs.vfat", "-C", "-F", "32", part, String(bootMiB * 1024)]);
	for (const [name, text] of Object.entries(BOOT_FILES)) {
		await must(["mcopy", "-i", part, "-", `::${name}`], { input: text });
	}
	let filled = 0;
	for (const [index, { path, size }] of files.entries()) {
		if (filled >= BOOT_FILES_MB * MB) break;
		if (size < 100_000 || filled + size > BOOT_FILES_MB * MB) continue;
		await must(["mcopy", "-i", part, path, `::${index}-${basename(path).replace(/[^A-Za-z0-9.]/g, "_")}`]);
		filled += size;
	}
	const seek = `seek=${BOOT_START_MIB}`;
	await must(["dd", `if=${part}`, `of=${image}`, "bs=1M", seek, "conv=notrunc,sparse", "status=none"]);
	await rm(part);
}
