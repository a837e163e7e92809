/** systemd-networkd on the interface that carries the root. See systemd.network(5). */
import { findShippedUnit } from "../../images/index.ts";
import { type FileTree, type Patch, resolvePath } from "../../vfs/index.ts";
import type { DeviceIdentity } from "./input.ts";
import { enableUnit, unitDropIn, writeFile, writeSymlink } from "./make.ts";

/** Sorts before the files of the image and of netplan; the first that matches an interface is the one that counts. */
const FILE = "/etc/systemd/network/01-netboot.network";

/** It adopts the address that the kernel or the initramfs configured, renews the lease as the same client, and keeps both. */
export function networkdPatches(root: FileTree, device: DeviceIdentity): Patch[] {
	const why = "systemd-networkd takes over the interface that carries the root, keeps its address and renews the lease";
	const text = `${match(device.mac)}
[Network]
DHCP=yes
KeepConfiguration=yes
IgnoreCarrierLoss=yes

[DHCPv4]
ClientIdentifier=mac
SendRelease=no
`;
	return [writeFile(FILE, why, text), ...waitOnlinePatches(root)];
}

/** For a root where another program has the interface: networkd must not touch it, whatever the image's files say. */
export function networkdHandsOff(device: DeviceIdentity): Patch[] {
	const why = "NetworkManager has the interface that carries the root: systemd-networkd leaves it alone";
	return [writeFile(FILE, why, `${match(device.mac)}\n[Link]\nUnmanaged=yes\n`)];
}

/** `Kind=!*` leaves out bridges and VLANs, which may carry the MAC of the interface below them. */
function match(mac: string | undefined): string {
	return `[Match]\n${mac === undefined ? "" : `MACAddress=${mac.toLowerCase()}\n`}Type=ether\nKind=!*\n`;
}

/** Any one interface will do, and the dash makes a failure count as success: the network is up, the root is on it. */
function waitOnlinePatches(root: FileTree): Patch[] {
	const program = ["/usr/lib/systemd/systemd-networkd-wait-online", "/lib/systemd/systemd-networkd-wait-online"].find(
		(path) => resolvePath(root, path) !== undefined,
	);
	if (program === undefined) return [];
	const text = `[Service]\nExecStart=\nExecStart=-${program} --any --timeout=30\n`;
	return [
		unitDropIn(
			"systemd-networkd-wait-online.service",
			"the network is up already: nothing fails or waits for long",
			text,
		),
	];
}

/** What `systemctl enable systemd-networkd` links, for a root where nothing else would renew the lease. */
export function enableNetworkdPatches(root: FileTree): Patch[] {
	const why = "nothing in the image manages the network: systemd-networkd is switched on to renew the lease";
	const targets = [
		["systemd-networkd.service", "multi-user.target"],
		["systemd-networkd.socket", "sockets.target"],
		["systemd-networkd-wait-online.service", "network-online.target"],
	] as const;
	const links = targets.flatMap(([unit, target]) => {
		const file = findShippedUnit(root, unit);
		return file === undefined ? [] : [enableUnit(unit, file, target, why)];
	});
	const service = findShippedUnit(root, "systemd-networkd.service");
	const alias = "/etc/systemd/system/dbus-org.freedesktop.network1.service";
	return service === undefined ? links : [...links, writeSymlink(alias, why, service)];
}
