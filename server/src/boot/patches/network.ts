/**
 * The interface that carries the root. The kernel or the initramfs gave it its address; from then on some program in the
 * image must renew the lease, as the same DHCP client, and never remove the address in between.
 */
import { type Patch, resolvePath } from "../../vfs/index.ts";
import { dhcpcdPatches } from "./dhcpcd.ts";
import { ifupdownPatches } from "./ifupdown.ts";
import type { PatchInput } from "./input.ts";
import { networkManagerPatches } from "./network-manager.ts";
import { enableNetworkdPatches, networkdHandsOff, networkdPatches } from "./networkd.ts";

export function networkPatches({ root, facts, device }: PatchInput): Patch[] {
	const { network } = facts;
	const patches = network.ifupdown ? ifupdownPatches(root) : [];
	// ifupdown may have either DHCP client; where this one is there, it is the one that ifup takes.
	const hasDhcpcd = network.dhcpcd || (network.ifupdown && resolvePath(root, "/usr/sbin/dhcpcd") !== undefined);
	if (hasDhcpcd) patches.push(...dhcpcdPatches());
	if (network.networkManager) {
		return [...patches, ...networkManagerPatches(device), ...(network.networkd ? networkdHandsOff(device) : [])];
	}
	if (network.networkd) return [...patches, ...networkdPatches(root, device)];
	if (patches.length > 0 || !network.networkdInstalled) return patches;
	return [...networkdPatches(root, device), ...enableNetworkdPatches(root)];
}
