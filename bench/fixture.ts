/** What both servers serve: a root with one large file, many small ones and an empty folder; as a tree, and as an image. */
import { randomBytes } from "node:crypto";
import { appendFile, mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "../test/harness/command.ts";

/** Where in the root the files lie that are measured; as deep as files in a real root. */
export const BENCH_FOLDER = "usr/share/bench";
export const LARGE_FILE = "large.bin";
export const SMALL_FILES = 1000;

export interface Fixture {
	readonly folder: string;
	/** The folder that a classic server exports. */
	readonly tree: string;
	/** The folder with `bench.img`. */
	readonly images: string;
	readonly data: string;
}

const MIB = 1024 * 1024;
const SECTOR = 512;
const BOOT_START = 8192;
const BOOT_MIB = 64;

export type BootFiles = Readonly<Record<string, string | Buffer>>;

/** The folder of the fixture with the boot files, as a classic server has them. */
export const BOOT_TREE = "boot";

/** Enough for a Pi 4 to begin a boot: nothing of it runs here. */
const BOOT_FILES: BootFiles = {
	"config.txt": "arm_64bit=1\n",
	"cmdline.txt": "console=serial0,115200 root=PARTUUID=1f00cafe-02 rootfstype=ext4 rootwait\n",
	"start4.elf": "firmware",
	"fixup4.dat": "firmware",
	"kernel8.img": "kernel",
	initramfs8: "initramfs",
	"bcm2711-rpi-4-b.dtb": "device tree",
};

export interface FixtureOptions {
	/** The size of the large file. */
	readonly megabytes: number;
	/** Boot files besides those that every image has, by name; 64 MiB at most. */
	readonly bootFiles?: BootFiles;
	/** Files of the root besides those that every image has, by path. */
	readonly rootFiles?: Readonly<Record<string, string>>;
}

export async function makeFixture(options: FixtureOptions): Promise<Fixture> {
	const folder = await mkdtemp(join(tmpdir(), "netboot-bench-"));
	const fixture = { folder, tree: join(folder, "tree"), images: join(folder, "images"), data: join(folder, "data") };
	for (const path of [fixture.images, fixture.data]) await mkdir(path);
	const { megabytes, bootFiles = {}, rootFiles = {} } = options;
	await makeTree(fixture.tree, megabytes, rootFiles);
	await makeImage(fixture, megabytes, { ...BOOT_FILES, ...bootFiles });
	return fixture;
}

export async function removeFixture({ folder }: Fixture): Promise<void> {
	await rm(folder, { recursive: true, force: true });
}

async function makeTree(tree: string, megabytes: number, files: Readonly<Record<string, string>>): Promise<void> {
	const bench = join(tree, BENCH_FOLDER);
	for (const path of ["etc", "boot/firmware", "usr/lib/systemd", "sbin", "var", "root"]) {
		await mkdir(join(tree, path), { recursive: true });
	}
	for (const path of ["many", "new"]) await mkdir(join(bench, path), { recursive: true });
	await writeFile(join(tree, "etc/os-release"), "ID=debian\n");
	for (const [path, text] of Object.entries(files)) await writeFile(join(tree, path), text);
	await writeFile(join(tree, "usr/lib/systemd/systemd"), "an init system", { mode: 0o755 });
	await writeFile(join(tree, "sbin/init"), "an init system", { mode: 0o755 });
	for (let index = 0; index < megabytes; index += 16) {
		await appendFile(join(bench, LARGE_FILE), randomBytes(Math.min(16, megabytes - index) * MIB));
	}
	for (let index = 0; index < SMALL_FILES; index++) {
		await writeFile(join(bench, "many", `file${String(index).padStart(4, "0")}.txt`), `content of ${index}\n`);
	}
}

async function makeImage({ folder, tree, images }: Fixture, megabytes: number, bootFiles: BootFiles): Promise<void> {
	const image = join(images, "bench.img");
	const rootMib = megabytes + 256;
	const rootStart = BOOT_START + (BOOT_MIB * MIB) / SECTOR;
	const [boot, root] = [join(folder, "boot.part"), join(folder, "root.part")];
	await makeBoot(folder, boot, bootFiles);
	await must(["mke2fs", "-q", "-t", "ext4", "-b", "4096", "-d", tree, root, `${rootMib}M`]);
	await writeFile(image, "");
	await truncate(image, rootStart * SECTOR + rootMib * MIB);
	const bootSectors = (BOOT_MIB * MIB) / SECTOR;
	const table = [
		"label: dos",
		"label-id: 0x1f00cafe",
		`start=${BOOT_START}, size=${bootSectors}, type=c`,
		`start=${rootStart}, size=${(rootMib * MIB) / SECTOR}, type=83`,
	];
	await must(["sfdisk", "-q", image], { input: `${table.join("\n")}\n` });
	await copyInto(image, boot, BOOT_START);
	await copyInto(image, root, rootStart);
	for (const part of [boot, root]) await rm(part);
}

async function makeBoot(folder: string, part: string, content: BootFiles): Promise<void> {
	const files = join(folder, BOOT_TREE);
	await mkdir(join(files, "overlays"), { recursive: true });
	for (const [name, bytes] of Object.entries(content)) await writeFile(join(files, name), bytes);
	await must(["mkfs.vfat", "-C", "-F", "32", "-i", "1F00CAFE", part, String(BOOT_MIB * 1024)]);
	const top = [...new Set(Object.keys(content).map((name) => name.replace(/\/.*/, "")))];
	await must(["mcopy", "-s", "-i", part, ...top.map((name) => join(files, name)), "::"]);
}

function copyInto(image: string, part: string, sector: number): Promise<string> {
	const seek = `seek=${(sector * SECTOR) / MIB}`;
	return must(["dd", `if=${part}`, `of=${image}`, "bs=1M", seek, "conv=notrunc,sparse", "status=none"]);
}
