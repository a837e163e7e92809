/** `filename3`: byte strings, one character per byte. What no directory can hold is refused before a tree sees it. */
import { FileError, type FileErrorCode } from "../../base/index.ts";
import { maxRecordBytes, type XdrReader } from "../rpc/index.ts";

const maxNameBytes = 255;

/**
 * Reads a name for LOOKUP, which may be `.` or `..`.
 *
 * @throws FileError ENAMETOOLONG, EINVAL (empty), EACCES (a slash or NUL in it).
 */
export function readName(args: XdrReader): string {
	const name = args.string(maxRecordBytes, "filename3");
	if (name.length > maxNameBytes) throw new FileError("ENAMETOOLONG");
	if (name.length === 0) throw new FileError("EINVAL");
	if (name.includes("/") || name.includes("\0")) throw new FileError("EACCES");
	return name;
}

/**
 * Reads the name of an entry that is to be made or removed.
 *
 * @param dot the failure for `.`, @param dotDot the one for `..`.
 */
export function readEntryName(args: XdrReader, dot: FileErrorCode, dotDot: FileErrorCode = dot): string {
	const name = readName(args);
	if (name === ".") throw new FileError(dot);
	if (name === "..") throw new FileError(dotDot);
	return name;
}
