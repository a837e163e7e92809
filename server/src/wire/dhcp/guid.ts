/**
 * Option 97, the machine identifier (RFC 4578 section 2.3: a type byte 0 and 16 bytes), as Raspberry Pis fill it:
 *
 *     EEPROM bootloader      FourCC(4) board revision(4, little endian) MAC bytes 2..5(4) serial(4, little endian)
 *     Pi 3B+ ROM, bootcode   serial(4, little endian) four times
 *     Pi 3B, 2B v1.2 ROM     0x44 sixteen times
 */
import { ByteReader } from "../../base/index.ts";

export type Guid =
	/** What the EEPROM bootloaders send. */
	| {
			readonly kind: "board";
			/** As on the wire: `RPi4`, `4iPR`, `5iPR`, or what the user set as `DHCP_OPTION97`. */
			readonly fourCC: string;
			/** The board revision code, undecoded. */
			readonly revision: number;
			/** Bytes 2 to 5 of the MAC address; zeros in one old beta. */
			readonly mac: Buffer;
			/** The low 32 bits of the serial number, as 8 lower-case hex digits: the Pi's TFTP prefix. */
			readonly serial: string;
	  }
	| { readonly kind: "serial"; readonly serial: string }
	| { readonly kind: "mask-rom" }
	| { readonly kind: "unknown" };

const GUID_LENGTH = 17;

/** The letters come in either order, depending on the date of the bootloader; the digit is not to be trusted. */
const PI_FOURCC = /^(RPi[0-9]|[0-9]iPR)$/;

/** `e0ff06da` for 0xe0ff06da. */
export function serialText(serial: number): string {
	return serial.toString(16).padStart(8, "0");
}

/** Tells whether a FourCC is one that Raspberry Pi's own bootloaders send. */
export function isPiFourCC(fourCC: string): boolean {
	return PI_FOURCC.test(fourCC);
}

/**
 * Decodes option 97.
 *
 * @param data the option's bytes.
 * @param chaddr who sent it: a FourCC that the user chose is only believed where the MAC part agrees.
 */
export function decodeGuid(data: Uint8Array, chaddr: Uint8Array): Guid {
	if (data.length !== GUID_LENGTH || data[0] !== 0) return { kind: "unknown" };
	const body = Buffer.from(data.subarray(1));
	if (body.every((byte) => byte === 0x44)) return { kind: "mask-rom" };
	return repeatedSerial(body) ?? board(body, chaddr) ?? { kind: "unknown" };
}

function repeatedSerial(body: Buffer): Guid | undefined {
	const serial = body.readUInt32LE(0);
	// All zeros and all ones are how a PC says that nobody gave it an identifier.
	if (serial === 0 || serial === 0xffffffff) return undefined;
	const repeated = [4, 8, 12].every((at) => body.readUInt32LE(at) === serial);
	return repeated ? { kind: "serial", serial: serialText(serial) } : undefined;
}

function board(body: Buffer, chaddr: Uint8Array): Guid | undefined {
	const reader = new ByteReader(body, "dhcp");
	const fourCC = reader.bytes(4).toString("latin1");
	const revision = reader.u32le();
	const mac = Buffer.from(reader.bytes(4));
	const serial = serialText(reader.u32le());
	const isOwn = chaddr.length === 6 && mac.equals(chaddr.subarray(2));
	return isPiFourCC(fourCC) || isOwn ? { kind: "board", fourCC, revision, mac, serial } : undefined;
}
