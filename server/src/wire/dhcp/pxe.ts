/**
 * Option 43 as a PXE boot menu: sub-options of code, length, data, closed by 255 (Intel PXE 2.1, table 2-1; RFC 4578 leaves
 * them to that paper). A Pi looks for the words "Raspberry Pi Boot" in it and takes the sender for its TFTP server.
 */
import { BugError, ByteWriter } from "../../base/index.ts";

const PXE_DISCOVERY_CONTROL = 6;
const PXE_BOOT_MENU = 9;
const PXE_MENU_PROMPT = 10;
const PXE_END = 255;

/** Neither broadcast nor multicast discovery of boot servers: there is nothing to discover, we are it. */
const NO_DISCOVERY = 3;

export const PI_BOOT_MENU_TEXT = "Raspberry Pi Boot";

/** The mask ROM of the Pi 3B computes the length of the text wrongly and misses it without three more characters. */
export const MASK_ROM_BOOT_MENU_TEXT = "Raspberry Pi Boot   ";

/** One sub-option. @throws BugError when the data does not fit its length byte. */
function subOption(writer: ByteWriter, code: number, data: Uint8Array): void {
	if (data.length > 255) throw new BugError(`PXE sub-option ${code} has ${data.length} bytes, at most 255 fit`);
	writer.u8(code).u8(data.length).bytes(data);
}

/**
 * A boot menu with one entry of type 0, "boot from what the DHCP header says", chosen without a prompt. Exactly one entry,
 * because Pi 4 firmware before January 2020 misread menus with several.
 */
export function bootMenu(text: string): Buffer {
	const description = Buffer.from(text, "latin1");
	const writer = new ByteWriter(64);
	subOption(writer, PXE_DISCOVERY_CONTROL, Buffer.of(NO_DISCOVERY));
	subOption(writer, PXE_MENU_PROMPT, Buffer.from("\0PXE", "latin1"));
	subOption(writer, PXE_BOOT_MENU, Buffer.concat([Buffer.of(0, 0, description.length), description]));
	return writer.u8(PXE_END).finish();
}
