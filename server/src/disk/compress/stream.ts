/**
 * Unpacking a stream: chunks in, chunks out, with no more in memory than the decompressor's own window. What the format
 * checks (CRC-32 of gzip and zip, xxHash of zstd, CRC or SHA-256 of xz) is checked, and an end that comes too early is an error.
 */
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createInflateRaw, createZstdDecompress } from "node:zlib";
import { errorText, MalformedError, systemCode } from "../../base/index.ts";
import { unxz } from "./xz.ts";

export type Chunks = AsyncIterable<Uint8Array>;

/** What is one stream from its first byte to its last; `deflate` is what lies in a zip. */
export type StreamPacking = "gzip" | "zstd" | "xz" | "deflate";

export interface UnpackOptions {
	readonly signal?: AbortSignal;
}

/** Each chunk costs a trip through the thread pool; 16 KiB, the default, takes a third longer. */
const CHUNK_BYTES = 1 << 18;

/** So that the thread pool unpacks what comes next while the chunks before it are written. */
const AHEAD_BYTES = 1 << 18;

/**
 * Unpacks a stream; several members, frames or streams in a row are one, as the programs have it.
 *
 * @throws MalformedError of the packing when the bytes are not what it demands, or end too early.
 * @throws what `input` throws, and the reason of `signal`.
 */
export function unpackStream(packing: StreamPacking, input: Chunks, options: UnpackOptions = {}): Chunks {
	if (packing === "xz") return unxz(input, options.signal);
	return throughZlib(packing, input, options.signal);
}

function openZlib(packing: Exclude<StreamPacking, "xz">): Transform {
	const options = { chunkSize: CHUNK_BYTES, highWaterMark: AHEAD_BYTES };
	if (packing === "gzip") return createGunzip(options);
	if (packing === "zstd") return createZstdDecompress(options);
	return createInflateRaw(options);
}

async function* throughZlib(packing: Exclude<StreamPacking, "xz">, input: Chunks, signal?: AbortSignal) {
	const zlib = openZlib(packing);
	const feeding = pipeline(input, zlib, { signal });
	// Its failure shows below too, where somebody listens from the start.
	feeding.catch(() => {});
	try {
		yield* zlib as Chunks;
		await feeding;
	} catch (error) {
		signal?.throwIfAborted();
		throw translated(packing, error);
	} finally {
		zlib.destroy();
	}
}

function translated(packing: string, error: unknown): unknown {
	if (!/^(Z_|ZSTD_)/.test(systemCode(error) ?? "")) return error;
	const isShort = systemCode(error) === "Z_BUF_ERROR";
	const what = isShort ? "the data ends too early" : errorText(error);
	return new MalformedError(packing, `${packing}: ${what}`, { cause: error });
}
