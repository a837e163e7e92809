/** What the host's file system and SQLite say, in the words of file operations. */
import { FileError, type FileErrorCode, systemCode } from "../../base/index.ts";

/** Result codes of https://www.sqlite.org/rescode.html */
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

const HOST_CODES: Readonly<Record<string, FileErrorCode>> = {
	ENOSPC: "ENOSPC",
	EDQUOT: "EDQUOT",
	EFBIG: "EFBIG",
	EROFS: "EROFS",
	EIO: "EIO",
};

/** True for SQLite's "database or disk is full". */
export function isDatabaseFull(error: unknown): boolean {
	return sqliteCode(error) === SQLITE_FULL;
}

/** True when the file is not a database, or is damaged. */
export function isDatabaseDamaged(error: unknown): boolean {
	const code = sqliteCode(error);
	return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/**
 * Translates an error of the host's file system or of SQLite, which a caller of file operations is to be told. Whatever
 * else was thrown is given back as it is.
 */
export function fileErrorFrom(error: unknown): unknown {
	if (!(error instanceof Error) || error instanceof FileError) return error;
	if (isDatabaseFull(error)) return fileError("ENOSPC", error);
	if (sqliteCode(error) !== undefined) return fileError("EIO", error);
	const code = HOST_CODES[systemCode(error) ?? ""];
	return code === undefined ? error : fileError(code, error);
}

function fileError(code: FileErrorCode, cause: Error): FileError {
	return Object.assign(new FileError(code, `the layer's disk: ${cause.message}`), { cause });
}

/** The primary result code of an error of node:sqlite. */
function sqliteCode(error: unknown): number | undefined {
	if (systemCode(error) !== "ERR_SQLITE_ERROR" || !(error instanceof Error) || !("errcode" in error)) return undefined;
	return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}
