/** IPv4 and Ethernet addresses, as text and as bytes. */
import { isIPv4 } from "node:net";
import { ProtocolError } from "./errors.ts";

export const ANY = "0.0.0.0";

export function ipv4ToBytes(address: string): Buffer {
	if (!isIPv4(address)) throw new ProtocolError(`"${address}" is not an IPv4 address`);
	return Buffer.from(address.split(".").map(Number));
}

/** @param bytes exactly 4 of them. */
export function ipv4FromBytes(bytes: Buffer): string {
	if (bytes.length !== 4) throw new ProtocolError(`an IPv4 address has 4 bytes, got ${bytes.length}`);
	return bytes.join(".");
}

/** The length of the prefix that a subnet mask stands for: 24 for 255.255.255.0. */
export function prefixLength(mask: string): number {
	const bits = ipv4ToBytes(mask).readUInt32BE();
	const length = Math.clz32(~bits);
	const expected = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
	if (bits !== expected) throw new ProtocolError(`${mask} is not a subnet mask`);
	return length;
}

/** `dc:a6:32:ec:fc:3c` to its six bytes. */
export function macToBytes(mac: string): Buffer {
	if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) throw new TypeError(`"${mac}" is not an Ethernet address`);
	return Buffer.from(mac.replaceAll(":", ""), "hex");
}

/** Whether the other address can be reached without a router. */
export function sameSubnet({ address, mask }: { address: string; mask: string }, other: string): boolean {
	const [ours, theirs] = [ipv4ToBytes(address), ipv4ToBytes(other)];
	return ipv4ToBytes(mask).every((bits, index) => ((ours[index] ?? 0) & bits) === ((theirs[index] ?? 0) & bits));
}
