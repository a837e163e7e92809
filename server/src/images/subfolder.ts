/**
 * What a folder in the images folder is: a root file system, what Buildroot left, one image, several, or nothing of that. Of one
 * image the folder's name is its name.
 */
import fs from "node:fs";
import path from "node:path";
import { systemCode } from "../base/index.ts";
import { type FileStamp, stampOf } from "../vfs/index.ts";
import { type FolderContent, type FoundFile, isImageName, lookAt, namesIn, statsOf } from "./found.ts";
import type { ImageFinding } from "./inspect-facts.ts";

/** What Buildroot and its kind put into one folder, the better one first. */
const WHOLE_DISK = /^sdcard\.img(\.(xz|gz|zst))?$/;
const BOOT_VOLUME = /^boot\.(vfat|fat)(\.(xz|gz|zst))?$/;
const ROOT_VOLUMES = [/^rootfs\.ext[234](\.(xz|gz|zst))?$/, /^rootfs\.(tar(\.(xz|gz|zst))?|tgz|txz)$/];

/** Names beside `rootfs` under which its boot files lie, as servers of TFTP have them. */
const BOOT_FOLDERS = ["tftp", "tftpboot", "boot", "bootfs", "firmware"];

/** What the firmware of a Pi begins with. */
const FIRMWARE = /^(config\.txt|bootcode\.bin|start.*\.elf|kernel.*\.img)$/i;

const SYSTEM_FOLDERS = ["usr", "bin", "sbin", "lib"];

/** @param names what is in the folder. @param own folders of the server: no directory around them is an image. */
export async function findInSubfolder(
	place: string,
	names: readonly string[],
	own: readonly string[],
): Promise<FoundFile[]> {
	const root = await findRoot(place, names);
	if (root !== undefined) return await asFolder(place, (await surrounds(place, own)) ? surrounding() : root);
	const disk = await firstFile(place, names, WHOLE_DISK);
	if (disk !== undefined) return [asOnly(place, disk)];
	const boot = await firstFile(place, names, BOOT_VOLUME);
	const volume = await firstFile(place, names, ...ROOT_VOLUMES);
	if (boot !== undefined && volume !== undefined) {
		return await asFolder(place, { kind: "volumes", root: volume, boot }, [volume.stamp, boot.stamp]);
	}
	if (volume !== undefined) return [asOnly(place, volume)];
	const images = await Promise.all(names.filter(isImageName).map((name) => lookAt(path.join(place, name))));
	const found = images.filter((image) => image !== undefined);
	const [first] = found;
	if (first !== undefined && found.length === 1) return [asOnly(place, first)];
	if (found.length > 0) return found.map((image) => ({ ...image, name: `${path.basename(place)}/${image.name}` }));
	const finding = whyNot(names);
	return finding === undefined ? [] : await asFolder(place, { kind: "unusable", finding });
}

/** A root file system in the folder itself, or in `rootfs` with its boot files beside it. */
async function findRoot(place: string, names: readonly string[]): Promise<FolderContent | undefined> {
	if (await isRoot(place, names)) return { kind: "directory", root: place };
	if (!names.includes("rootfs")) return undefined;
	const root = path.join(place, "rootfs");
	if (!(await isRoot(root, await namesIn(root)))) return undefined;
	for (const name of BOOT_FOLDERS.filter((each) => names.includes(each))) {
		const boot = path.join(place, name);
		if ((await namesIn(boot)).some((file) => FIRMWARE.test(file))) return { kind: "directory", root, boot };
	}
	return { kind: "directory", root };
}

async function isRoot(place: string, names: readonly string[]): Promise<boolean> {
	if (!names.includes("etc") || !SYSTEM_FOLDERS.some((name) => names.includes(name))) return false;
	return (await statsOf(path.join(place, "etc")))?.isDirectory() === true;
}

/** Whether one of the server's folders is in it: then it is a part of this machine and no system for a Pi. */
export async function surrounds(place: string, own: readonly string[]): Promise<boolean> {
	const real = await realPath(place);
	for (const folder of own) {
		const inside = path.relative(real, await realPath(folder));
		if (inside === "" || (inside.split(path.sep)[0] !== ".." && !path.isAbsolute(inside))) return true;
	}
	return false;
}

async function realPath(place: string): Promise<string> {
	try {
		return await fs.promises.realpath(place);
	} catch (error) {
		if (systemCode(error) === undefined) throw error;
		return path.resolve(place);
	}
}

async function firstFile(place: string, names: readonly string[], ...patterns: readonly RegExp[]) {
	for (const pattern of patterns) {
		for (const name of names
			.filter((each) => pattern.test(each))
			.sort()
			.reverse()) {
			const file = await lookAt(path.join(place, name));
			if (file !== undefined) return file;
		}
	}
	return undefined;
}

function asOnly(place: string, file: FoundFile): FoundFile {
	return { ...file, place, name: path.basename(place) };
}

async function asFolder(place: string, content: FolderContent, parts: readonly FileStamp[] = []): Promise<FoundFile[]> {
	const stats = await statsOf(place);
	if (stats === undefined) return [];
	const stamp = parts.length === 0 ? { ...stampOf(stats), size: 0 } : joined(stampOf(stats), parts);
	return [{ path: place, place, name: path.basename(place), stamp, content }];
}

/** The number is the folder's, which stays when its files are made anew. */
function joined({ dev, ino }: FileStamp, parts: readonly FileStamp[]): FileStamp {
	const newest = (times: readonly bigint[]) => times.reduce((a, b) => (a > b ? a : b));
	return {
		dev,
		ino,
		size: parts.reduce((sum, { size }) => sum + size, 0),
		mtimeNs: newest(parts.map(({ mtimeNs }) => mtimeNs)),
		ctimeNs: newest(parts.map(({ ctimeNs }) => ctimeNs)),
		parts,
	};
}

/** What a person may have meant; undefined for a folder that is not about images. */
function whyNot(names: readonly string[]): ImageFinding | undefined {
	if (names.some((name) => BOOT_VOLUME.test(name))) {
		return unusable(
			"There is a boot volume in it, but no root file system.",
			"Put rootfs.ext4 or rootfs.tar beside it, or the sdcard.img of the same build.",
		);
	}
	if (SYSTEM_FOLDERS.filter((name) => names.includes(name)).length > 1) {
		return unusable(
			"It is no root file system: there is no etc in it.",
			"Copy the whole of it as root: cp -a ROOT/. FOLDER/",
		);
	}
	if (names.filter((name) => FIRMWARE.test(name)).length > 1) {
		return unusable(
			"These are the boot files of a system without its root file system.",
			"Put them into a folder `boot`, and the root file system into a folder `rootfs` beside it.",
		);
	}
	return undefined;
}

function surrounding(): FolderContent {
	const finding = unusable(
		"It holds folders of this server: it is a part of this machine, and no system for a Pi.",
		"Copy the system that Pis shall boot into a folder of its own.",
	);
	return { kind: "unusable", finding };
}

function unusable(message: string, fix: string): ImageFinding {
	return { code: "image-no-root", severity: "error", message, fix };
}
