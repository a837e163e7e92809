/** Small images as a Pi boots from them, made by the real tools, for tests of this room and the library's. */
import fs from "node:fs";
import path from "node:path";
import { makeDiskImage, makeExtImage, makeFatImage } from "../../../disk/testdata/index.ts";

export interface PiImageOptions {
	/** File name in the folder; default `pi.img`. */
	readonly name?: string;
	readonly table?: "mbr" | "gpt";
	/** Files of the two volumes by path; a path that ends in `/` is a directory. */
	readonly root?: Readonly<Record<string, string>>;
	readonly boot?: Readonly<Record<string, string>>;
}

export const PI_BOOT = {
	"config.txt": "arm_64bit=1\n",
	"cmdline.txt": "root=PARTUUID=1f00cafe-02 rootwait\n",
	"kernel8.img": "kernel",
};
export const PI_ROOT = { "etc/os-release": "ID=debian\n", "sbin/init": "init", "boot/firmware/": "" };

/** Makes an image with a FAT and an ext4 partition in `folder` and gives its path. */
export function makePiImage(folder: string, options: PiImageOptions = {}): string {
	const work = fs.mkdtempSync(path.join(folder, ".make-"));
	const bootDir = fill(path.join(work, "boot"), options.boot ?? PI_BOOT);
	const rootDir = fill(path.join(work, "root"), options.root ?? PI_ROOT);
	const boot = makeFatImage(work, { sizeKiB: 4096, sourceDir: bootDir });
	const root = makeExtImage(work, { size: "8M", sourceDir: rootDir });
	const made = makeDiskImage(work, { boot, root, table: options.table ?? "mbr" });
	const image = path.join(folder, options.name ?? "pi.img");
	fs.renameSync(made, image);
	fs.rmSync(work, { recursive: true });
	return image;
}

/** Writes files below a folder and gives it. */
export function fill(folder: string, files: Readonly<Record<string, string>>): string {
	fs.mkdirSync(folder, { recursive: true });
	for (const [name, content] of Object.entries(files)) {
		const target = path.join(folder, name);
		fs.mkdirSync(name.endsWith("/") ? target : path.dirname(target), { recursive: true });
		if (!name.endsWith("/")) fs.writeFileSync(target, content);
	}
	return folder;
}
