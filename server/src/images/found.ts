/** An image as the folder has it. */
import fs from "node:fs";
import path from "node:path";
import { systemCode } from "../base/index.ts";
import { type FileStamp, stampOf } from "../vfs/index.ts";
import type { ImageFinding } from "./inspect-facts.ts";

export interface FoundFile {
	/** What is read: the file, or the folder where it is more than one. Absolute; symbolic links are not resolved. */
	readonly path: string;
	/** Where the image is: the file, or the folder that holds this one image. */
	readonly place: string;
	readonly name: string;
	/** Of the file behind a symbolic link; of the folder where that is the image, with those of its files. */
	readonly stamp: FileStamp;
	/** What the image consists of, where it is not one file. */
	readonly content?: FolderContent;
}

export type FolderContent =
	/** A root file system lies open in `root`, its boot files in it or in a directory of their own. */
	| { readonly kind: "directory"; readonly root: string; readonly boot?: string }
	/** A root and a boot volume, a file each. */
	| { readonly kind: "volumes"; readonly root: FoundFile; readonly boot: FoundFile }
	/** It was meant to be an image. */
	| { readonly kind: "unusable"; readonly finding: ImageFinding };

/** Images, raw and packed, and root file systems in archives. */
const IMAGE_NAME = /^[^.].*\.((img|tar)(\.(xz|gz|zst|bz2))?|tgz|txz|zip)$/i;

/** Whether a file of this name is taken for an image. */
export function isImageName(name: string): boolean {
	return IMAGE_NAME.test(name);
}

/** A file as an image; undefined when it is none, or nothing that can be looked at. */
export async function lookAt(file: string, name = path.basename(file)): Promise<FoundFile | undefined> {
	const stats = await statsOf(file);
	return stats?.isFile() ? { path: file, place: file, name, stamp: stampOf(stats) } : undefined;
}

/** Undefined for what cannot be looked at. */
export async function statsOf(place: string): Promise<fs.BigIntStats | undefined> {
	try {
		return await fs.promises.stat(place, { bigint: true });
	} catch (error) {
		if (systemCode(error) === undefined) throw error;
		return undefined;
	}
}

/** The names in a folder; none in what cannot be read, or is no folder. */
export async function namesIn(folder: string): Promise<string[]> {
	try {
		return await fs.promises.readdir(folder);
	} catch (error) {
		if (systemCode(error) === undefined) throw error;
		return [];
	}
}
