/** DHCP messages as Pis, PCs and plain systems send them, of clients that are not there; built by hand. */
import { random, randomBytes } from "./attack.ts";

const CLASS = `3c20${Buffer.from("PXEClient:Arch:00000:UNDI:002001").toString("hex")}`;
export const DISCOVER = "350101";
export const REQUEST = "350103";
export const DECLINE = "350104";
export const RELEASE = "350107";
const EEPROM_LIST = "370e01032b3c42438081828384858687";
const ARCH_AND_UNDI = "5d0200005e03010201";
/** All Pi 3Bs have the same. */
const XID_OF_ROM = "26f30339";

export interface Fields {
	readonly ciaddr?: string;
	readonly giaddr?: string;
	/** 8 hex digits. */
	readonly xid?: string;
}

export const hex = (address: string) => Buffer.from(address.split(".").map(Number)).toString("hex");

/** A message of a client. @param options in hex, without their end. */
export function message(mac: Buffer, options: string, fields: Fields = {}): Buffer {
	const { ciaddr = "0.0.0.0", giaddr = "0.0.0.0", xid = randomBytes(4).toString("hex") } = fields;
	const addresses = `${hex(ciaddr)}${"00".repeat(8)}${hex(giaddr)}`;
	const head = `01010600${xid}00000000${addresses}${mac.toString("hex")}${"00".repeat(202)}63825363`;
	return Buffer.from(`${head}${options}ff`, "hex");
}

/** A MAC of nobody; every second one has the prefix of Raspberry Pi. */
export function anyMac(): Buffer {
	return Buffer.concat([Buffer.from(random(2) === 0 ? "dca632" : "02005e", "hex"), randomBytes(3)]);
}

export function macFrom(text: string): Buffer {
	return Buffer.from(text.replaceAll(":", ""), "hex");
}

/** The identifier of a Pi 4 with any serial. */
function boardGuid(mac: Buffer): string {
	return `611100346950521431d000${mac.subarray(2).toString("hex")}${randomBytes(4).toString("hex")}`;
}

/** The options of a Pi 4's bootloader. */
export function pi4(mac: Buffer, type = DISCOVER): string {
	return `${type}${EEPROM_LIST}${CLASS}${ARCH_AND_UNDI}${boardGuid(mac)}`;
}

/** What the ROM of a Pi 3B sends. */
export function rom(mac: Buffer): Buffer {
	return message(mac, `${DISCOVER}${CLASS}${ARCH_AND_UNDI}611100${"44".repeat(16)}`, { xid: XID_OF_ROM });
}

/** The options of a machine that boots by PXE and is no Pi. @param list the options that it asks for. */
export function pxe(list = ""): string {
	return `${DISCOVER}${list}${CLASS}${ARCH_AND_UNDI}611100${randomBytes(16).toString("hex")}`;
}

/** The options of a Pi 4's bootloader that has another identifier. */
export const anotherBoard = () => pxe(EEPROM_LIST);

/** The address that a client wants, or gives back. */
export const wanted = (address: string) => `3204${hex(address)}`;
/** The server that is meant. */
export const from = (server: string) => `3604${hex(server)}`;
