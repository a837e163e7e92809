/** The kernel's neighbour table: which MAC address stands behind an IPv4 address of the LAN. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type InterfaceSource, systemSource } from "./interfaces.ts";

/** MAC addresses (lower case, with colons) by IPv4 address. */
export type Neighbours = ReadonlyMap<string, string>;

/** Reads the table as it is now. Entries that are not resolved are left out. */
export async function readNeighbours(source: InterfaceSource = systemSource): Promise<Neighbours> {
	if (source.platform === "linux") return parseLinuxTable((await source.read("/proc/net/arp")) ?? "");
	return parseArpOutput(await source.run("arp", ["-an"]));
}

/** ATF_COM of `linux/if_arp.h`: the entry is complete. */
const ATF_COM = 0x02;

/** Parses `/proc/net/arp`. */
export function parseLinuxTable(table: string): Neighbours {
	return new Map(linuxNeighbours(table).map(({ address, mac }) => [address, mac]));
}

/** The lines of `/proc/net/arp`: IP address, HW type, Flags, HW address, Mask, Device. */
function linuxNeighbours(table: string): Neighbour[] {
	return table
		.split("\n")
		.slice(1)
		.flatMap((line) => {
			const [address, , flags, mac, , device] = line.trim().split(/\s+/);
			if (address === undefined || mac === undefined || device === undefined) return [];
			const isComplete = (Number(flags) & ATF_COM) !== 0 && mac !== "00:00:00:00:00:00";
			return isComplete ? [{ address, mac: mac.toLowerCase(), interface: device }] : [];
		});
}

/** What Linux knows of an address, and on which interface. */
export async function findNeighbour(address: string, source: InterfaceSource): Promise<Neighbour | undefined> {
	const table = (await source.read("/proc/net/arp")) ?? "";
	return linuxNeighbours(table).find((neighbour) => neighbour.address === address);
}

/** Parses `? (192.0.2.7) at dc:a6:32:1:2:3 on en0 ...` of BSD and macOS, which leave out leading zeros. */
export function parseArpOutput(text: string): Neighbours {
	const found = new Map<string, string>();
	for (const match of text.matchAll(/\(([\d.]+)\) at ([0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5})\b/gi)) {
		const [, address = "", mac = ""] = match;
		const bytes = mac.split(":").map((byte) => byte.padStart(2, "0"));
		found.set(address, bytes.join(":").toLowerCase());
	}
	return found;
}

/** Where a machine is that has no address yet, and that the kernel therefore cannot ask. */
export interface Neighbour {
	readonly address: string;
	readonly mac: string;
	/** The interface that it is on. */
	readonly interface: string;
}

/**
 * Tells the kernel which machine is going to have an address, so that a datagram to it goes to that machine alone. The kernel
 * forgets it again by itself. @returns false where we may not: it takes root on Linux.
 */
export async function tellNeighbour(neighbour: Neighbour): Promise<boolean> {
	const { address, mac, interface: device } = neighbour;
	const words = ["neigh", "replace", address, "lladdr", mac, "dev", device, "nud", "reachable"];
	return promisify(execFile)("ip", words, { timeout: 2000 }).then(
		() => true,
		() => false,
	);
}

/** Has the kernel forget who has an address: it asks anew. */
export async function forgetNeighbour(address: string): Promise<void> {
	// It knows none where it has forgotten it by itself.
	await promisify(execFile)("ip", ["neigh", "flush", "to", address], { timeout: 2000 }).catch(() => undefined);
}
