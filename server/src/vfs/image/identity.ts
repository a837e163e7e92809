/**
 * What tells one build of an image from another: size, mtime, inode, the superblock, and a few bytes from all over the
 * file, for images that are built with a fixed time stamp.
 */
import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { ExternalError } from "../../base/index.ts";
import type { ImageIo } from "./image-file.ts";

/** A file as `stat` sees it. `dev` and `ino` name it; `ctimeNs` moves with every change, also of its name or mode. */
export interface FileStamp {
	readonly dev: bigint;
	readonly ino: bigint;
	readonly size: number;
	readonly mtimeNs: bigint;
	readonly ctimeNs: bigint;
	/** Of an image in several files: each of them. */
	readonly parts?: readonly FileStamp[];
}

export function stampOf(stats: BigIntStats): FileStamp {
	const { dev, ino, mtimeNs, ctimeNs } = stats;
	return { dev, ino, size: Number(stats.size), mtimeNs, ctimeNs };
}

/** Whether nothing wrote to the file between two looks, as far as `stat` tells: renaming it or its mode does not count. */
export function sameContent(a: FileStamp, b: FileStamp): boolean {
	const isSame = a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;
	return isSame && sameParts(a, b, sameContent);
}

/** Whether nothing at all happened to the file. */
export function sameStamp(a: FileStamp, b: FileStamp): boolean {
	return sameContent(a, b) && a.ctimeNs === b.ctimeNs && sameParts(a, b, sameStamp);
}

function sameParts({ parts: a = [] }: FileStamp, { parts: b = [] }: FileStamp, isSame: typeof sameStamp): boolean {
	return a.length === b.length && a.every((stamp, index) => isSame(stamp, b[index] ?? stamp));
}

const SAMPLES = 64;
const SAMPLE_BYTES = 4096;

/**
 * A hash over samples that are spread evenly over the file, its beginning and its end among them. Off the loop.
 *
 * @throws ExternalError when the disk fails or the file is shorter than `size`.
 */
export async function fingerprint(io: ImageIo, fd: number, size: number): Promise<Buffer> {
	const hash = createHash("sha256");
	const length = Math.min(SAMPLE_BYTES, size);
	const sample = Buffer.alloc(length);
	for (let index = 0; index < SAMPLES; index++) {
		await readExactly(io, fd, sample, Math.floor(((size - length) * index) / (SAMPLES - 1)));
		hash.update(sample);
	}
	return hash.digest();
}

/**
 * The id of a build: 16 hex digits. The device number is left out: it changes when a disk is mounted anew, and a Pi's root
 * must survive that.
 */
export function buildId(stamp: FileStamp, superblock: string, print: Buffer): string {
	const known = [stamp.size, stamp.mtimeNs, stamp.ino, superblock, print.toString("hex")];
	return createHash("sha256").update(known.join("\n")).digest("hex").slice(0, 16);
}

async function readExactly(io: ImageIo, fd: number, target: Uint8Array, position: number): Promise<void> {
	let done = 0;
	while (done < target.length) {
		const bytes = await readSome(io, fd, target.subarray(done), position + done);
		if (bytes === 0)
			throw new ExternalError("EIO", `the image file ended at byte ${position + done} while it was sampled`);
		done += bytes;
	}
}

function readSome(io: ImageIo, fd: number, target: Uint8Array, position: number): Promise<number> {
	return new Promise((resolve, reject) => {
		io.read(fd, target, target.length, position, (error, bytes) => {
			if (error === null) resolve(bytes);
			else reject(new ExternalError("EIO", `the image file cannot be read at byte ${position}`, { cause: error }));
		});
	});
}
