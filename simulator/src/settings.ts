/** What an owner can set in the EEPROM of a Pi 4 or 5 (`rpi-eeprom-config`), as far as a boot from the network looks at it. */
import { guidOfSerials, guidWithWord, type Identity, type Model, shortSerial } from "./board.ts";
import { BootError } from "./errors.ts";
import type { Lease } from "./network.ts";

export interface EepromSettings {
	/** TFTP_PREFIX and TFTP_PREFIX_STR: what stands before each name. The serial and a slash when left out. */
	readonly prefix?: TftpPrefix | undefined;
	/** DHCP_OPTION97: the serial four times, or four letters in place of the bootloader's own. */
	readonly option97?: "serial" | { readonly word: string } | undefined;
	/** TFTP_IP: counts more than what DHCP says. */
	readonly tftpServer?: string | undefined;
	/** CLIENT_IP, SUBNET and GATEWAY: with TFTP_IP there is no DHCP at all. */
	readonly client?: Lease | undefined;
	/** `reboot "0 tryboot"` was said before: tryboot.txt is read in place of config.txt. */
	readonly tryboot?: boolean | undefined;
	/** NETCONSOLE: the bootloader broadcasts its log. */
	readonly netconsole?: boolean | undefined;
}

export type TftpPrefix = "serial" | "mac" | { readonly text: string };

/** The bootloader keeps no more of TFTP_PREFIX_STR. */
const MAX_PREFIX = 32;

/** What stands before each name that this Pi asks for first. */
export function prefixOf(identity: Identity, { prefix = "serial" }: EepromSettings): string {
	if (prefix === "serial") return `${shortSerial(identity)}/`;
	if (prefix === "mac") return `${identity.mac.toLowerCase().replaceAll(":", "-")}/`;
	return prefix.text;
}

/** The 17 bytes of option 97. */
export function guidOf(model: Model, identity: Identity, { option97 }: EepromSettings): Buffer {
	if (option97 === undefined) return model.guid(model, identity);
	return (option97 === "serial" ? guidOfSerials : guidWithWord(option97.word))(model, identity);
}

/** @throws BootError when something is set that only an EEPROM keeps, and the model has none. */
export function checkSettings({ title, hasSettings }: Model, settings: EepromSettings = {}): void {
	const { tryboot, ...inEeprom } = settings;
	if (hasSettings || Object.values(inEeprom).every((value) => value === undefined)) return;
	throw new BootError(`${title} has no EEPROM: its TFTP prefix, option 97 and addresses cannot be set`);
}

/**
 * @param text `serial`, `mac`, `none` or `string:TEXT`
 * @throws BootError for anything else.
 */
export function parsePrefix(text: string): TftpPrefix {
	if (text === "serial" || text === "mac") return text;
	if (text === "none") return { text: "" };
	const own = /^string:([\x21-\x7e]*)$/.exec(text)?.[1];
	if (own === undefined) throw new BootError(`TFTP prefix ${text}: expected serial, mac, none or string:TEXT`);
	if (own.length > MAX_PREFIX) {
		throw new BootError(`TFTP prefix ${own}: ${own.length} letters, and a bootloader keeps ${MAX_PREFIX}`);
	}
	return { text: own };
}

/**
 * @param text `serial`, or four letters
 * @throws BootError for anything else.
 */
export function parseOption97(text: string): "serial" | { readonly word: string } {
	if (text === "serial") return text;
	if (/^[\x20-\x7e]{4}$/.test(text)) return { word: text };
	throw new BootError(`option 97 ${text}: expected serial, or four letters such as RPi4`);
}
