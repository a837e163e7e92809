/** Decides which file of the folder is which image. */
import { FileError, systemCode } from "../base/index.ts";
import type { ImageEntry } from "./entry.ts";
import type { FoundFile } from "./found.ts";

/** Whether a file is what an image was last seen as, under whatever name. */
export type IsImage = (entry: ImageEntry, file: FoundFile) => Promise<boolean>;

export interface Assignment {
	readonly assigned: Map<ImageEntry, FoundFile>;
	/** Files of no image that is known. */
	readonly left: readonly FoundFile[];
}

/**
 * A file that kept its place is the image of that place, unless that image's own file is now elsewhere: then it was renamed, and
 * keeps its id. What is left is new.
 */
export async function assignFiles(
	entries: readonly ImageEntry[],
	found: readonly FoundFile[],
	isImage: IsImage,
): Promise<Assignment> {
	const assigned = new Map<ImageEntry, FoundFile>();
	const left = new Set(found);
	const claim = (entry: ImageEntry, file: FoundFile) => {
		assigned.set(entry, file);
		left.delete(file);
	};
	for (const entry of entries) {
		const file = found.find((each) => each.place === entry.record.path);
		if (file !== undefined && !(await wasMoved(entry, file, found, isImage))) claim(entry, file);
	}
	for (const entry of entries) {
		const file = assigned.has(entry) ? undefined : await findMoved(entry, left, isImage);
		if (file !== undefined) claim(entry, file);
	}
	return { assigned, left: [...left] };
}

async function wasMoved(entry: ImageEntry, atItsPlace: FoundFile, found: readonly FoundFile[], isImage: IsImage) {
	if (String(atItsPlace.stamp.ino) === entry.record.ino || entry.isFile(atItsPlace)) return false;
	return (await findMoved(entry, found, isImage)) !== undefined;
}

async function findMoved(
	entry: ImageEntry,
	files: Iterable<FoundFile>,
	isImage: IsImage,
): Promise<FoundFile | undefined> {
	for (const file of files) if (await isImage(entry, file)) return file;
	return undefined;
}

/** Whether the file system in an image is the one that is remembered. What cannot be opened has none. */
export async function hasSuperblock(find: () => Promise<string>, { record }: ImageEntry): Promise<boolean> {
	if (record.superblockIdentity === "") return false;
	try {
		return (await find()) === record.superblockIdentity;
	} catch (error) {
		if (systemCode(error) === undefined && !(error instanceof FileError)) throw error;
		return false;
	}
}
