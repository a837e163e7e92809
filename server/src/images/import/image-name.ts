/** Names of files that are to become images: a name of a file in the folder, never a way out of it. */
import { ImportError } from "./import-error.ts";

/** What is taken for an image and can be brought in; other packings are found in the folder, but cannot be unpacked. */
const ENDING = /\.((img|tar)(\.(xz|gz|zst))?|tgz|txz|zip)$/i;

/** Bytes; with the dot and the ending of a file that is not whole yet, it must fit the 255 of most file systems. */
const MOST_NAME_BYTES = 200;

/** @throws ImportError `import-name` for what is no name of an image in a folder. */
export function checkedImageName(name: string): string {
	if (isImportableName(name)) return name;
	throw new ImportError("import-name", `${JSON.stringify(name.slice(0, 300))} is no file name of an image.`, {
		hint: "It must end in .img, .img.xz, .img.gz, .img.zst, .zip or .tar, and have no slash in it.",
	});
}

export function isImportableName(name: string): boolean {
	return isPlainName(name) && ENDING.test(name);
}

/** Without what would lead elsewhere, or turn what is written beside it around. */
function isPlainName(name: string): boolean {
	const isPlain = name !== "" && !name.startsWith(".") && !/[/\\\p{Cc}\p{Bidi_Control}]/u.test(name);
	return isPlain && Buffer.byteLength(name) <= MOST_NAME_BYTES;
}

/** @throws ImportError `import-name` for what is no name of a folder in a folder. */
export function checkedFolderName(name: string): string {
	if (isPlainName(name)) return name;
	throw new ImportError("import-name", `${JSON.stringify(name.slice(0, 300))} is no name of a folder.`, {
		hint: "It must have no slash in it, and no dot in front.",
	});
}

/** The ending of a name that makes it one of an image: `.img.xz`; empty where there is none. */
export function imageEnding(name: string): string {
	return ENDING.exec(name)?.[0] ?? "";
}
