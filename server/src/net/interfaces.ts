/** The network interfaces of this machine, and which of them to serve. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { type Clock, errorText, type Logger, type Timer } from "../base/index.ts";
import { inSameSubnet, isIpv4, isLoopback } from "../wire/dhcp/index.ts";

/** `virtual` are bridges, tunnels, containers' interfaces: no cable and no antenna of their own. */
export type InterfaceKind = "wired" | "wireless" | "virtual" | "loopback";

export interface InterfaceAddress {
	readonly address: string;
	readonly netmask: string;
}

export interface NetworkInterface {
	readonly name: string;
	readonly mac: string;
	readonly kind: InterfaceKind;
	/** IPv4 only. */
	readonly addresses: readonly InterfaceAddress[];
	/** True for the interface by which the internet is reached. */
	readonly hasDefaultRoute: boolean;
}

/** Where the facts come from; tests bring their own. */
export interface InterfaceSource {
	readonly platform: string;
	addresses(): ReturnType<typeof networkInterfaces>;
	/** The text of a file, or undefined when it is not there. */
	read(path: string): Promise<string | undefined>;
	/** The names in a directory; empty when it is not there. */
	list(path: string): Promise<readonly string[]>;
	/** What a program prints; empty when it fails. */
	run(program: string, args: readonly string[]): Promise<string>;
}

/** What is there. That something is not there is an answer here: sysfs has files for what a device has. */
export const systemSource: InterfaceSource = {
	platform: process.platform,
	addresses: networkInterfaces,
	read: (path) => readFile(path, "utf8").catch(() => undefined),
	list: (path) => readdir(path).catch(() => []),
	run: (program, args) =>
		promisify(execFile)(program, [...args], { timeout: 5000 }).then(
			(result) => result.stdout,
			() => "",
		),
};

/** Lists the interfaces that are up and have an address. */
export async function listInterfaces(source: InterfaceSource = systemSource): Promise<NetworkInterface[]> {
	const defaultRoute = await defaultRouteInterface(source);
	const found: NetworkInterface[] = [];
	for (const [name, all] of Object.entries(source.addresses())) {
		const ipv4 = (all ?? []).filter((entry) => entry.family === "IPv4");
		const [first] = ipv4;
		if (first === undefined) continue;
		found.push({
			name,
			mac: first.mac,
			kind: first.internal ? "loopback" : await kindOf(name, source),
			addresses: ipv4.map(({ address, netmask }) => ({ address, netmask })),
			hasDefaultRoute: name === defaultRoute,
		});
	}
	return found;
}

async function kindOf(name: string, source: InterfaceSource): Promise<InterfaceKind> {
	if (source.platform !== "linux") return kindOnMac(name, source);
	const entries = await source.list(`/sys/class/net/${name}`);
	if (entries.includes("wireless") || entries.includes("phy80211")) return "wireless";
	// Hardware has a link to its device. The type is that of ARP: 1 is Ethernet.
	const type = (await source.read(`/sys/class/net/${name}/type`))?.trim();
	return entries.includes("device") && type === "1" ? "wired" : "virtual";
}

/** `networksetup` tells the hardware port of each device: "Wi-Fi", "Ethernet", "USB 10/100/1000 LAN". */
async function kindOnMac(name: string, source: InterfaceSource): Promise<InterfaceKind> {
	const ports = await source.run("networksetup", ["-listallhardwareports"]);
	const block = ports.split(/\n\n+/).find((text) => text.split("\n").includes(`Device: ${name}`));
	const port = /^Hardware Port: (.*)$/m.exec(block ?? "")?.[1];
	if (port === undefined) return "virtual";
	return /wi-?fi|airport/i.test(port) ? "wireless" : "wired";
}

async function defaultRouteInterface(source: InterfaceSource): Promise<string | undefined> {
	if (source.platform === "linux") return defaultRouteOf((await source.read("/proc/net/route")) ?? "");
	const text = await source.run("route", ["-n", "get", "default"]);
	return /^\s*interface:\s*(\S+)/m.exec(text)?.[1];
}

/**
 * The interface of the default route with the lowest metric in `/proc/net/route`, whose columns are
 * Iface Destination Gateway Flags RefCnt Use Metric Mask.
 */
export function defaultRouteOf(table: string): string | undefined {
	return defaultRoutes(table)[0]?.[0];
}

/** Their columns, the best route first. */
function defaultRoutes(table: string): string[][] {
	const routes = table
		.split("\n")
		.slice(1)
		.map((line) => line.trim().split(/\s+/));
	return routes
		.filter(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")
		.sort((a, b) => Number(a[6]) - Number(b[6]));
}

/** The router of the default route, as an IPv4 address. */
export async function defaultGateway(source: InterfaceSource = systemSource): Promise<string | undefined> {
	if (source.platform !== "linux") {
		const text = await source.run("route", ["-n", "get", "default"]);
		return /^\s*gateway:\s*([\d.]+)\s*$/m.exec(text)?.[1];
	}
	const gateway = defaultRoutes((await source.read("/proc/net/route")) ?? "")[0]?.[2] ?? "";
	// The kernel prints the address as a number in the byte order of the machine, which is little endian wherever we run.
	const bytes = /^[0-9A-F]{8}$/i.test(gateway) ? Buffer.from(gateway, "hex").reverse() : Buffer.alloc(4);
	return bytes.readUInt32BE(0) === 0 ? undefined : bytes.join(".");
}

/** Every interface that there is, also those that are down or have no address. */
export async function interfaceNames(source: InterfaceSource = systemSource): Promise<readonly string[]> {
	if (source.platform === "linux") return source.list("/sys/class/net");
	return (await source.run("ifconfig", ["-l"])).trim().split(/\s+/);
}

/** What the user asked for, if anything. */
export interface InterfaceWish {
	readonly interface?: string | undefined;
	readonly serverIp?: string | undefined;
	/** DHCP servers that answered: of the addresses of an interface, the one in a subnet with such a server is served. */
	readonly dhcpServers?: readonly string[] | undefined;
}

/** An interface to serve, and the address to serve it from. */
export interface ServedInterface {
	readonly interface: NetworkInterface;
	/** What Pis there are told. */
	readonly address: string;
}

/**
 * Chooses what to serve: what was asked for; otherwise the interface of the default route first, and every wired one: a
 * laptop on Wi-Fi with the Pi on its cable is common. On a machine without any of these, whatever has an address.
 */
export function chooseInterfaces(all: readonly NetworkInterface[], wish: InterfaceWish = {}): ServedInterface[] {
	const { serverIp } = wish;
	const asked = all.filter(
		(candidate) =>
			(wish.interface === undefined || candidate.name === wish.interface) &&
			(serverIp === undefined || candidate.addresses.some(({ address }) => address === serverIp)),
	);
	const isFree = wish.interface === undefined && serverIp === undefined;
	return (isFree ? defaultChoice(all) : asked).flatMap((chosen) => {
		const address = serverIp ?? servedAddress(chosen, wish.dhcpServers ?? []);
		return address === undefined ? [] : [{ interface: chosen, address }];
	});
}

/**
 * Of an interface with more than one: Pis get their addresses from the DHCP server, so they reach us where that one is. An
 * address that the machine gave itself (RFC 3927) is reached by nobody who has another.
 */
function servedAddress({ addresses }: NetworkInterface, dhcpServers: readonly string[]): string | undefined {
	const besideServer = addresses.find((own) => dhcpServers.some((server) => isInSubnet(server, own)));
	const given = addresses.find(({ address }) => !address.startsWith("169.254."));
	return (besideServer ?? given ?? addresses[0])?.address;
}

/** Whether an IPv4 address lies in the subnet of one of ours. */
export function isInSubnet(address: string, own: InterfaceAddress): boolean {
	return isIpv4(address) && inSameSubnet(address, own.address, own.netmask);
}

function defaultChoice(all: readonly NetworkInterface[]): readonly NetworkInterface[] {
	const chosen = all.filter((candidate) => candidate.hasDefaultRoute || candidate.kind === "wired");
	const sorted = chosen.sort((a, b) => Number(b.hasDefaultRoute) - Number(a.hasDefaultRoute));
	if (sorted.length > 0) return sorted;
	const withAddress = all.filter((candidate) => !candidate.addresses.every(({ address }) => isLoopback(address)));
	return withAddress.length > 0 ? withAddress : all.filter((candidate) => candidate.kind === "loopback");
}

export interface InterfaceWatch {
	readonly clock: Clock;
	readonly log: Logger;
	/** What is known already. */
	readonly known: readonly NetworkInterface[];
	/** Called with the new list after each change. */
	readonly onChange: (interfaces: readonly NetworkInterface[]) => void;
	/** Milliseconds between two looks. */
	readonly interval?: number;
	readonly source?: InterfaceSource;
}

/** Somebody who plugs a cable in looks at the page a moment later. */
const LOOK_MS = 2000;

/** Looks for changes again and again: there is no event for them in Node. Stops when the result is called. */
export function watchInterfaces(watch: InterfaceWatch): () => void {
	let last = JSON.stringify(watch.known);
	let timer: Timer | undefined;
	let isStopped = false;
	async function look(): Promise<void> {
		try {
			const interfaces = await listInterfaces(watch.source);
			const now = JSON.stringify(interfaces);
			const isNew = now !== last;
			last = now;
			if (isNew && !isStopped) watch.onChange(interfaces);
		} catch (error) {
			watch.log.warn(`network: interfaces cannot be listed: ${errorText(error)}`);
		}
		if (!isStopped) timer = watch.clock.after(watch.interval ?? LOOK_MS, () => void look());
	}
	void look();
	return () => {
		isStopped = true;
		timer?.cancel();
	};
}
