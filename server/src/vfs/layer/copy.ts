/**
 * Copies of a layer that does not change meanwhile. The database comes through SQLite, so that what is still in its WAL comes
 * too; the pool as a file, which shares its blocks where the host's file system can do that.
 */
import { constants, rmSync } from "node:fs";
import { copyFile, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorText, FileError, syncPath } from "../../base/index.ts";
import { copyDatabase } from "./checkpointer.ts";
import { hostSpace } from "./host-space.ts";
import { fileErrorFrom } from "./system-errors.ts";

/** Bytes that stay free on the host: a copy must not be what fills its disk. */
const LEFT_FREE = 64 * 1024 * 1024;

/** @throws ExternalError of SQLite, FileError ENOSPC, EIO; then nothing is left of the copy. */
export async function copyLayer(from: string, to: string): Promise<void> {
	// SQLite would make it readable for everybody; a root has secrets in it. What is there already is another's, and stays.
	const made = await open(`${to}.db`, "wx", 0o600);
	await made.close();
	try {
		await writeCopy(from, to);
	} catch (error) {
		for (const end of [".db", ".db-journal", ".pool"]) rmSync(to + end, { force: true });
		throw fileErrorFrom(error);
	}
}

async function writeCopy(from: string, to: string): Promise<void> {
	await copyDatabase(`${from}.db`, `${to}.db`);
	await copyPool(`${from}.pool`, `${to}.pool`);
	for (const path of [`${to}.db`, `${to}.pool`, dirname(to)]) await syncPath(path);
}

async function copyPool(from: string, to: string): Promise<void> {
	const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants;
	try {
		await copyFile(from, to, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
	} catch (error) {
		const { size } = await stat(from);
		const { available } = hostSpace(to);
		if (available < size + LEFT_FREE) {
			const message = `a copy needs ${size} bytes, the disk has ${available} free (no shared blocks: ${errorText(error)})`;
			throw new FileError("ENOSPC", message);
		}
		rmSync(to, { force: true });
		await copyFile(from, to, COPYFILE_EXCL);
	}
}
