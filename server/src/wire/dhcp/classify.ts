/**
 * Who sent this request: a Raspberry Pi's firmware that wants to boot, or anybody else, who is to be left alone. Told by
 * what is sent, never by the MAC prefix alone: the list of prefixes grows, and what is not on it must boot too.
 */
import { macFromBytes } from "./addresses.ts";
import { BOOTREQUEST, MessageType, OptionCode } from "./constants.ts";
import { decodeGuid, type Guid, isPiFourCC } from "./guid.ts";
import { type DhcpPacket, messageType, textOption } from "./packet.ts";

/**
 * Which of the Pi's own programs speaks. `mask-rom`: the ROM of the 3B and 2B v1.2 with its bugs. `pi3`: the ROM of the 3B+,
 * or bootcode.bin on any Pi up to 3. `eeprom`: the bootloader of Pi 4 and later. `unknown`: a Pi, but of an unknown shape.
 */
export type PiGeneration = "mask-rom" | "pi3" | "eeprom" | "unknown";

export interface PiClient {
	readonly kind: "pi";
	readonly generation: PiGeneration;
	readonly guid: Guid;
	/** What gave it away, for the log. */
	readonly reason: string;
}

export interface OtherClient {
	readonly kind: "other";
	/** Why it is none of ours, for the log. */
	readonly reason: string;
}

export type Client = PiClient | OtherClient;

/** The same on every Pi up to 3: ROM and bootcode.bin have no source of randomness. */
export const CONSTANT_XID = 0x26f30339;

/** Blocks that are registered to Raspberry Pi, as the beginnings of MAC addresses. */
const PI_MAC_PREFIXES = [
	"b8:27:eb",
	"dc:a6:32",
	"e4:5f:01",
	"d8:3a:dd",
	"2c:cf:67",
	"88:a2:9e",
	"98:fe:54",
	"28:cd:c1",
	"3a:35:41",
	"f0:40:af:9",
	"8c:1f:64:34:a",
];

/** True for an address out of a block of Raspberry Pi: a hint, and no proof that it network-boots. */
export function hasPiMacPrefix(mac: string): boolean {
	const lower = mac.toLowerCase();
	return PI_MAC_PREFIXES.some((prefix) => lower.startsWith(prefix));
}

/** The parameter request lists (option 55) of the three kinds of firmware; nobody else asks for exactly these. */
const REQUEST_LISTS = new Map<string, PiGeneration>([
	["43,60,67,128,129,130,131,132,133,134,135,66", "mask-rom"],
	["43,60,67,128,129,130,131,132,133,134,135,66,1,3", "pi3"],
	["1,3,43,60,66,67,128,129,130,131,132,133,134,135", "eeprom"],
]);

/**
 * Tells a Pi's firmware from everybody else. Meant for DISCOVER and REQUEST; a REQUEST of the EEPROM bootloader repeats
 * neither option 55 nor 93.
 */
export function classify(packet: DhcpPacket): Client {
	const refusal = notPiFirmware(packet);
	if (refusal !== undefined) return { kind: "other", reason: refusal };
	const guid = decodeGuid(packet.options.get(OptionCode.CLIENT_MACHINE_IDENTIFIER) ?? Buffer.alloc(0), packet.chaddr);
	return piByGuid(packet, guid) ?? piByShape(packet, guid);
}

/** The first thing that a Pi's firmware would not have sent, or undefined. */
function notPiFirmware(packet: DhcpPacket): string | undefined {
	if (packet.op !== BOOTREQUEST) return "not a request";
	if (packet.chaddr.length !== 6) return `hardware address of ${packet.chaddr.length} bytes`;
	const vendor = textOption(packet, OptionCode.VENDOR_CLASS);
	if (vendor === undefined) return "no vendor class";
	if (!vendor.startsWith("PXEClient")) return "vendor class is not PXEClient";
	if (packet.options.has(OptionCode.USER_CLASS) || packet.options.has(OptionCode.ETHERBOOT)) return "iPXE";
	return wrongArchitecture(packet, vendor);
}

function wrongArchitecture(packet: DhcpPacket, vendor: string): string | undefined {
	const data = packet.options.get(OptionCode.CLIENT_SYSTEM_ARCHITECTURE);
	if (data === undefined) {
		const inRequest = packet.options.get(OptionCode.MESSAGE_TYPE)?.[0] === MessageType.REQUEST;
		return inRequest && /^PXEClient:Arch:00000:/.test(vendor) ? undefined : "no client architecture";
	}
	if (data.length !== 2) return `client architecture of ${data.length} bytes`;
	const architecture = data.readUInt16BE(0);
	return architecture === 0 ? undefined : `client architecture 0x${architecture.toString(16).padStart(4, "0")}`;
}

function pi(generation: PiGeneration, guid: Guid, reason: string): PiClient {
	return { kind: "pi", generation, guid, reason };
}

function piByGuid(packet: DhcpPacket, guid: Guid): PiClient | undefined {
	if (guid.kind === "board" && isPiFourCC(guid.fourCC)) return pi("eeprom", guid, `GUID says ${guid.fourCC}`);
	if (guid.kind === "mask-rom") return pi("mask-rom", guid, "GUID of the Pi 3B's ROM");
	if (guid.kind !== "serial") return undefined;
	if (packet.xid === CONSTANT_XID) return pi("pi3", guid, "GUID is a serial, and the xid is the Pi 3's");
	// The last three bytes of a MAC address in the block B8:27:EB are the low 24 bits of the serial.
	const macEnd = packet.chaddr.subarray(3).toString("hex");
	return guid.serial.endsWith(macEnd) ? pi("pi3", guid, "GUID is a serial that fits the MAC address") : undefined;
}

function piByShape(packet: DhcpPacket, guid: Guid): Client {
	const list = packet.options.get(OptionCode.PARAMETER_REQUEST_LIST)?.join(",") ?? "";
	const generation = REQUEST_LISTS.get(list);
	if (generation !== undefined && textOption(packet, OptionCode.VENDOR_CLASS)?.endsWith(":UNDI:002001")) {
		// Without the GUID of the ROM it is not the ROM, whatever list it sends.
		return pi(generation === "mask-rom" ? "unknown" : generation, guid, "asks for what only a Pi's firmware asks for");
	}
	const mac = macFromBytes(packet.chaddr);
	if (hasPiMacPrefix(mac)) return pi("unknown", guid, `MAC address of Raspberry Pi: ${mac}`);
	return { kind: "other", reason: "a PXE client that is no Raspberry Pi" };
}

/** The serial (8 lower-case hex digits) that a request gives away, if it does. */
export function serialOf(client: PiClient): string | undefined {
	return client.guid.kind === "board" || client.guid.kind === "serial" ? client.guid.serial : undefined;
}

/** True when proxy DHCP may answer: a DISCOVER; nothing else is ours to answer when another server gives the addresses. */
export function isDiscover(packet: DhcpPacket): boolean {
	return packet.op === BOOTREQUEST && messageType(packet) === MessageType.DISCOVER;
}
