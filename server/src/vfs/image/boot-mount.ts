/** Where the boot volume is mounted: what fstab says, else where this kind of system has it. */
import type { FileTree } from "../tree.ts";
import { isDirectory, readText } from "./look.ts";
import { namesVolume, type VolumeNames } from "./volume-name.ts";

/** The mount points that systems for the Pi use, the newer first. */
const KNOWN_MOUNTS = ["/boot/firmware", "/boot"];

/**
 * The directory of the root that the boot volume belongs on: absolute, and a directory in the root unless there is none of
 * those that are known.
 */
export function findBootMount(root: FileTree, boot: VolumeNames | undefined): string {
	const lines = fstabLines(readText(root, "/etc/fstab", 65_536) ?? "");
	const candidates = lines.filter((line) => line.type === "vfat" && isDirectory(root, line.mount));
	const named = boot === undefined ? undefined : candidates.find((line) => namesVolume(line.spec, boot));
	const found = named ?? candidates.find((line) => KNOWN_MOUNTS.includes(line.mount));
	return found?.mount ?? KNOWN_MOUNTS.find((mount) => isDirectory(root, mount)) ?? "/boot";
}

interface FstabLine {
	readonly spec: string;
	readonly mount: string;
	readonly type: string;
}

/** fstab(5): fields are divided by blanks and tabs; a blank inside of one is written `\040`. */
function fstabLines(text: string): FstabLine[] {
	const lines: FstabLine[] = [];
	for (const line of text.split("\n")) {
		const [spec = "", mount = "", type = ""] = line.trim().split(/[ \t]+/);
		if (spec.startsWith("#") || !/^\/boot(\/[^/.][^/]*)*\/?$/.test(mount)) continue;
		lines.push({ spec, mount: mount.replace(/\/$/, ""), type });
	}
	return lines;
}
