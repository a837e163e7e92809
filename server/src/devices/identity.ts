/** Who a device is: the forms of MAC addresses and serials, and the names under which boot files are asked for. */

/** `dc:a6:32:ec:fc:3c` from any common spelling of a MAC address, or undefined. */
export function normalMac(text: string): string | undefined {
	const digits = text.toLowerCase().replaceAll(/[:-]/g, "");
	return /^[0-9a-f]{12}$/.test(digits) ? digits.replaceAll(/(..)(?=.)/g, "$1:") : undefined;
}

/** The id that a device has until its serial is known: its MAC address without colons. */
export function macId(mac: string): string {
	return mac.replaceAll(":", "");
}

/** The low 32 bits of a serial of 8 or 16 hex digits, as 8 of them, or undefined. A Pi 5 uses all 16. */
export function lowSerial(text: string): string | undefined {
	const lower = text.toLowerCase();
	return /^([0-9a-f]{8}|[0-9a-f]{16})$/.test(lower) ? lower.slice(-8) : undefined;
}

/** The form in which ids are kept, from whatever a person typed: a MAC with colons, a serial of 16 digits. */
export function normalId(text: string): string {
	const digits = text.toLowerCase().replaceAll(/[:-]/g, "");
	return lowSerial(digits) ?? digits;
}

/**
 * The serials of the Pis up to 3 and their MAC addresses in the block B8:27:EB have the low 24 bits in common; nothing is
 * known of the others.
 */
export function serialFitsMac(serial: string, mac: string): boolean {
	return !mac.startsWith("b8:27:eb") || serial.slice(-6) === macId(mac).slice(-6);
}

/** What a boot file was asked for as. */
export interface BootName {
	/** Whose file, when the name says so (TFTP_PREFIX 0 and 2). */
	readonly prefix: { readonly serial: string } | { readonly mac: string } | undefined;
	/** The file, without that: `overlays/overlay_map.dtb`. */
	readonly path: string;
}

/**
 * Takes a name apart: `7bf18f79/config.txt`, `dc-a6-32-01-36-c2/config.txt` or `config.txt`.
 *
 * @param name normalised: no leading and no doubled slashes.
 */
export function splitBootName(name: string): BootName {
	const slash = name.indexOf("/");
	const first = slash < 0 ? "" : name.slice(0, slash);
	const path = name.slice(slash + 1);
	if (/^[0-9a-f]{8}$/i.test(first)) return { prefix: { serial: first.toLowerCase() }, path };
	const mac = /^([0-9a-f]{2}-){5}[0-9a-f]{2}$/i.test(first) ? normalMac(first) : undefined;
	return mac === undefined ? { prefix: undefined, path: name } : { prefix: { mac }, path };
}
