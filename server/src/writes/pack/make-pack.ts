/** Making map and pack of one build of an image: reads it once, from start to end. For a worker: it computes all the time. */
import { createHash, randomBytes } from "node:crypto";
import { type BigIntStats, statSync } from "node:fs";
import { type FileHandle, open, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { errorText, isNetbootError, systemCode } from "../../base/index.ts";
import {
	BLOCK,
	type BlockSource,
	CHUNK,
	CHUNK_BLOCKS,
	type ChunkPlan,
	FileSource,
	type FreeBlocks,
	type FreeSpace,
	findFreeSpace,
	planChunk,
} from "../../disk/index.ts";
import { encodeMap, type ImageMap, type MapChunk, nameOf } from "./map.ts";
import { PackError } from "./pack-error.ts";

export interface PackRequest {
	/** Path of the image. */
	readonly image: string;
	/** Folder for maps and packs. */
	readonly folder: string;
}

export interface PackProgress {
	/** Bytes of the image that were read, of all. */
	readonly done: number;
	readonly total: number;
}

export interface PackResult {
	/** Names the map: `NAME.map`. */
	readonly map: string;
	/** Names the pack: `NAME.pack`. */
	readonly pack: string;
	readonly dataBytes: number;
	readonly zeroBytes: number;
	readonly packBytes: number;
}

/** What stays free for everything else on that disk. */
const RESERVE = 64 * 1024 * 1024;
/** Chunks between two looks at the room that is left. */
const LOOK = 16;
/** Measured on ordinary files: level 3 gives 0.30 at 250 MB/s a core, 9 no more for four times the work. */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 3 }, chunkSize: 512 * 1024 };

const compress = promisify(zstdCompress);

/**
 * Writes map and pack; both appear whole and under their final names, the pack before the map.
 *
 * @throws PackError.
 */
export async function makePack(
	{ image, folder }: PackRequest,
	onProgress: (progress: PackProgress) => void,
	signal: AbortSignal,
): Promise<PackResult> {
	const unfinished = join(folder, `${randomBytes(8).toString("hex")}.unfinished`);
	try {
		const file = await open(unfinished, "wx");
		try {
			const map = await new Packer(image, folder, file, onProgress, signal).run();
			await file.datasync();
			return await publish(folder, unfinished, map);
		} finally {
			await file.close();
		}
	} catch (error) {
		for (const path of [unfinished, mapOf(unfinished)]) await rm(path, { force: true });
		throw explain(error, folder);
	}
}

/** Where the map is written that belongs to an unfinished pack. */
function mapOf(unfinished: string): string {
	return `${unfinished}-map.unfinished`;
}

/** Names left by a server that was ended in the middle. */
export function isUnfinished(name: string): boolean {
	return name.endsWith(".unfinished");
}

async function publish(folder: string, unfinished: string, map: ImageMap): Promise<PackResult> {
	const bytes = encodeMap(map);
	const name = nameOf(bytes);
	await rename(unfinished, join(folder, `${map.pack.sha256}.pack`));
	await writeFile(mapOf(unfinished), bytes, { flush: true });
	await rename(mapOf(unfinished), join(folder, `${name}.map`));
	const { dataBytes, zeroBytes, pack } = map;
	return { map: name, pack: pack.sha256, dataBytes, zeroBytes, packBytes: pack.size };
}

function explain(error: unknown, folder: string): Error {
	if (error instanceof PackError) return error;
	if (systemCode(error) === "ENOSPC") return noSpace(folder);
	const from = isNetbootError(error) || error instanceof Error ? errorText(error) : String(error);
	return new PackError("pack-failed", `The image could not be prepared for writing: ${from}.`);
}

function noSpace(folder: string): PackError {
	const hint = "Free some space there, or start the server with --data on a larger disk.";
	return new PackError("pack-no-space", `There is no room left on the disk of ${folder} to prepare the image.`, hint);
}

/** One run over one image. */
class Packer {
	readonly #image: string;
	readonly #folder: string;
	readonly #file: FileHandle;
	readonly #onProgress: (progress: PackProgress) => void;
	readonly #signal: AbortSignal;
	readonly #hash = createHash("sha256");
	readonly #chunks: MapChunk[] = [];
	#planned = 0;
	#at = 0;

	constructor(
		image: string,
		folder: string,
		file: FileHandle,
		onProgress: (progress: PackProgress) => void,
		signal: AbortSignal,
	) {
		this.#image = image;
		this.#folder = folder;
		this.#file = file;
		this.#onProgress = onProgress;
		this.#signal = signal;
	}

	async run(): Promise<ImageMap> {
		const before = statSync(this.#image, { bigint: true });
		const source = FileSource.open(this.#image);
		try {
			const space = findFreeSpace(source);
			await this.#pack(source, space);
			if (!isSame(before, statSync(this.#image, { bigint: true }))) throw changed();
			return this.#map(source.size, space);
		} finally {
			source.close();
		}
	}

	/** While a chunk is compressed, the next one is read. */
	async #pack(source: BlockSource, { free }: FreeSpace): Promise<void> {
		const rooms: readonly [Room, Room] = [makeRoom(), makeRoom()];
		let storing: Promise<void> = Promise.resolve();
		try {
			for (const n of chunksInUse(source.size, free)) {
				if (this.#signal.aborted) throw new PackError("pack-cancelled", "Preparing the image was cancelled.");
				const { bytes, payload } = rooms[this.#planned++ % 2 === 0 ? 0 : 1];
				const plan = planChunk(readChunk(source, n, bytes), n, free, payload);
				await storing;
				storing = this.#store(n, plan);
				this.#onProgress({ done: Math.min((n + 1) * CHUNK, source.size), total: source.size });
			}
		} finally {
			await storing;
		}
	}

	async #store(n: number, { data, zero, payload }: ChunkPlan): Promise<void> {
		if (this.#chunks.length % LOOK === 0) await this.#checkRoom();
		this.#chunks.push({ n, ...(await this.#append(payload)), data, zero });
	}

	async #checkRoom(): Promise<void> {
		const { bavail, bsize } = await statfs(this.#folder);
		if (bavail * bsize < RESERVE) throw noSpace(this.#folder);
	}

	/** What does not shrink is stored as it is, so that nobody unpacks it in vain. */
	async #append(payload: Buffer): Promise<Pick<MapChunk, "at" | "length" | "codec" | "sha256">> {
		const at = this.#at;
		if (payload.length === 0) return { at, length: 0, codec: "raw", sha256: "" };
		const compressed = compress(payload, OPTIONS);
		const sha256 = createHash("sha256").update(payload).digest("hex");
		const packed = await compressed;
		const codec = packed.length < payload.length ? "zstd" : "raw";
		const bytes = codec === "zstd" ? packed : payload;
		this.#hash.update(bytes);
		await this.#file.appendFile(bytes);
		this.#at += bytes.length;
		return { at, length: bytes.length, codec, sha256 };
	}

	#map(size: number, { partitions }: FreeSpace): ImageMap {
		const blocks = (kind: "data" | "zero") =>
			this.#chunks.flatMap((chunk) => chunk[kind]).reduce((sum, [, count]) => sum + count, 0);
		const pack = { size: this.#at, sha256: this.#hash.digest("hex") };
		const counts = { dataBytes: blocks("data") * BLOCK, zeroBytes: blocks("zero") * BLOCK };
		return { size, ...counts, pack, partitions, chunks: this.#chunks };
	}
}

/** Memory for one chunk, used again: fresh memory for each made the process twice as large, and slower. */
interface Room {
	readonly bytes: Buffer;
	readonly payload: Buffer;
}

function makeRoom(): Room {
	return { bytes: Buffer.allocUnsafe(CHUNK), payload: Buffer.allocUnsafe(CHUNK) };
}

/** The numbers of the chunks in which something is in use: the others need not even be read. */
function* chunksInUse(size: number, free: FreeBlocks): Generator<number> {
	const count = Math.ceil(size / CHUNK);
	for (let n = 0; n < count; n++) {
		const end = Math.min((n + 1) * CHUNK_BLOCKS, free.length);
		if (free.count(n * CHUNK_BLOCKS, end) < end - n * CHUNK_BLOCKS) yield n;
	}
}

/** The last chunk of an image is filled up with zeros to a whole block. */
function readChunk(source: BlockSource, n: number, room: Buffer): Buffer {
	const start = n * CHUNK;
	const length = Math.min(CHUNK, source.size - start);
	const bytes = room.subarray(0, Math.ceil(length / BLOCK) * BLOCK);
	source.read(start, bytes.subarray(0, length));
	return bytes.fill(0, length);
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
	return one.ino === other.ino && one.size === other.size && one.mtimeNs === other.mtimeNs;
}

function changed(): PackError {
	const hint = "Wait until it is copied completely; it is tried again then.";
	return new PackError("pack-image-changed", "The image was changed while it was prepared for writing.", hint);
}
