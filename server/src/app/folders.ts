/** The folders that the person named: made where they are missing, and refused with what to do about it. */
import { constants } from "node:fs";
import { access, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ExternalError, errorText, systemCode } from "../base/index.ts";

/** How a folder is used. */
export interface FolderUse {
	/** Its flag, for the hint: `--data`. */
	readonly flag: string;
	/** Of the folder, when it has to be made. */
	readonly mode: number;
	readonly isWritten: boolean;
}

/** @throws ExternalError with a hint when it is no folder, or this user may not use it. */
export async function prepareFolder(path: string, { flag, mode, isWritten }: FolderUse): Promise<void> {
	try {
		await makeFolder(path, mode);
	} catch (error) {
		if (systemCode(error) !== "EEXIST") throw refused(path, flag, error);
	}
	if (!(await stat(path)).isDirectory()) {
		throw new ExternalError("ENOTDIR", `${path} is no folder`, { hint: `Name a folder with ${flag}.` });
	}
	try {
		await access(path, constants.R_OK | constants.X_OK | (isWritten ? constants.W_OK : 0));
	} catch (error) {
		throw refused(path, flag, error);
	}
}

/** What made a start fail, in words where that is a full disk: all that a start writes is in the data folder. */
export function explainFullDisk(error: unknown, folder: string): unknown {
	if (systemCode(error) !== "ENOSPC") return error;
	const hint = "Make room on it (`df -h` tells how much there is), or choose another folder with --data.";
	return new ExternalError("ENOSPC", `the disk of ${folder} is full`, { hint, cause: error });
}

/**
 * Makes it, and what is missing above it. Node's own way of doing so (`recursive`) asks the system for ever where a folder is
 * there and says that it is not, as /proc does of what somebody makes in it.
 */
async function makeFolder(path: string, mode: number): Promise<void> {
	try {
		await mkdir(path, { mode });
	} catch (error) {
		const above = dirname(path);
		if (systemCode(error) !== "ENOENT" || (await isThere(above))) throw error;
		await makeFolder(above, mode);
		await mkdir(path, { mode });
	}
}

async function isThere(path: string): Promise<boolean> {
	try {
		return (await stat(path)).isDirectory();
	} catch (error) {
		if (systemCode(error) !== "ENOENT") throw error;
		return false;
	}
}

function refused(path: string, flag: string, error: unknown): ExternalError {
	// Who ran the server with sudo once has a folder that is root's.
	const hint = `Choose another folder with ${flag}, or run the server as the user whose folder this is.`;
	return new ExternalError(systemCode(error) ?? "folder", `${path} cannot be used: ${errorText(error)}`, {
		hint,
		cause: error,
	});
}
