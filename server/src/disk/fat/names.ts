/** Names on FAT: 8.3 in a code page, long ones in UTF-16, and what counts as the same name. */
import { nameFromUtf8, nameToUtf8 } from "../../base/index.ts";

/** Code page 437 above ASCII, what Linux takes for short names unless told. */
const CP437 =
	"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** Bits of byte 12 (DIR_NTRes): Windows NT and mtools keep the case of an 8.3 name here instead of a long name. */
const LOWER_BASE = 0x08;
const LOWER_EXTENSION = 0x10;
/** A name may begin with the byte that marks deleted entries; it is stored as this. */
const STORED_E5 = 0x05;

/** The 8.3 name of a directory entry, as text. Trailing spaces are padding. */
export function shortName(entry: Buffer): string {
	const first = entry.readUInt8(0);
	const base = decode(entry, 0, 8, first === STORED_E5 ? 0xe5 : first);
	const extension = decode(entry, 8, 11, entry.readUInt8(8));
	const flags = entry.readUInt8(12);
	const left = flags & LOWER_BASE ? base.toLowerCase() : base;
	const right = flags & LOWER_EXTENSION ? extension.toLowerCase() : extension;
	return right === "" ? left : `${left}.${right}`;
}

/** The volume label: the 11 characters of an 8.3 name, undivided. */
export function volumeLabel(entry: Buffer): string {
	return decode(entry, 0, 11, entry.readUInt8(0));
}

function decode(entry: Buffer, from: number, to: number, first: number): string {
	let text = character(first);
	for (let at = from + 1; at < to; at++) text += character(entry.readUInt8(at));
	return text.replace(/ +$/, "");
}

function character(byte: number): string {
	return byte < 0x80 ? String.fromCharCode(byte) : (CP437[byte - 0x80] ?? "");
}

/** What the entries of a long name carry, so that they are known to belong to the 8.3 entry behind them. */
export function shortNameChecksum(entry: Buffer): number {
	let sum = 0;
	for (let at = 0; at < 11; at++) sum = (((sum & 1) << 7) + (sum >>> 1) + entry.readUInt8(at)) & 0xff;
	return sum;
}

/** Tells whether a tree may give this as a name. */
export function isUsableName(text: string): boolean {
	// Neither a control character, which is what comes before the blank, nor a slash.
	return text !== "" && text !== "." && text !== ".." && !/[^ -\uffff]|\//.test(text);
}

/**
 * Maps names that FAT takes for the same (case, dots at the end) to one key.
 *
 * @param name a byte string, as trees use them.
 */
export function foldName(name: string): string {
	const bare = name.replace(/\.+$/, "");
	if (/^\p{ASCII}*$/u.test(bare)) return bare.toLowerCase();
	return nameFromUtf8([...nameToUtf8(bare)].map(foldCharacter).join(""));
}

/** Simple folding: one character stays one, so that `ß` is not `ss`. */
function foldCharacter(char: string): string {
	const upper = char.toUpperCase();
	const lower = ([...upper].length === 1 ? upper : char).toLowerCase();
	return [...lower].length === 1 ? lower : char;
}
