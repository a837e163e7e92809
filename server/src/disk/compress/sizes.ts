/** How large something will be when it is unpacked, as far as its format tells beforehand. A hint: nobody vouches for it. */
import { type BlockSource, readBytes } from "../block/source.ts";
import type { Packing } from "./packing.ts";
import { findImageInZip } from "./zip.ts";

/** Streams of xz in one file that are looked at; one program makes one. */
const MOST_STREAMS = 1000;
const MOST_INDEX_BYTES = 16 << 20;

/**
 * Bytes after unpacking, or undefined when the format does not say. Of a gzip nobody can tell: it has the size modulo 2^32.
 *
 * @throws MalformedError, UnsupportedError (`zip`), as `findImageInZip`; and what the source throws.
 */
export function unpackedSize(source: BlockSource, packing: Packing): number | undefined {
	if (packing === "xz") return xzSize(source);
	if (packing === "zstd") return zstdSize(source);
	if (packing === "zip") return findImageInZip(source).bytes;
	return undefined;
}

const XZ_FOOTER_BYTES = 12;
const XZ_HEADER_BYTES = 12;

/** Sums the indexes at the ends of the streams, from the last one to the first. The .xz File Format, 2.1.2 and 4. */
function xzSize(source: BlockSource): number | undefined {
	let total = 0;
	let end = source.size;
	for (let streams = 0; end > 0; streams++) {
		if (streams > MOST_STREAMS || end < XZ_FOOTER_BYTES + XZ_HEADER_BYTES) return undefined;
		const footer = readBytes(source, end - XZ_FOOTER_BYTES, XZ_FOOTER_BYTES);
		// 2.2: Stream Padding is a multiple of four zero bytes.
		if (footer.readUInt32LE(8) === 0) {
			end -= 4;
			continue;
		}
		if (footer.toString("latin1", 10) !== "YZ") return undefined;
		const indexBytes = (footer.readUInt32LE(4) + 1) * 4;
		if (indexBytes > MOST_INDEX_BYTES || indexBytes > end - XZ_FOOTER_BYTES) return undefined;
		const indexAt = end - XZ_FOOTER_BYTES - indexBytes;
		const sums = sumIndex(readBytes(source, indexAt, indexBytes));
		if (sums === undefined) return undefined;
		total += sums.unpacked;
		end = indexAt - sums.packed - XZ_HEADER_BYTES;
	}
	return end === 0 && Number.isSafeInteger(total) ? total : undefined;
}

interface IndexSums {
	/** Bytes of the blocks in the file, each padded to four. */
	readonly packed: number;
	readonly unpacked: number;
}

/** 4: a zero byte, the number of records, and of each block its unpadded and its uncompressed size. */
function sumIndex(index: Buffer): IndexSums | undefined {
	const numbers = multibyteIntegers(index.subarray(1));
	const count = numbers.next().value;
	if (index[0] !== 0 || count === undefined || count > index.length) return undefined;
	let packed = 0;
	let unpacked = 0;
	for (let record = 0; record < count; record++) {
		const unpadded = numbers.next().value;
		const size = numbers.next().value;
		if (unpadded === undefined || size === undefined) return undefined;
		packed += Math.ceil(unpadded / 4) * 4;
		unpacked += size;
	}
	return { packed, unpacked };
}

/** 1.2: seven bits per byte, the lowest first; the eighth says that there is another. */
function* multibyteIntegers(bytes: Uint8Array): Generator<number, undefined> {
	let value = 0;
	let factor = 1;
	for (const byte of bytes) {
		value += (byte & 0x7f) * factor;
		factor *= 128;
		if (!Number.isSafeInteger(value) || factor > 2 ** 63) return undefined;
		if (byte & 0x80) continue;
		yield value;
		value = 0;
		factor = 1;
	}
	return undefined;
}

/** RFC 8878, 3.1.1.1: the header of the first frame; that it is the only one cannot be known. */
function zstdSize(source: BlockSource): number | undefined {
	const header = readBytes(source, 0, Math.min(18, source.size));
	if (header.length < 18 || header.readUInt32LE(0) !== 0xfd2fb528) return undefined;
	const descriptor = header.readUInt8(4);
	const isSingleSegment = (descriptor & 0x20) !== 0;
	const fieldBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
	const at = 5 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
	if (fieldBytes === 0) return undefined;
	if (fieldBytes === 8) {
		const size = header.readUInt32LE(at) + header.readUInt32LE(at + 4) * 0x1_0000_0000;
		return Number.isSafeInteger(size) ? size : undefined;
	}
	// "When FCS_Field_Size is 2, the offset of 256 is added."
	return header.readUIntLE(at, fieldBytes) + (fieldBytes === 2 ? 256 : 0);
}
