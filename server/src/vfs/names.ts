/** What a tree accepts as a file name. Names are byte strings: one character per byte. */
import { FileError } from "../base/index.ts";

/** NAME_MAX of Linux, in bytes. */
export const NAME_MAX = 255;

/** @throws FileError ENAMETOOLONG for a name that no directory can hold. */
export function checkNameLength(name: string): void {
	if (name.length > NAME_MAX)
		throw new FileError("ENAMETOOLONG", `a name of ${name.length} bytes, at most ${NAME_MAX}`);
}

/**
 * Checks a name that is about to be made.
 *
 * @throws FileError ENAMETOOLONG, EINVAL for `.`, `..`, nothing, a slash, a NUL, or what is not a byte string.
 */
export function checkNewName(name: string): void {
	checkNameLength(name);
	if (name === "" || name === "." || name === ".." || !isByteName(name)) {
		throw new FileError("EINVAL", `${JSON.stringify(name)} cannot be a file name`);
	}
}

function isByteName(name: string): boolean {
	for (let index = 0; index < name.length; index++) {
		const code = name.charCodeAt(index);
		if (code === 0 || code === 0x2f || code > 0xff) return false;
	}
	return true;
}
