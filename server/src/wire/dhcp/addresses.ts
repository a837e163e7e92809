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
