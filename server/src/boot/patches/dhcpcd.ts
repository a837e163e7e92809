/** dhcpcd on the interface that carries the root. See dhcpcd.conf(5). */
import type { Patch } from "../../vfs/index.ts";
import { editOrAddFile } from "./make.ts";

/** The client id of the firmware and the kernel is the MAC; the address stays when dhcpcd stops. */
const SETTINGS = "# netboot: the same lease as the firmware's, and kept\nclientid\npersistent\n\n";

export function dhcpcdPatches(): Patch[] {
	const why = "dhcpcd keeps the address that the root is reached with, and renews that lease";
	return [editOrAddFile("/etc/dhcpcd.conf", why, withSettings)];
}

/** Ours come first, because what follows an `interface` line holds for that interface only. */
function withSettings(text: string): string {
	return SETTINGS + text.replace(/^[ \t]*(duid|clientid|release|persistent)\b.*$/gm, "# netboot: $&");
}
