/** An initramfs that is made on the running Pi, when it gets a new kernel. See initramfs.conf(5). */
import { nameToUtf8 } from "../../base/index.ts";
import { listDirectoryAt, type Patch, readTextAt } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { writeFile } from "./make.ts";

const FOLDER = "/etc/initramfs-tools";

/** `MODULES=dep` takes what the disk of the root needs, and a root on the network has none: it would find nothing or fail. */
export function initramfsToolsPatches({ root }: PatchInput): Patch[] {
	const more = listDirectoryAt(root, `${FOLDER}/conf.d`).map(({ name }) => `${FOLDER}/conf.d/${nameToUtf8(name)}`);
	const texts = [`${FOLDER}/initramfs.conf`, ...more].map((path) => readTextAt(root, path) ?? "");
	const last = [...texts.join("\n").matchAll(/^[ \t]*MODULES=["']?(\w+)/gm)].at(-1)?.[1];
	if (last !== "dep") return [];
	const why = "a new initramfs holds every driver, so that it finds a root on the network";
	return [writeFile(`${FOLDER}/conf.d/zz-netboot`, why, "MODULES=most\n")];
}
