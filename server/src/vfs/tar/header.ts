/**
 * The 512 bytes in front of every member of a tar: ustar as POSIX has it, GNU's variant, and what came before both.
 *
 *     0 name[100]  100 mode[8]  108 uid[8]  116 gid[8]  124 size[12]  136 mtime[12]  148 chksum[8]  156 typeflag
 *     157 linkname[100]  257 magic[6]  263 version[2]  265 uname[32]  297 gname[32]  329 devmajor[8]  337 devminor[8]
 *     345 prefix[155]
 */
import { MalformedError } from "../../base/index.ts";

export const BLOCK = 512;

export interface TarHeader {
	/** Byte string. */
	readonly name: string;
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	readonly size: number;
	/** Seconds since 1970. */
	readonly mtime: number;
	/** One character; that of the oldest format, NUL, is given as `0`. */
	readonly type: string;
	readonly linkName: string;
	readonly major: number;
	readonly minor: number;
}

/** Whether a block ends the archive: it holds nothing but zeros. */
export function isZeroBlock(block: Buffer): boolean {
	return block[0] === 0 && block.every((byte) => byte === 0);
}

/** Whether a block is a header, by its checksum: the sum of its bytes, with blanks where the checksum itself stands. */
export function hasChecksum(block: Buffer): boolean {
	const stated = octal(block.subarray(148, 156));
	let unsigned = 8 * 0x20;
	let signed = unsigned;
	for (let at = 0; at < BLOCK; at++) {
		if (at >= 148 && at < 156) continue;
		unsigned += block.readUInt8(at);
		// Old implementations on machines with signed characters summed those.
		signed += block.readInt8(at);
	}
	return stated === unsigned || stated === signed;
}

/**
 * @param at where the block is, for the message.
 * @throws MalformedError (`tar`) when it is no header.
 */
export function parseHeader(block: Buffer, at: number): TarHeader {
	if (!hasChecksum(block)) throw new MalformedError("tar", `tar: no header at byte ${at}: its checksum does not match`);
	const number = (from: number, to: number) => numberField(block.subarray(from, to), at + from);
	const magic = text(block.subarray(257, 263));
	const hasDevice = magic.startsWith("ustar");
	// GNU's magic is "ustar  " and has other things where ustar has the prefix.
	const prefix = magic === "ustar" ? text(block.subarray(345, 500)) : "";
	const name = text(block.subarray(0, 100));
	const type = block.toString("latin1", 156, 157);
	return {
		name: prefix === "" ? name : `${prefix}/${name}`,
		mode: number(100, 108) & 0o7777,
		uid: number(108, 116),
		gid: number(116, 124),
		size: checkSize(number(124, 136), at),
		mtime: number(136, 148),
		type: type === "\0" ? "0" : type,
		linkName: text(block.subarray(157, 257)),
		major: hasDevice ? number(329, 337) : 0,
		minor: hasDevice ? number(337, 345) : 0,
	};
}

function checkSize(size: number, at: number): number {
	if (size >= 0) return size;
	throw new MalformedError("tar", `tar: the member at byte ${at} has a size of ${size}`);
}

/** Up to the first NUL. */
function text(field: Buffer): string {
	const end = field.indexOf(0);
	return field.toString("latin1", 0, end === -1 ? field.length : end);
}

function octal(field: Buffer): number | undefined {
	const digits = text(field).trim();
	return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : undefined;
}

/**
 * Octal digits; or, as GNU writes what has no room for those, a binary number, big endian, marked by the highest bit.
 *
 * @throws MalformedError (`tar`) when it is neither, or larger than 2^53.
 */
export function numberField(field: Buffer, at: number): number {
	const value = (field[0] ?? 0) & 0x80 ? binary(field) : octal(field);
	if (value !== undefined && Number.isSafeInteger(value)) return value;
	throw new MalformedError("tar", `tar: ${JSON.stringify(field.toString("latin1"))} at byte ${at} is no number`);
}

/** Two's complement; the marker is not part of it, and what is below zero has the bit behind it set too. */
function binary(field: Buffer): number {
	const isNegative = ((field[0] ?? 0) & 0x40) !== 0;
	let value = ((field[0] ?? 0) & 0x3f) - (isNegative ? 0x40 : 0);
	for (const byte of field.subarray(1)) value = value * 256 + byte;
	return value;
}
