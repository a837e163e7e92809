/** Giving a file that has arrived its name: at once, durably, and over nothing that somebody else put there. */
import fs from "node:fs";
import path from "node:path";
import { syncPath, systemCode } from "../../base/index.ts";
import { ImportError } from "./import-error.ts";

/**
 * Puts the contents of a file on the disk and gives it its name.
 *
 * @param replace whether what has that name goes. @throws ImportError `image-exists`; the operating system's error.
 */
export async function land(part: string, target: string, replace: boolean): Promise<void> {
	const handle = await fs.promises.open(part, "r+");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
	if (replace) await fs.promises.rename(part, target);
	else await renameWithoutReplacing(part, target);
	await syncPath(path.dirname(target));
}

/** @throws ImportError `image-exists` when something has the new name already; the operating system's error. */
export async function renameWithoutReplacing(from: string, to: string): Promise<void> {
	try {
		await fs.promises.link(from, to);
	} catch (error) {
		const code = systemCode(error);
		if (code === "EEXIST") throw imageExists(to);
		if (!/^(EPERM|ENOTSUP|EOPNOTSUPP|ENOSYS|EMLINK)$/.test(code ?? "")) throw error;
		// FAT and some shares have no hard links: what comes between the look and the renaming is lost there.
		if (isThere(to)) throw imageExists(to);
		await fs.promises.rename(from, to);
		return;
	}
	await fs.promises.unlink(from);
}

/** Whether something has this name, be it a link that leads nowhere. */
export function isThere(file: string): boolean {
	return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

export function imageExists(target: string): ImportError {
	return new ImportError("image-exists", `There is a file ${path.basename(target)} in the images folder already.`, {
		hint: "Give the new one another name, or say that it shall replace that one (replace, --replace).",
	});
}
