/** Swap: a swap file on an NFS root would need the network in order to free the memory that the network needs. */
import { hasUnit, unitsOfType } from "../../images/index.ts";
import { type Patch, resolvePath } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { maskUnit, writeFile } from "./make.ts";

const GENERATOR = "/usr/lib/systemd/system-generators/rpi-swap-generator";

export function swapPatches({ root }: PatchInput): Patch[] {
	const patches: Patch[] = [];
	if (hasUnit(root, "dphys-swapfile.service")) {
		patches.push(maskUnit("dphys-swapfile.service", "a swap file cannot lie on a root that comes over the network"));
	}
	for (const unit of unitsOfType(root, ".swap").filter((name) => !name.startsWith("dev-zram"))) {
		patches.push(maskUnit(unit, "swap lies on a disk, or in a file on a root that comes over the network"));
	}
	if (resolvePath(root, GENERATOR) !== undefined || resolvePath(root, "/etc/rpi/swap.conf") !== undefined) {
		const why = "rpi-swap keeps its compressed swap in memory, and makes no file";
		patches.push(writeFile("/etc/rpi/swap.conf.d/90-netboot.conf", why, "[Main]\nMechanism=zram\n"));
	}
	return patches;
}
