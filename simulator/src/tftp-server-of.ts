/** Which TFTP server an OFFER names, in the opinion of a firmware. */
import { ANY } from "./addresses.ts";
import { addressOf, Code, type DhcpMessage, optionOf } from "./dhcp.ts";
import type { FirmwareDhcpStyle } from "./dhcp-firmware.ts";

/** What all firmware but the mask ROM of a Pi 3B looks for in option 43. */
export const BOOT_TAG = "Raspberry Pi Boot";

export interface Offer {
	readonly message: DhcpMessage;
	/** Who sent it. */
	readonly source: string;
}

/** What decides. */
export type ServerRule = Pick<FirmwareDhcpStyle, "tftpServer" | "bootTag" | "oneMenuEntry" | "threeDigits">;

/**
 * A Pi 3 goes through the options in their order and keeps the last; a Pi 4 or 5 prefers option 66, and takes a boot menu only
 * from a server that calls itself PXEClient: its siaddr, else who sent it.
 */
export function tftpServerOf(offer: Offer, rule: ServerRule): string | undefined {
	return rule.tftpServer === "option66" ? preferred(offer, rule) : last(offer, rule);
}

function preferred({ message, source }: Offer, rule: ServerRule): string | undefined {
	const named = dottedQuad(optionOf(message, Code.TFTP_SERVER_NAME), rule);
	if (named !== undefined) return named;
	if (!hasTag(optionOf(message, Code.VENDOR_SPECIFIC), rule) || !isPxeServer(message)) return undefined;
	if (message.siaddr !== ANY) return message.siaddr;
	return addressOf(message, Code.SERVER_IDENTIFIER) ?? source;
}

function last({ message, source }: Offer, rule: ServerRule): string | undefined {
	let server: string | undefined;
	for (const { code, data } of message.options) {
		if (code === Code.VENDOR_SPECIFIC && hasTag(data, rule)) server = source;
		if (code === Code.TFTP_SERVER_NAME) server = dottedQuad(data, rule) ?? server;
	}
	return server;
}

function isPxeServer(message: DhcpMessage): boolean {
	return optionOf(message, Code.VENDOR_CLASS)?.toString("latin1").startsWith("PXEClient") ?? false;
}

function hasTag(data: Buffer | undefined, { bootTag, oneMenuEntry }: ServerRule): boolean {
	if (data?.includes(bootTag) !== true) return false;
	return !oneMenuEntry || menuEntries(data) === 1;
}

/** PXE_BOOT_MENU, in PXE's own options inside of option 43. */
const BOOT_MENU = 9;

/** How many entries the boot menu has: each is a type of two bytes, a length, and as many letters. */
function menuEntries(data: Buffer): number {
	let entries = 0;
	for (let at = 0; at + 1 < data.length && data[at] !== Code.END; ) {
		const length = data[at + 1] ?? 0;
		const menu = data[at] === BOOT_MENU ? data.subarray(at + 2, at + 2 + length) : Buffer.alloc(0);
		for (let entry = 0; entry + 2 < menu.length; entry += 3 + (menu[entry + 2] ?? 0)) entries++;
		at += 2 + length;
	}
	return entries;
}

/** Option 66 must be text without a terminator: a binary address, or one with a zero byte behind it, is not taken. */
function dottedQuad(data: Buffer | undefined, { threeDigits }: ServerRule): string | undefined {
	const text = data?.toString("latin1");
	const pattern = threeDigits ? /^(\d{1,3}\.){3}\d{3}$/ : /^(\d{1,3}\.){3}\d{1,3}$/;
	return text !== undefined && pattern.test(text) ? text : undefined;
}
