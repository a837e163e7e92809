/** Who a virtual Pi is: what is printed on the board, fused into the chip and burnt into the EEPROM. */
import { macToBytes } from "./addresses.ts";
import type { FirmwareDhcpStyle } from "./dhcp-firmware.ts";
import type { Firmware } from "./firmware.ts";

export interface Identity {
	readonly mac: string;
	/** 8 or 16 hex digits; file names and DHCP know the last 8. */
	readonly serial: string;
}

/** A kind of Pi, with the firmware that it has. */
export interface Model {
	/** `pi4-2026` */
	readonly name: string;
	/** `Raspberry Pi 4 (bootloader of 2026)` */
	readonly title: string;
	/** The Pi of the captures that the model was made from. */
	readonly sample: Identity;
	/** Prefix of the MAC that the maker has given such boards. */
	readonly oui: string;
	/** Board revision code. */
	readonly revision: number;
	/** Section names of config.txt that it matches. */
	readonly filters: readonly string[];
	/** Whether its bootloader has settings that can be changed, as those in an EEPROM can. */
	readonly hasSettings: boolean;
	readonly dhcp: FirmwareDhcpStyle;
	readonly guid: (model: Model, identity: Identity) => Buffer;
	/** From power-on until the kernel has all that it needs. */
	readonly boot: (firmware: Firmware) => Promise<void>;
}

/** The 8 digits that are in file names. */
export function shortSerial({ serial }: Identity): string {
	return serial.slice(-8).toLowerCase();
}

function littleEndian(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32LE(value);
	return bytes;
}

function serialBytes(identity: Identity): Buffer {
	return littleEndian(Number.parseInt(shortSerial(identity), 16));
}

/** Option 97 of the Pi 3B+ ROM and of bootcode.bin: the serial four times. */
export function guidOfSerials(_model: Model, identity: Identity): Buffer {
	const serial = serialBytes(identity);
	return Buffer.concat([Buffer.from([0]), serial, serial, serial, serial]);
}

/**
 * Option 97 of the EEPROM bootloaders: a word, the board revision, four bytes of the MAC and the serial.
 * @param hasMac false for the one bootloader, a beta, that left the place of the MAC empty.
 */
export function guidWithWord(word: string, hasMac = true): Model["guid"] {
	return (model, identity) => {
		const mac = hasMac ? macToBytes(identity.mac).subarray(2) : Buffer.alloc(4);
		const revision = littleEndian(model.revision);
		return Buffer.concat([Buffer.from([0]), Buffer.from(word), revision, mac, serialBytes(identity)]);
	};
}
