/** Which of the programs that can bring the network up are there, and which of them start at boot. */
import { type FileTree, listDirectoryAt, readTextAt, resolvePath } from "../vfs/index.ts";
import type { NetworkFacts } from "./inspect-facts.ts";
import { findUnit, isUnitEnabled } from "./inspect-systemd.ts";

export function inspectNetwork(root: FileTree): NetworkFacts {
	const exists = (path: string) => resolvePath(root, path) !== undefined;
	return {
		networkManager: isUnitEnabled(root, "NetworkManager.service"),
		networkd: isUnitEnabled(root, "systemd-networkd.service"),
		dhcpcd: isUnitEnabled(root, "dhcpcd.service"),
		ifupdown: isUnitEnabled(root, "networking.service") && ifupdownInterfaces(root).length > 0,
		networkdInstalled: findUnit(root, "systemd-networkd.service") !== undefined,
		netplan: exists("/usr/sbin/netplan") && listDirectoryAt(root, "/etc/netplan").length > 0,
		cloudInit: exists("/usr/bin/cloud-init"),
	};
}

/**
 * The interfaces that `/etc/network/interfaces` and the files beside it configure, `lo` apart. See interfaces(5); the
 * Debian file sources `interfaces.d`.
 */
export function ifupdownInterfaces(root: FileTree): string[] {
	const more = listDirectoryAt(root, "/etc/network/interfaces.d").map(
		({ name }) => `/etc/network/interfaces.d/${name}`,
	);
	const texts = ["/etc/network/interfaces", ...more].map((path) => readTextAt(root, path) ?? "");
	const names = [...texts.join("\n").matchAll(/^\s*iface\s+(\S+)/gm)].map((match) => match[1] ?? "");
	return [...new Set(names)].filter((name) => name !== "lo");
}
