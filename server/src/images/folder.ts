/** The folder of the images: what is in it, and being told when that changes. */
import fs from "node:fs";
import path from "node:path";
import { type Logger, systemCode } from "../base/index.ts";
import { type FileStamp, stampOf } from "../vfs/index.ts";

export interface FoundFile {
	/** Absolute, below the folder; symbolic links in it are not resolved. */
	readonly path: string;
	readonly name: string;
	/** Of the file behind a symbolic link. */
	readonly stamp: FileStamp;
}

/** Images, raw and packed, and root file systems in archives. */
const IMAGE_NAME = /^[^.].*\.((img|tar)(\.(xz|gz|zst|bz2))?|tgz|txz|zip)$/i;

/** Whether a file of this name is taken for an image. */
export function isImageName(name: string): boolean {
	return IMAGE_NAME.test(name);
}

/**
 * Finds the images in the folder and in the folders directly in it, in the order of their paths. What vanishes meanwhile, or
 * is no regular file, is left out.
 *
 * @throws the operating system's error when the folder itself cannot be read.
 */
export async function findImages(folder: string): Promise<FoundFile[]> {
	const found: FoundFile[] = [];
	for (const place of [folder, ...(await subfolders(folder))]) {
		const names = place === folder ? await fs.promises.readdir(place) : await namesIn(place);
		for (const name of names.filter(isImageName)) {
			const file = await lookAt(path.join(place, name), name);
			if (file !== undefined) found.push(file);
		}
	}
	return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function subfolders(folder: string): Promise<string[]> {
	const entries = await fs.promises.readdir(folder, { withFileTypes: true });
	const folders = entries.filter(
		(entry) => !entry.name.startsWith(".") && (entry.isDirectory() || entry.isSymbolicLink()),
	);
	return folders.map((entry) => path.join(folder, entry.name));
}

/** A folder inside that cannot be read, or a link that leads to none, has no images. */
async function namesIn(folder: string): Promise<string[]> {
	try {
		return await fs.promises.readdir(folder);
	} catch (error) {
		if (systemCode(error) === undefined) throw error;
		return [];
	}
}

async function lookAt(file: string, name: string): Promise<FoundFile | undefined> {
	try {
		const stats = await fs.promises.stat(file, { bigint: true });
		return stats.isFile() ? { path: file, name, stamp: stampOf(stats) } : undefined;
	} catch (error) {
		if (systemCode(error) === undefined) throw error;
		return undefined;
	}
}

/** Calls back when something changes in the folder or the folders in it. Where the system cannot tell, it stays silent. */
export class FolderWatch {
	readonly #folder: string;
	readonly #changed: () => void;
	readonly #log: Logger;
	readonly #watchers = new Map<string, fs.FSWatcher>();

	constructor(folder: string, changed: () => void, log: Logger) {
		this.#folder = folder;
		this.#changed = changed;
		this.#log = log;
	}

	/** Watches the folders that are there now. */
	async refresh(): Promise<void> {
		const wanted = new Set([this.#folder, ...(await subfolders(this.#folder))]);
		for (const folder of [...this.#watchers.keys()]) if (!wanted.has(folder)) this.#drop(folder);
		for (const folder of wanted) if (!this.#watchers.has(folder)) this.#watch(folder);
	}

	close(): void {
		for (const folder of [...this.#watchers.keys()]) this.#drop(folder);
	}

	#watch(folder: string): void {
		try {
			const watcher = fs.watch(folder, { persistent: false }, this.#changed);
			watcher.on("error", () => this.#drop(folder));
			this.#watchers.set(folder, watcher);
		} catch (error) {
			// Polling finds the changes all the same.
			this.#log.debug(`${folder} is not watched: ${systemCode(error)}`);
		}
	}

	#drop(folder: string): void {
		this.#watchers.get(folder)?.close();
		this.#watchers.delete(folder);
	}
}
