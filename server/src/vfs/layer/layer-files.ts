/** The files of a layer that is not open. */
import { randomBytes } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { copyLayer } from "./copy.ts";
import { LayerDatabase } from "./database.ts";
import { fileErrorFrom } from "./system-errors.ts";

/** What a layer with this path may have. */
export const LAYER_FILES: readonly string[] = [".db", ".db-wal", ".db-shm", ".pool", ".reserve"];

/** Removes the files of a layer that is not open. */
export function dropLayer(path: string): void {
	for (const end of LAYER_FILES) rmSync(path + end, { force: true });
}

/**
 * Makes a layer that is not open of a copy that `Layer.copyTo` made.
 *
 * @returns its id, which is its own.
 * @throws ExternalError, FileError ENOSPC, EIO; then nothing is left of it.
 */
export async function restoreLayer(copy: string, path: string): Promise<string> {
	await copyLayer(copy, path);
	const id = newLayerId();
	try {
		const db = LayerDatabase.open(`${path}.db`);
		try {
			db.becomeAnother(id);
		} finally {
			db.close();
		}
	} catch (error) {
		dropLayer(path);
		throw fileErrorFrom(error);
	}
	return id;
}

/** 8 random bytes in hex. */
export function newLayerId(): string {
	return randomBytes(8).toString("hex");
}

/** 0 where there is no such file. */
export function sizeOf(path: string): number {
	return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
