/** /etc/fstab: the disk that the image came on is not there. See fstab(5). */
import type { Patch } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { editFile } from "./make.ts";

/** A wait for a disk that is not plugged in ends after this, and the boot goes on. */
const DISK_OPTIONS = "nofail,x-systemd.device-timeout=10s";

/**
 * Takes out what stops the boot: the root (mounted already, and `systemd-remount-fs` would fail on it), the boot volume
 * (part of the root as we serve it) and swap. A line for any other disk stays, but the boot no longer depends on it.
 */
export function fstabPatches({ bootMount, facts }: PatchInput): Patch[] {
	const why = "fstab names the disk of the image: root, boot volume and swap come from the network or not at all";
	const isSystemd = facts.init === "systemd";
	return [
		editFile("/etc/fstab", why, (text) => text.replace(/[^\n]+/g, (line) => fstabLine(line, bootMount, isSystemd))),
	];
}

/** Without systemd a disk that is missing is a message at boot, and BusyBox does not know these options. */
function fstabLine(line: string, bootMount: string, isSystemd: boolean): string {
	const [, indent = "", device = "", mount = "", type = "", options = ""] =
		/^(\s*)([^#\s]\S*)\s+(\S+)\s+(\S+)(?:\s+(\S+))?/.exec(line) ?? [];
	if (device === "") return line;
	const isGone =
		type === "swap" || (isLocalDisk(device) && ["/", "/boot", "/boot/firmware", bootMount].includes(mount));
	if (isGone) return `# netboot: ${line}`;
	if (!isSystemd || !isLocalDisk(device) || options.split(",").includes("nofail")) return line;
	return `${indent}${[device, mount, type, `${options || "defaults"},${DISK_OPTIONS}`, "0 0"].join(" ")}`;
}

function isLocalDisk(device: string): boolean {
	return /^(UUID|LABEL|PARTUUID|PARTLABEL)=/.test(device) || device.startsWith("/dev/");
}
