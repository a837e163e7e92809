/** The raw image behind a file of the folder: the file itself, or what it was unpacked into. */
import fs from "node:fs";
import { FileError, systemCode } from "../base/index.ts";
import { type BuildOrigin, originOf, stampOf } from "../vfs/index.ts";
import type { FoundFile } from "./found.ts";
import { packingOf } from "./import/packing-of.ts";
import { type UnpackedFiles, unpackedKey } from "./import/unpacked-files.ts";

export type RawImage =
	| { readonly state: "raw"; readonly file: FoundFile; readonly origin?: BuildOrigin; readonly key?: string }
	| { readonly state: "packed"; readonly file: FoundFile; readonly origin: BuildOrigin; readonly key: string };

/** Where the raw image of a file is, or that it has to be unpacked first. @throws FileError EAGAIN when the file changes. */
export async function findRawImage(file: FoundFile, unpacked: UnpackedFiles | undefined): Promise<RawImage> {
	const origin = unpacked === undefined ? undefined : await originOfPacked(file);
	if (unpacked === undefined || origin === undefined) return { state: "raw", file };
	const key = unpackedKey(origin);
	const place = unpacked.find(key);
	if (place === undefined) return { state: "packed", file, origin, key };
	const stamp = stampOf(await fs.promises.stat(place, { bigint: true }));
	return { state: "raw", file: { path: place, place: file.place, name: file.name, stamp }, origin, key };
}

/** What names the file, if it is packed in a way that we unpack. One that cannot be read is for `takeImage` to tell of. */
async function originOfPacked(file: FoundFile): Promise<BuildOrigin | undefined> {
	try {
		const packing = await packingOf(file.path);
		return packing === undefined || packing === "bzip2" ? undefined : await originOf(file.path, file.stamp);
	} catch (error) {
		if (systemCode(error) === undefined || error instanceof FileError) throw error;
		return undefined;
	}
}
