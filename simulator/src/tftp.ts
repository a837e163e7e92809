/** TFTP packets (RFC 1350, RFC 2347), as a client makes and reads them. */
import { ProtocolError } from "./errors.ts";

export const Opcode = { RRQ: 1, DATA: 3, ACK: 4, ERROR: 5, OACK: 6 } as const;

/** Error codes that we send or look at. */
export const ErrorCode = { NOT_DEFINED: 0, FILE_NOT_FOUND: 1, UNKNOWN_TID: 5, OPTIONS_REFUSED: 8 } as const;

export interface TftpOption {
	readonly name: string;
	readonly value: number;
}

export type TftpReply =
	| { readonly kind: "data"; readonly block: number; readonly data: Buffer }
	| { readonly kind: "oack"; readonly options: ReadonlyMap<string, number> }
	| { readonly kind: "error"; readonly code: number; readonly message: string };

/** `opcode | filename | 0 | "octet" | 0 | option | 0 | value | 0 ...` */
export function encodeRrq(name: string, options: readonly TftpOption[]): Buffer {
	const words = [name, "octet", ...options.flatMap((option) => [option.name, String(option.value)])];
	return Buffer.concat([uint16(Opcode.RRQ), Buffer.from(words.map((word) => `${word}\0`).join(""), "latin1")]);
}

export function encodeAck(block: number): Buffer {
	return Buffer.concat([uint16(Opcode.ACK), uint16(block)]);
}

export function encodeError(code: number, message: string): Buffer {
	return Buffer.concat([uint16(Opcode.ERROR), uint16(code), Buffer.from(`${message}\0`, "latin1")]);
}

function uint16(value: number): Buffer {
	const bytes = Buffer.alloc(2);
	bytes.writeUInt16BE(value);
	return bytes;
}

/** @throws ProtocolError when no server may send this. */
export function decodeReply(bytes: Buffer): TftpReply {
	if (bytes.length < 4) throw new ProtocolError(`TFTP: ${bytes.length} bytes, expected at least 4`);
	const opcode = bytes.readUInt16BE(0);
	switch (opcode) {
		case Opcode.DATA:
			return { kind: "data", block: bytes.readUInt16BE(2), data: bytes.subarray(4) };
		case Opcode.OACK:
			return { kind: "oack", options: decodeOptions(bytes.subarray(2)) };
		case Opcode.ERROR:
			return { kind: "error", code: bytes.readUInt16BE(2), message: strings(bytes.subarray(4))[0] ?? "" };
		default:
			throw new ProtocolError(`TFTP: a server sends no packets with opcode ${opcode}`);
	}
}

function decodeOptions(bytes: Buffer): Map<string, number> {
	const words = strings(bytes);
	if (words.length % 2 !== 0) throw new ProtocolError(`TFTP: OACK option "${words.at(-1)}" has no value`);
	const options = new Map<string, number>();
	for (let index = 0; index < words.length; index += 2) {
		const name = (words[index] ?? "").toLowerCase();
		const text = words[index + 1] ?? "";
		if (!/^\d{1,15}$/.test(text)) throw new ProtocolError(`TFTP: OACK option ${name} has the value "${text}"`);
		if (options.has(name)) throw new ProtocolError(`TFTP: OACK option ${name} comes twice`);
		options.set(name, Number(text));
	}
	return options;
}

function strings(bytes: Buffer): string[] {
	if (bytes.length === 0) return [];
	if (bytes.at(-1) !== 0) throw new ProtocolError("TFTP: a text does not end with a zero byte");
	return bytes.toString("latin1").slice(0, -1).split("\0");
}
