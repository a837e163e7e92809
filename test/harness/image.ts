/** Small disk images with whatever a test wants in them: MBR, a FAT volume for the firmware, an ext4 root. No root, no mount. */
import { mkdir, mkdtemp, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "./command.ts";

export interface ImageParts {
	/** The folder whose content becomes the root; everything in it belongs to root then. */
	readonly root: string;
	/** Mebibytes of the root's partition, 32 if not given. */
	readonly rootMiB?: number;
	/** Further files for the boot volume, by name. */
	readonly boot?: Readonly<Record<string, string>>;
	/** The id of the disk, 8 hex digits. */
	readonly diskId?: string;
	/** How old the file looks, in minutes; 60 if not given: the server waits until a new file has settled. */
	readonly age?: number;
}

/** Makes a folder that can become a root: what every one has, and these files in `/etc`, by name. */
export async function makeRoot(folder: string, etc: Readonly<Record<string, string>> = {}): Promise<void> {
	await mkdir(join(folder, "etc"), { recursive: true });
	await mkdir(join(folder, "boot/firmware"), { recursive: true });
	for (const [name, text] of Object.entries({ "os-release": "ID=test\n", ...etc })) {
		await writeFile(join(folder, "etc", name), text);
	}
}

const SECTOR = 512;
const BOOT_START = 8192;
const BOOT_MIB = 16;

/** What every boot volume has: what the firmware is told, and what the kernel is. */
const BOOT_FILES = {
	"config.txt": "arm_64bit=1\nkernel=kernel8.img\n",
	"cmdline.txt": "console=serial0,115200 root=PARTUUID=00000000-02 rootfstype=ext4 rootwait\n",
	"kernel8.img": "not a kernel, but of its name\n",
};

function sectors(mebibytes: number): number {
	return (mebibytes * 1024 * 1024) / SECTOR;
}

async function fillBoot(path: string, files: Readonly<Record<string, string>>): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), "boot-"));
	const volume = `${path}@@${BOOT_START * SECTOR}`;
	try {
		await must(["mkfs.vfat", "-n", "BOOTFS", "--offset", String(BOOT_START), path, String(BOOT_MIB * 1024)], SBIN);
		for (const [name, text] of Object.entries(files)) {
			await writeFile(join(folder, name), text);
			await must(["mcopy", "-i", volume, join(folder, name), `::${name}`]);
		}
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

const SBIN = { environment: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } };

/** Makes an image file; one that is there is replaced. */
export async function makeImage(path: string, parts: ImageParts): Promise<void> {
	const rootMiB = parts.rootMiB ?? 32;
	const rootStart = BOOT_START + sectors(BOOT_MIB);
	await rm(path, { force: true });
	await writeFile(path, "");
	await truncate(path, (rootStart + sectors(rootMiB)) * SECTOR);
	const table = [
		"label: dos",
		`label-id: 0x${parts.diskId ?? "1f00cafe"}`,
		`start=${BOOT_START}, size=${sectors(BOOT_MIB)}, type=c`,
		`start=${rootStart}, size=${sectors(rootMiB)}, type=83`,
	];
	await must(["sfdisk", "-q", path], { input: `${table.join("\n")}\n`, ...SBIN });
	await fillBoot(path, { ...BOOT_FILES, ...parts.boot });
	const options = `root_owner=0:0,offset=${rootStart * SECTOR}`;
	await must(["mke2fs", "-q", "-F", "-t", "ext4", "-E", options, "-d", parts.root, path, `${rootMiB}M`], SBIN);
	const time = new Date(Date.now() - (parts.age ?? 60) * 60_000);
	await utimes(path, time, time);
}
