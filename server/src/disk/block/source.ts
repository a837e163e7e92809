/**
 * Where the bytes of a disk come from. Readers know nothing else of the image: a plain file, a cache over a file, a part
 * of another source and an array in a test all look the same.
 */
import { MalformedError } from "../../base/index.ts";

/** A run of bytes of a fixed size that can be read at any place. */
export interface BlockSource {
	/** Bytes. */
	readonly size: number;

	/**
	 * Fills all of `target` with the bytes from `offset` on.
	 *
	 * @throws BlockFault when the bytes are not at hand yet, MalformedError (`image`) when the range is not inside the
	 * source, ExternalError when the operating system fails.
	 */
	read(offset: number, target: Uint8Array): void;
}

/**
 * Checks that a range lies inside a source.
 *
 * @throws MalformedError (`image`).
 */
export function checkRange(offset: number, length: number, size: number): void {
	if (Number.isSafeInteger(offset) && offset >= 0 && offset + length <= size) return;
	throw new MalformedError("image", `image: ${length} bytes at offset ${offset} are not inside its ${size} bytes`);
}

/**
 * Reads `length` bytes into a buffer of their own. `length` must be bounded by the caller: it is allocated as it is, once
 * the range is known to exist.
 */
export function readBytes(source: BlockSource, offset: number, length: number): Buffer {
	checkRange(offset, length, source.size);
	const bytes = Buffer.allocUnsafe(length);
	source.read(offset, bytes);
	return bytes;
}
