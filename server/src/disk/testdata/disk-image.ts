/** Whole disks as the images of a Pi have them: a boot partition and a root partition, under a table made by sfdisk. */
import { statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "./tools.ts";

const MIB = 1024 * 1024;

export interface DiskImageOptions {
	/** Path of the FAT image that becomes partition 1. */
	readonly boot: string;
	/** Path of the file-system image that becomes partition 2. */
	readonly root: string;
	readonly table: "mbr" | "gpt";
	/** The MBR's disk identifier, 8 hex digits; default `1f00cafe`. */
	readonly diskId?: string;
	/** File name in `dir`; default `disk.img`. */
	readonly name?: string;
}

/** Makes a disk in `dir` and gives its path. Partition 1 begins at 1 MiB, partition 2 on the MiB behind it. */
export function makeDiskImage(dir: string, options: DiskImageOptions): string {
	const image = join(dir, options.name ?? "disk.img");
	const bootMiB = Math.ceil(statSync(options.boot).size / MIB);
	const rootMiB = Math.ceil(statSync(options.root).size / MIB);
	writeFileSync(image, "");
	truncateSync(image, (2 + bootMiB + rootMiB) * MIB);
	runTool("sfdisk", ["-q", image], script(options, bootMiB, rootMiB));
	place(options.boot, image, 1);
	place(options.root, image, 1 + bootMiB);
	return image;
}

function script(options: DiskImageOptions, bootMiB: number, rootMiB: number): string {
	const mbr = options.table === "mbr";
	return [
		`label: ${mbr ? "dos" : "gpt"}`,
		...(mbr ? [`label-id: 0x${options.diskId ?? "1f00cafe"}`] : ["label-id: 12345678-9abc-def0-1234-56789abcdef0"]),
		`start=1MiB, size=${bootMiB}MiB, type=${mbr ? "c, bootable" : "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, uuid=12345678-9ABC-DEF0-1234-000000000001, name=bootfs"}`,
		`start=${1 + bootMiB}MiB, size=${rootMiB}MiB, type=${mbr ? "83" : "0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=12345678-9ABC-DEF0-1234-000000000002, name=rootfs"}`,
		"",
	].join("\n");
}

function place(part: string, image: string, atMiB: number): void {
	runTool("dd", [`if=${part}`, `of=${image}`, "bs=1M", `seek=${atMiB}`, "conv=notrunc,sparse", "status=none"]);
}
