/**
 * The map of an image's build: what an agent has to fetch, to write and to prove. Its bytes are JSON, its name is their
 * SHA-256, so whoever has the name can check what it got, wherever it came from.
 */
import { createHash } from "node:crypto";
import { BLOCK, CHUNK_BLOCKS, type Run } from "../../disk/index.ts";

const MAP_VERSION = 1;

export type Codec = "raw" | "zstd";

export interface MapChunk {
	/** Number of the 4 MiB of the image. */
	readonly n: number;
	/** Where the pack has it, and how many bytes. */
	readonly at: number;
	readonly length: number;
	readonly codec: Codec;
	/** SHA-256 of the data runs one behind the other, 64 hex digits; empty when there is no data. */
	readonly sha256: string;
	/** Runs of blocks, relative to the chunk: what the pack has. */
	readonly data: readonly Run[];
	/** What must read as zeros. */
	readonly zero: readonly Run[];
}

export interface MapPartition {
	readonly index: number;
	readonly fileSystem: string;
	readonly size: number;
	readonly freeBytes: number;
	readonly doubt?: string;
}

export interface ImageMap {
	/** Bytes of the image. */
	readonly size: number;
	readonly dataBytes: number;
	readonly zeroBytes: number;
	readonly pack: { readonly size: number; readonly sha256: string };
	readonly partitions: readonly MapPartition[];
	/** Rising by number; chunks in which nothing is in use are missing. */
	readonly chunks: readonly MapChunk[];
}

/** The bytes of a map; the chunks as arrays, since there are thousands. */
export function encodeMap(map: ImageMap): Buffer {
	const chunks = map.chunks.map(({ n, at, length, codec, sha256, data, zero }) => {
		return [n, at, length, codec === "zstd" ? 1 : 0, sha256, data.flat(), zero.flat()];
	});
	const { size, dataBytes, zeroBytes, pack, partitions } = map;
	const head = { v: MAP_VERSION, size, blockSize: BLOCK, chunkBlocks: CHUNK_BLOCKS, hash: "sha256" };
	return Buffer.from(JSON.stringify({ ...head, dataBytes, zeroBytes, pack, partitions, chunks }));
}

/** What a map is called: 64 hex digits. */
export function nameOf(bytes: Uint8Array): string {
	return createHash("sha256").update(bytes).digest("hex");
}
