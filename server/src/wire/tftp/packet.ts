/**
 * The packets of TFTP (RFC 1350 section 5, RFC 2347):
 *
 *     RRQ, WRQ  opcode(2) filename 0 mode 0 [option 0 value 0]...
 *     DATA      opcode(2) block(2) data
 *     ACK       opcode(2) block(2)
 *     ERROR     opcode(2) code(2) message 0
 *     OACK      opcode(2) [option 0 value 0]...
 *
 * Text is byte strings (latin1): a file name is bytes.
 */
import { ByteReader, ByteWriter, MalformedError } from "../../base/index.ts";

export const Opcode = { RRQ: 1, WRQ: 2, DATA: 3, ACK: 4, ERROR: 5, OACK: 6 } as const;

export const ErrorCode = {
	NOT_DEFINED: 0,
	FILE_NOT_FOUND: 1,
	ACCESS_VIOLATION: 2,
	DISK_FULL: 3,
	ILLEGAL_OPERATION: 4,
	UNKNOWN_TRANSFER_ID: 5,
	OPTION_REFUSED: 8,
} as const;

/** An option and its value, in the spelling of whoever sent them. */
export type TftpOption = readonly [name: string, value: string];

export interface TftpRequest {
	readonly opcode: typeof Opcode.RRQ | typeof Opcode.WRQ;
	/** As it came, slashes and all. */
	readonly filename: string;
	/** In lower case: `octet`, `netascii`. */
	readonly mode: string;
	readonly options: readonly TftpOption[];
}

/** What a client may send while a transfer runs. */
export type TftpClientPacket =
	| { readonly opcode: typeof Opcode.ACK; readonly block: number }
	| { readonly opcode: typeof Opcode.ERROR; readonly code: number; readonly message: string };

/** RFC 2347: "The maximum size of a request packet is 512 octets." */
const LONGEST_REQUEST = 512;

/** The opcode of a datagram, or undefined when it has none. */
export function opcodeOf(bytes: Uint8Array): number | undefined {
	const [high, low] = bytes;
	return high === undefined || low === undefined ? undefined : high * 256 + low;
}

/** Reads a request. @throws MalformedError when it is none, is too long, or a string in it does not end. */
export function decodeRequest(bytes: Uint8Array): TftpRequest {
	if (bytes.length > LONGEST_REQUEST) {
		throw new MalformedError("tftp", `tftp: a request of ${bytes.length} bytes, expected at most ${LONGEST_REQUEST}`);
	}
	const reader = new ByteReader(bytes, "tftp");
	const opcode = reader.u16("opcode");
	if (opcode !== Opcode.RRQ && opcode !== Opcode.WRQ) {
		throw new MalformedError("tftp", `tftp: opcode ${opcode}, expected a request (1 or 2)`);
	}
	const filename = readString(reader, "filename");
	const mode = readString(reader, "mode").toLowerCase();
	if (filename === "") throw new MalformedError("tftp", "tftp: a request without a file name");
	return { opcode, filename, mode, options: readOptions(reader) };
}

function readString(reader: ByteReader, what: string): string {
	const bytes: number[] = [];
	for (let byte = reader.u8(what); byte !== 0; byte = reader.u8(what)) bytes.push(byte);
	return String.fromCharCode(...bytes);
}

/** Pairs of strings. What follows the last whole pair is passed over: some boot programs pad their requests. */
function readOptions(reader: ByteReader): TftpOption[] {
	const words = reader.rest().toString("latin1").split("\0").slice(0, -1);
	const options: TftpOption[] = [];
	for (let at = 0; at + 1 < words.length; at += 2) options.push([words[at] ?? "", words[at + 1] ?? ""]);
	return options;
}

/**
 * Reads what a client sends during a transfer. This runs once per block, so ACKs take the short way.
 *
 * @returns undefined for anything else than ACK and ERROR, which a transfer ignores.
 */
export function decodeClientPacket(bytes: Buffer): TftpClientPacket | undefined {
	if (bytes.length < 4) return undefined;
	const opcode = bytes.readUInt16BE(0);
	if (opcode === Opcode.ACK) return { opcode, block: bytes.readUInt16BE(2) };
	if (opcode !== Opcode.ERROR) return undefined;
	// The string should end with a NUL; some clients forget it, and the error is one all the same.
	const end = bytes.indexOf(0, 4);
	return { opcode, code: bytes.readUInt16BE(2), message: bytes.toString("latin1", 4, end === -1 ? bytes.length : end) };
}

/** An ERROR packet. The message is for people, in ASCII. */
export function encodeError(code: number, message: string): Buffer {
	return new ByteWriter(64).u16(Opcode.ERROR).u16(code).bytes(Buffer.from(message, "latin1")).u8(0).finish();
}

/** An OACK packet. */
export function encodeOack(options: readonly TftpOption[]): Buffer {
	const writer = new ByteWriter(64).u16(Opcode.OACK);
	for (const word of options.flat()) writer.bytes(Buffer.from(word, "latin1")).u8(0);
	return writer.finish();
}
