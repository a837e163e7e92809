/** Images as files, for who fetches them whole. */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Readable } from "node:stream";
import { ExternalError, systemCode } from "../base/index.ts";
import type { ImageBytes } from "../http/index.ts";
import type { ImageLibrary } from "../images/index.ts";

/** Read at once. */
const PIECE = 1 << 20;

type Images = Pick<ImageLibrary, "list" | "choose">;

/**
 * Opens an image: by the name of its file as it lies there, packed or not; by its id, or the name of its folder, unpacked.
 * No name leads anywhere but to an image of the library.
 *
 * @returns undefined when there is none, or it is more than one file. @throws the operating system's error.
 */
export async function openImageBytes(images: Images, name: string): Promise<ImageBytes | undefined> {
	for (const path of pathsOf(images, name)) {
		const bytes = await openFile(path);
		if (bytes !== undefined) return bytes;
	}
	return undefined;
}

/** Where it may lie. A folder may be an image, and has the name that its file is asked by. */
function pathsOf(images: Images, name: string): string[] {
	const all = images.list();
	const asItLies = all.filter(({ path }) => basename(path) === name).map(({ path }) => path);
	const ofFolder = all.filter(({ path }) => basename(dirname(path)) === name);
	const image = all.find(({ id }) => id === name) ?? (ofFolder.length === 1 ? ofFolder[0] : undefined);
	const build = image && images.choose(image.id)?.build;
	return build?.source === undefined ? asItLies : [...asItLies, build.path];
}

async function openFile(path: string): Promise<ImageBytes | undefined> {
	const file = await openIfThere(path);
	const before = await file?.stat({ bigint: true });
	if (file === undefined || !before?.isFile()) {
		await file?.close();
		return undefined;
	}
	const print = [before.dev, before.ino, before.size, before.mtimeNs].join(" ");
	return {
		name: basename(path),
		size: Number(before.size),
		etag: `"${createHash("sha256").update(print).digest("hex").slice(0, 32)}"`,
		read: (start, end) => Readable.from(pieces(file, print, start, end), { objectMode: false }),
		close: () => void file.close(),
	};
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
	try {
		return await open(path, "r");
	} catch (error) {
		if (systemCode(error) === "ENOENT") return undefined;
		throw error;
	}
}

/** Whoever reads a file that is changed meanwhile gets a download that ends early, and not one that is mixed. */
async function* pieces(file: FileHandle, print: string, start: number, end: number): AsyncGenerator<Buffer> {
	try {
		for (let at = start; at < end; ) {
			const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, end - at));
			const { bytesRead } = await file.read(piece, 0, piece.length, at);
			at += bytesRead;
			if (bytesRead === 0 || (at >= end && (await printOf(file)) !== print)) {
				throw new ExternalError("image-changed", "the image was changed while it was downloaded");
			}
			yield piece.subarray(0, bytesRead);
		}
	} finally {
		await file.close();
	}
}

async function printOf(file: FileHandle): Promise<string> {
	const { dev, ino, size, mtimeNs } = await file.stat({ bigint: true });
	return [dev, ino, size, mtimeNs].join(" ");
}
