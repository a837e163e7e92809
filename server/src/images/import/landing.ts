/** Giving a file that has arrived its name: at once, durably, and over nothing that somebody else put there. */
import fs from "node:fs";
import path from "node:path";
import { syncPath, systemCode } from "../../base/index.ts";
import { type FileStamp, stampOf } from "../../vfs/index.ts";
import { ImportError } from "./import-error.ts";

export interface Landing {
	/** Whether what has that name goes. */
	readonly replace: boolean;
	/** Told what the file is before it has its name: what is to be remembered of it must not be lost in between. */
	readonly note: (stamp: FileStamp) => Promise<void>;
	/** Until the file has its name it can be given up. */
	readonly signal?: AbortSignal | undefined;
}

/**
 * Puts the contents of a file on the disk and gives it its name.
 *
 * @throws ImportError `image-exists`; the operating system's error; the reason of the signal.
 */
export async function land(part: string, target: string, { replace, note, signal }: Landing): Promise<void> {
	const handle = await fs.promises.open(part, "r+");
	try {
		await handle.sync();
		await note(stampOf(await handle.stat({ bigint: true })));
	} finally {
		await handle.close();
	}
	signal?.throwIfAborted();
	if (replace) await fs.promises.rename(part, target);
	else if (hasBothNames(part, target)) await fs.promises.unlink(part);
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

/** A server that was killed between giving a file its new name and taking the old one leaves it with both. */
function hasBothNames(from: string, to: string): boolean {
	const [one, other] = [from, to].map((file) => fs.lstatSync(file, { bigint: true, throwIfNoEntry: false }));
	return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
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
