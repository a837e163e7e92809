/** Unpacking a file, however it is packed. */
import { UnsupportedError } from "../../base/index.ts";
import type { BlockSource } from "../block/source.ts";
import type { Packing } from "./packing.ts";
import { type Chunks, type UnpackOptions, unpackStream } from "./stream.ts";
import { checkedEntry, findImageInZip } from "./zip.ts";

/** A packed file: random access for an archive's directory, and its bytes in order. */
export interface PackedFile {
	readonly source: BlockSource;
	/** The bytes from `start` on, `length` of them. */
	stream(start: number, length: number): Chunks;
}

/**
 * The unpacked bytes of a file, in order.
 *
 * @throws MalformedError, UnsupportedError (of the packing) when it is broken or uses what we do not have.
 * @throws what the file throws, and the reason of `signal`.
 */
export function unpack(file: PackedFile, packing: Packing, options: UnpackOptions = {}): Chunks {
	if (packing === "zip") return unpackZip(file, options);
	if (packing === "bzip2") throw new UnsupportedError("bzip2", "bzip2: this version cannot unpack it");
	return unpackStream(packing, file.stream(0, file.source.size), options);
}

function unpackZip(file: PackedFile, options: UnpackOptions): Chunks {
	const entry = findImageInZip(file.source);
	const packed = file.stream(entry.start, entry.packedBytes);
	const unpacked = entry.packing === "stored" ? packed : unpackStream(entry.packing, packed, options);
	return checkedEntry(entry, unpacked);
}
