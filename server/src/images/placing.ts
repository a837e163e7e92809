/** What a person does to the files of the images: putting them elsewhere, taking them away, naming one that lies elsewhere. */
import fs from "node:fs";
import path from "node:path";
import { errorText, NetbootError, shellQuote, systemCode } from "../base/index.ts";
import { type FoundFile, isImageName } from "./found.ts";
import { checkedFolderName, checkedImageName, imageEnding } from "./import/image-name.ts";
import { ImportError } from "./import/import-error.ts";
import { imageExists, isThere, renameWithoutReplacing } from "./import/landing.ts";
import { findInSubfolder, surrounds } from "./subfolder.ts";

/**
 * Renames an image within its folder: its file, or the folder that holds this one image. A file's name without an ending
 * keeps the one that it has.
 *
 * @throws ImportError `import-name`, `image-exists`; the operating system's error.
 */
export async function renameImage(file: FoundFile, wish: string): Promise<void> {
	const { place } = file;
	const fileName = () => checkedImageName(isImageName(wish) ? wish : wish + imageEnding(place));
	const target = path.join(path.dirname(place), isFolder(file) ? checkedFolderName(wish) : fileName());
	if (target !== place) await renameWithoutReplacing(place, target);
}

/**
 * Deletes the files of an image, and the folder that held nothing else.
 *
 * @throws NetbootError `conflict` for what somebody prepared by hand; the operating system's error.
 */
export async function deleteImage(file: FoundFile): Promise<void> {
	const { content, place, name } = file;
	if (content?.kind === "directory" || content?.kind === "unusable") {
		throw new NetbootError(
			"conflict",
			`${name} is a directory that somebody prepared: the server does not delete it.`,
			{
				hint: `Delete it yourself: rm -r --one-file-system ${shellQuote(place)}`,
			},
		);
	}
	const files = content === undefined ? [file.path] : [content.root.path, content.boot.path];
	for (const each of files) await fs.promises.rm(each, { force: true });
	if (isFolder(file)) await removeEmpty(place);
}

function isFolder({ path: file, place, content }: FoundFile): boolean {
	return content !== undefined || file !== place;
}

async function removeEmpty(folder: string): Promise<void> {
	try {
		await fs.promises.rmdir(folder);
	} catch (error) {
		if (!/^(ENOTEMPTY|EEXIST)$/.test(systemCode(error) ?? "")) throw error;
	}
}

/** Removes a link that leads to an image elsewhere. False when the file is none. */
export async function removeLink(file: string): Promise<boolean> {
	const stats = fs.lstatSync(file, { throwIfNoEntry: false });
	if (stats?.isSymbolicLink() !== true) return false;
	await fs.promises.unlink(file);
	return true;
}

/**
 * Makes an image that lies elsewhere on this machine one of the folder, by a link: it is used where it lies. Gives the path
 * in the folder; one that lies there already stays what it is.
 *
 * @param own folders of the server. @throws ImportError `import-path`, `import-name`, `image-exists`, `import-failed`.
 */
export async function linkImage(file: string, folder: string, own: readonly string[], wish?: string): Promise<string> {
	if (!path.isAbsolute(file)) {
		throw new ImportError("import-path", `"${file}" is no absolute path.`, { hint: "It begins with a slash." });
	}
	const place = path.resolve(file);
	const kind = await kindOf(place);
	if (kind === "folder") await checkFolder(place, [folder, ...own]);
	if (isBelow(place, folder) && wish === undefined) return place;
	const checked = kind === "folder" ? checkedFolderName : checkedImageName;
	const target = path.join(folder, checked(wish ?? path.basename(place)));
	if (isThere(target)) throw imageExists(target);
	try {
		await fs.promises.symlink(place, target);
	} catch (error) {
		throw new ImportError("import-failed", `${target} cannot be made a link to it: ${errorText(error)}.`, {
			hint: `Copy it instead: cp -a ${shellQuote(place)} ${shellQuote(target)}`,
			cause: error,
		});
	}
	return target;
}

/** A folder has to be one image. @throws ImportError `import-path` */
async function checkFolder(place: string, own: readonly string[]): Promise<void> {
	if (await surrounds(place, own)) {
		throw new ImportError("import-path", `${place} holds folders of this server: it is a part of this machine.`, {
			hint: "Copy the system that Pis shall boot into a folder of its own.",
		});
	}
	const names = await fs.promises.readdir(place).catch((error) => {
		throw unreadable(place, error);
	});
	const [first, second] = await findInSubfolder(place, names, own);
	if (first === undefined) {
		throw new ImportError("import-path", `${place} is a directory without an image, and no root file system.`, {
			hint: "A root file system has an etc, and a usr or bin.",
		});
	}
	if (second !== undefined) {
		throw new ImportError("import-path", `There are several images in ${place}.`, { hint: "Name one of them." });
	}
	if (first.content?.kind !== "unusable") return;
	const { message, fix } = first.content.finding;
	throw new ImportError("import-path", `${place}: ${message}`, fix === undefined ? {} : { hint: fix });
}

/** Directly in the folder or in one of its folders: there the library looks. */
function isBelow(place: string, folder: string): boolean {
	const steps = path.relative(folder, place).split(path.sep);
	return steps[0] !== ".." && steps.length <= 2;
}

/** @throws ImportError `import-path` for what is neither a file nor a folder, or cannot be read. */
async function kindOf(place: string): Promise<"file" | "folder"> {
	const stats = await readableStats(place).catch((error) => {
		throw unreadable(place, error);
	});
	if (stats.isFile()) return "file";
	if (stats.isDirectory()) return "folder";
	throw new ImportError("import-path", `${place} is no file.`, { hint: "Name the image itself." });
}

async function readableStats(place: string): Promise<fs.Stats> {
	const stats = await fs.promises.stat(place);
	await fs.promises.access(place, fs.constants.R_OK);
	return stats;
}

function unreadable(place: string, error: unknown): unknown {
	const code = systemCode(error);
	if (code === undefined) return error;
	const isMissing = code === "ENOENT" || code === "ENOTDIR";
	const message = isMissing
		? `There is no file ${place} on the machine of the server.`
		: `${place} cannot be read: ${errorText(error)}.`;
	return new ImportError("import-path", message, {
		hint: isMissing ? "Check the path." : `Allow it: chmod a+r ${shellQuote(place)}`,
		cause: error,
	});
}
