/**
 * The interface that carries the root. The kernel or the initramfs gave it its address; from then on some program in the
 * image must renew the lease, as the same DHCP client, and never remove the address in between.
 */
import { ifupdownClient } from "../../images/index.ts";
import type { Patch } from "../../vfs/index.ts";
import { dhclientPatches } from "./dhclient.ts";
import { dhcpcdPatches } from "./dhcpcd.ts";
import { ifupdownPatches } from "./ifupdown.ts";
import { inittabPatches } from "./inittab.ts";
import type { PatchInput } from "./input.ts";
import { leaseKeeperPatches, leaseUnitPatches, rootInterfacePatches } from "./lease-keeper.ts";
import { networkManagerPatches } from "./network-manager.ts";
import { enableNetworkdPatches, networkdHandsOff, networkdPatches } from "./networkd.ts";

/** Where systemd starts the rest. */
export function networkPatches(input: PatchInput): Patch[] {
	const { root, facts, device } = input;
	const { network } = facts;
	const patches = network.ifupdown ? ifupdownClientPatches(input) : [];
	if (network.dhcpcd) patches.push(...dhcpcdPatches());
	if (network.networkManager) {
		return [...patches, ...networkManagerPatches(device), ...(network.networkd ? networkdHandsOff(device) : [])];
	}
	if (network.networkd) return [...patches, ...networkdPatches(root, device)];
	if (patches.length > 0) return patches;
	if (network.networkdInstalled) return [...networkdPatches(root, device), ...enableNetworkdPatches(root)];
	return network.udhcpc ? [...leaseKeeperPatches(root, device), ...leaseUnitPatches()] : [];
}

/** `ifup` takes whichever DHCP client it finds. Those that networkd or NetworkManager replace do no harm. */
function ifupdownClientPatches({ root, facts, device }: PatchInput): Patch[] {
	const client = ifupdownClient(root);
	const { networkManager, networkd, dhcpcd } = facts.network;
	const stops = ifupdownPatches(root);
	if (client === "dhclient") return [...stops, ...dhclientPatches(device)];
	if (client === "dhcpcd") return dhcpcd ? stops : [...stops, ...dhcpcdPatches()];
	if (client === "udhcpc" && !networkManager && !networkd) {
		return [...stops, ...leaseKeeperPatches(root, device), ...leaseUnitPatches()];
	}
	return stops;
}

/** Where an inittab starts the rest: BusyBox, OpenRC, System V. */
export function inittabNetworkPatches(input: PatchInput): Patch[] {
	const { root, facts, device } = input;
	const { dhcpcd, ifupdown, udhcpc } = facts.network;
	const client = ifupdown ? ifupdownClient(root) : undefined;
	if (dhcpcd) return [...dhcpcdPatches(), ...rootInterfacePatches(root), ...inittabPatches(input, false)];
	if (udhcpc) return [...leaseKeeperPatches(root, device), ...inittabPatches(input, true)];
	if (client === "dhclient") return [...dhclientPatches(device), ...inittabPatches(input, false)];
	return [...(client === "dhcpcd" ? dhcpcdPatches() : []), ...inittabPatches(input, false)];
}
