/** What a person does to the files of the images: putting them elsewhere, taking them away, naming one that lies elsewhere. */
import fs from "node:fs";
import path from "node:path";
import { errorText, shellQuote, systemCode } from "../base/index.ts";
import { isImageName } from "./folder.ts";
import { checkedImageName, imageEnding } from "./import/image-name.ts";
import { ImportError } from "./import/import-error.ts";
import { imageExists, isThere, renameWithoutReplacing } from "./import/landing.ts";

/**
 * Renames a file within its folder. A name without an ending keeps the one that the file has. Gives the new path.
 *
 * @throws ImportError `import-name`, `image-exists`; the operating system's error.
 */
export async function renameImage(file: string, wish: string): Promise<string> {
	const name = checkedImageName(isImageName(wish) ? wish : wish + imageEnding(file));
	const target = path.join(path.dirname(file), name);
	if (target !== file) await renameWithoutReplacing(file, target);
	return target;
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
 * @throws ImportError `import-path`, `import-name`, `image-exists`, `import-failed`.
 */
export async function linkImage(file: string, folder: string, wish?: string): Promise<string> {
	if (!path.isAbsolute(file)) {
		throw new ImportError("import-path", `"${file}" is no absolute path.`, { hint: "It begins with a slash." });
	}
	const place = path.resolve(file);
	await checkReadable(place);
	if (isBelow(place, folder) && wish === undefined) return place;
	const target = path.join(folder, checkedImageName(wish ?? path.basename(place)));
	if (isThere(target)) throw imageExists(target);
	try {
		await fs.promises.symlink(place, target);
	} catch (error) {
		throw new ImportError("import-failed", `${target} cannot be made a link to it: ${errorText(error)}.`, {
			hint: `Copy the file instead: cp '${place}' '${target}'`,
			cause: error,
		});
	}
	return target;
}

/** Directly in the folder or in one of its folders: there the library looks. */
function isBelow(place: string, folder: string): boolean {
	const steps = path.relative(folder, place).split(path.sep);
	return steps[0] !== ".." && steps.length <= 2;
}

async function checkReadable(file: string): Promise<void> {
	try {
		const stats = await fs.promises.stat(file);
		await fs.promises.access(file, fs.constants.R_OK);
		if (stats.isFile()) return;
	} catch (error) {
		const code = systemCode(error);
		if (code === undefined) throw error;
		const isMissing = code === "ENOENT" || code === "ENOTDIR";
		const message = isMissing
			? `There is no file ${file} on the machine of the server.`
			: `${file} cannot be read: ${errorText(error)}.`;
		throw new ImportError("import-path", message, {
			hint: isMissing ? "Check the path." : `Allow it: chmod a+r ${shellQuote(file)}`,
			cause: error,
		});
	}
	throw new ImportError("import-path", `${file} is no file.`, { hint: "Name the image itself." });
}
