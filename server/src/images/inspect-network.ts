/** Which of the programs that can bring the network up are there, and which of them start at boot. */
import { nameToUtf8 } from "../base/index.ts";
import { type FileTree, listDirectoryAt, readTextAt, resolvePath } from "../vfs/index.ts";
import type { ImageFacts, NetworkFacts } from "./inspect-facts.ts";
import { findUnit, isUnitEnabled } from "./inspect-systemd.ts";

export function inspectNetwork(root: FileTree, init: ImageFacts["init"]): NetworkFacts {
	const exists = (path: string) => resolvePath(root, path) !== undefined;
	const starts = (service: string) =>
		init === "systemd" ? isUnitEnabled(root, `${service}.service`) : hasInitScript(root, service);
	return {
		networkManager: starts("NetworkManager"),
		networkd: starts("systemd-networkd"),
		dhcpcd: starts("dhcpcd"),
		// networking is Debian's and OpenRC's name, network is Buildroot's.
		ifupdown: (starts("networking") || starts("network")) && ifupdownInterfaces(root).length > 0,
		udhcpc: exists("/sbin/udhcpc") || exists("/usr/sbin/udhcpc") || exists("/usr/bin/udhcpc"),
		networkdInstalled: findUnit(root, "systemd-networkd.service") !== undefined,
		netplan: exists("/usr/sbin/netplan") && listDirectoryAt(root, "/etc/netplan").length > 0,
		cloudInit: exists("/usr/bin/cloud-init"),
	};
}

/** Without systemd: a numbered script of BusyBox's or System V's init (`S40network`), or a link in a runlevel of OpenRC. */
function hasInitScript(root: FileTree, service: string): boolean {
	const numbered = new RegExp(`^S\\d\\d${service}$`);
	const folders = ["/etc/init.d", "/etc/rc2.d", "/etc/rc5.d", "/etc/rcS.d"];
	if (folders.some((folder) => listDirectoryAt(root, folder).some(({ name }) => numbered.test(nameToUtf8(name))))) {
		return true;
	}
	const runlevels = listDirectoryAt(root, "/etc/runlevels").map(({ name }) => `/etc/runlevels/${nameToUtf8(name)}`);
	return runlevels.some((level) => resolvePath(root, `${level}/${service}`, { followLast: false }) !== undefined);
}

/**
 * The interfaces that `/etc/network/interfaces` and the files beside it configure, `lo` apart. See interfaces(5); the
 * Debian file sources `interfaces.d`.
 */
export function ifupdownInterfaces(root: FileTree): string[] {
	const texts = ifupdownFiles(root).map((path) => readTextAt(root, path) ?? "");
	const names = [...texts.join("\n").matchAll(/^[ \t]*iface[ \t]+(\S+)/gm)].map((match) => match[1] ?? "");
	return [...new Set(names)].filter((name) => name !== "lo");
}

/** The files that they are read from. */
export function ifupdownFiles(root: FileTree): string[] {
	const more = listDirectoryAt(root, "/etc/network/interfaces.d").map(
		({ name }) => `/etc/network/interfaces.d/${nameToUtf8(name)}`,
	);
	return ["/etc/network/interfaces", ...more];
}

/** The DHCP client that `ifup` takes where there are several, or undefined when there is none. */
export function ifupdownClient(root: FileTree): "dhcpcd" | "dhclient" | "udhcpc" | undefined {
	const clients = ["dhcpcd", "dhclient", "udhcpc"] as const;
	const folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
	return clients.find((name) => folders.some((folder) => resolvePath(root, `${folder}/${name}`) !== undefined));
}
