/** IPv4 and MAC addresses as text, which is how the rest of the server handles them. */
import { BugError } from "../../base/index.ts";

export const IPV4_ANY = "0.0.0.0";
export const IPV4_BROADCAST = "255.255.255.255";

/** The dotted quad of four bytes. */
export function ipv4FromBytes(bytes: Uint8Array): string {
	if (bytes.length !== 4) throw new BugError(`an IPv4 address has 4 bytes, got ${bytes.length}`);
	return bytes.join(".");
}

const DOTTED_QUAD = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Tells whether the text is a dotted quad. */
export function isIpv4(text: string): boolean {
	const parts = DOTTED_QUAD.exec(text);
	return parts?.slice(1).every((part) => Number(part) <= 255) ?? false;
}

/** The four bytes of a dotted quad. @throws BugError when it is none. */
export function ipv4ToBytes(text: string): Buffer {
	if (!isIpv4(text)) throw new BugError(`expected an IPv4 address such as 192.0.2.1, got "${text}"`);
	return Buffer.from(text.split(".").map(Number));
}

/** `dc:a6:32:ec:fc:3c`: lower case, with colons. */
export function macFromBytes(bytes: Uint8Array): string {
	return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** The bytes of a hardware address in the form that `macFromBytes` gives. @throws BugError. */
export function macToBytes(text: string): Buffer {
	if (!/^[0-9a-f]{2}(:[0-9a-f]{2})*$/i.test(text)) throw new BugError(`expected a MAC address, got "${text}"`);
	return Buffer.from(text.replaceAll(":", ""), "hex");
}

/** True for 127.0.0.0/8. */
export function isLoopback(address: string): boolean {
	return address.startsWith("127.") && isIpv4(address);
}

/** An IPv4 address as a number, 0 to 2^32 - 1, so that addresses can be compared and counted. @throws BugError. */
export function ipv4ToNumber(text: string): number {
	return ipv4ToBytes(text).readUInt32BE(0);
}

/** The dotted quad of a number. */
export function ipv4FromNumber(number: number): string {
	return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join(".");
}

/** Tells whether two addresses are in one subnet. @param mask a dotted quad. */
export function inSameSubnet(one: string, other: string, mask: string): boolean {
	const bits = ipv4ToNumber(mask);
	return (ipv4ToNumber(one) & bits) === (ipv4ToNumber(other) & bits);
}

/** `255.255.255.0` for 24. */
export function maskOfPrefix(length: number): string {
	return ipv4FromNumber(length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);
}
