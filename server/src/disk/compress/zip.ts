/**
 * The one image in a zip. What is in the archive is told by its central directory alone (APPNOTE 4.3.12), which has the sizes
 * also where the local headers leave them to a data descriptor, and which a program that reads from the front cannot see.
 */
import { crc32 } from "node:zlib";
import { MalformedError, nameToUtf8, UnsupportedError } from "../../base/index.ts";
import { type BlockSource, readBytes } from "../block/source.ts";
import type { StreamPacking } from "./stream.ts";

/** A file in a zip: where its packed bytes are, and what has to come out of them. */
export interface ZipEntry {
	readonly name: string;
	readonly packing: StreamPacking | "stored";
	readonly start: number;
	readonly packedBytes: number;
	readonly bytes: number;
	readonly crc32: number;
}

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const END64_LOCATOR_SIGNATURE = 0x07064b50;
const END64_LOCATOR_BYTES = 20;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;

/** An archive with an image in it has a handful of files; more than this is something else. */
const MOST_DIRECTORY_BYTES = 16 << 20;

/** 4.3.9: in these fields the maximum says that the number is in the zip64 extra field. */
const IN_EXTRA_32 = 0xffff_ffff;

/** 4.4.5. */
const METHODS: Readonly<Record<number, StreamPacking | "stored">> = { 0: "stored", 8: "deflate", 93: "zstd", 95: "xz" };

/**
 * Finds the file that is meant: the only `.img` in the archive, or its only file.
 *
 * @throws MalformedError (`zip`) when the archive is broken.
 * @throws UnsupportedError (`zip`) when it holds no image or several; for encryption, several disks, and methods of compression
 * that we do not have.
 */
export function findImageInZip(source: BlockSource): ZipEntry {
	const files = readDirectory(source).filter(({ name }) => !/(^|\/)(\.|__MACOSX\/)|\/$/.test(name));
	const images = files.filter(({ name }) => /\.(img|tar|wic)$/i.test(name));
	const candidates = images.length > 0 ? images : files;
	const [entry, second] = candidates;
	if (entry === undefined) throw new UnsupportedError("zip", "zip: the archive holds no file");
	if (second !== undefined) {
		const what = images.length > 0 ? `${images.length} images` : `${files.length} files, none of them an .img`;
		throw new UnsupportedError("zip", `zip: the archive holds ${what}: ${listed(candidates.map(({ name }) => name))}`);
	}
	return locate(source, entry);
}

function listed(names: readonly string[]): string {
	const shown = names.slice(0, 4).map((name) => nameToUtf8(name).slice(0, 80));
	return shown.join(", ") + (names.length > shown.length ? ", ..." : "");
}

/** What the central directory says of a file. */
interface CentralEntry {
	readonly name: string;
	readonly flags: number;
	readonly method: number;
	readonly crc32: number;
	readonly packedBytes: number;
	readonly bytes: number;
	readonly headerAt: number;
}

function readPart(source: BlockSource, offset: number, length: number): Buffer {
	if (offset + length <= source.size) return readBytes(source, offset, length);
	const where = `${length} bytes at byte ${offset} of the archive, which has ${source.size}`;
	throw new MalformedError("zip", `zip: it is cut off, or its front is missing: no ${where}`);
}

interface Directory {
	readonly start: number;
	readonly bytes: number;
}

function readDirectory(source: BlockSource): CentralEntry[] {
	const { start, bytes } = findDirectory(source);
	if (bytes > MOST_DIRECTORY_BYTES) throw new UnsupportedError("zip", `zip: a directory of ${bytes} bytes`);
	const directory = readPart(source, start, bytes);
	const entries: CentralEntry[] = [];
	for (let at = 0; at < directory.length; ) {
		if (at + CENTRAL_BYTES > directory.length || directory.readUInt32LE(at) !== CENTRAL_SIGNATURE) {
			throw new MalformedError("zip", `zip: no entry at byte ${at} of the central directory`);
		}
		const nameBytes = directory.readUInt16LE(at + 28);
		const extraBytes = directory.readUInt16LE(at + 30);
		const end = at + CENTRAL_BYTES + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
		if (end > directory.length) throw new MalformedError("zip", "zip: the central directory is cut off");
		entries.push(readEntry(directory.subarray(at, end), nameBytes, extraBytes));
		at = end;
	}
	return entries;
}

function readEntry(entry: Buffer, nameBytes: number, extraBytes: number): CentralEntry {
	const extraAt = CENTRAL_BYTES + nameBytes;
	const wide = zip64Numbers(entry.subarray(extraAt, extraAt + extraBytes));
	// 4.5.3: the fields of the extra come in this order, and only those that the entry itself has no room for.
	const widened = (value: number) => (value === IN_EXTRA_32 ? wide.next().value : undefined) ?? value;
	const bytes = widened(entry.readUInt32LE(24));
	const packedBytes = widened(entry.readUInt32LE(20));
	const headerAt = widened(entry.readUInt32LE(42));
	const name = entry.toString("latin1", CENTRAL_BYTES, extraAt);
	const crc = entry.readUInt32LE(16);
	return {
		name,
		flags: entry.readUInt16LE(8),
		method: entry.readUInt16LE(10),
		crc32: crc,
		packedBytes,
		bytes,
		headerAt,
	};
}

/** The numbers of the extra field 0x0001. */
function* zip64Numbers(extra: Buffer): Generator<number, undefined> {
	for (let at = 0; at + 4 <= extra.length; ) {
		const end = at + 4 + extra.readUInt16LE(at + 2);
		if (extra.readUInt16LE(at) === 1) {
			for (let number = at + 4; number + 8 <= Math.min(end, extra.length); number += 8) yield u64(extra, number);
		}
		at = end;
	}
	return undefined;
}

function u64(bytes: Buffer, at: number): number {
	const value = bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
	if (!Number.isSafeInteger(value)) throw new MalformedError("zip", `zip: a number larger than 2^53 at byte ${at}`);
	return value;
}

/** 4.3.16: the end record is searched from the back, because a comment of any content follows it. */
function findDirectory(source: BlockSource): Directory {
	const tailBytes = Math.min(source.size, END_BYTES + LONGEST_COMMENT);
	const tailAt = source.size - tailBytes;
	const tail = readPart(source, tailAt, tailBytes);
	for (let at = tail.length - END_BYTES; at >= 0; at--) {
		if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
		if (at + END_BYTES + tail.readUInt16LE(at + 20) !== tail.length) continue;
		return directoryOf(source, tail.subarray(at, at + END_BYTES), tailAt + at);
	}
	throw new MalformedError("zip", "zip: no directory at its end: the archive is cut off, or is none");
}

function directoryOf(source: BlockSource, end: Buffer, endAt: number): Directory {
	const locatorAt = endAt - END64_LOCATOR_BYTES;
	if (locatorAt >= 0) {
		const locator = readPart(source, locatorAt, END64_LOCATOR_BYTES);
		if (locator.readUInt32LE(0) === END64_LOCATOR_SIGNATURE) return directory64(source, u64(locator, 8));
	}
	const disks = end.readUInt16LE(4) + end.readUInt16LE(6);
	if (disks !== 0) throw new UnsupportedError("zip", "zip: the archive is split over several files");
	return { start: end.readUInt32LE(16), bytes: end.readUInt32LE(12) };
}

function directory64(source: BlockSource, at: number): Directory {
	const end = readPart(source, at, END64_BYTES);
	if (end.readUInt32LE(0) !== END64_SIGNATURE)
		throw new MalformedError("zip", `zip: no zip64 end record at byte ${at}`);
	return { start: u64(end, 48), bytes: u64(end, 40) };
}

/** The packed bytes begin behind the local header, whose lengths may differ from those in the directory. */
function locate(source: BlockSource, entry: CentralEntry): ZipEntry {
	const { method, headerAt, packedBytes, bytes } = entry;
	const name = nameToUtf8(entry.name);
	if ((entry.flags & 1) !== 0) throw new UnsupportedError("zip", `zip: ${name} is encrypted`);
	const packing = METHODS[method];
	if (packing === undefined) throw new UnsupportedError("zip", `zip: ${name} is packed by method ${method}`);
	const header = readPart(source, headerAt, LOCAL_BYTES);
	if (header.readUInt32LE(0) !== LOCAL_SIGNATURE) {
		throw new MalformedError("zip", `zip: no local header at byte ${headerAt}`);
	}
	const start = headerAt + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
	if (start + packedBytes > source.size) {
		throw new MalformedError("zip", `zip: ${name} ends at byte ${start + packedBytes}, the archive at ${source.size}`);
	}
	return { name, packing, start, packedBytes, bytes, crc32: entry.crc32 };
}

/**
 * Passes on what was unpacked of an entry, and compares it with what the directory says.
 *
 * @throws MalformedError (`zip`) at the end, or as soon as there is too much.
 */
export async function* checkedEntry(entry: ZipEntry, unpacked: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
	let bytes = 0;
	let sum = 0;
	for await (const chunk of unpacked) {
		bytes += chunk.length;
		sum = crc32(chunk, sum);
		if (bytes > entry.bytes) break;
		yield chunk;
	}
	if (bytes !== entry.bytes) {
		const got = bytes > entry.bytes ? "more" : String(bytes);
		throw new MalformedError("zip", `zip: ${entry.name} has ${got} bytes, expected ${entry.bytes}`);
	}
	if (sum >>> 0 !== entry.crc32) throw new MalformedError("zip", `zip: the checksum of ${entry.name} does not match`);
}
