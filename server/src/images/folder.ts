/** The folder of the images: what is in it, and being told when that changes. */
import fs from "node:fs";
import path from "node:path";
import { type Logger, systemCode } from "../base/index.ts";
import { type FoundFile, isImageName, lookAt, namesIn } from "./found.ts";
import { findInSubfolder } from "./subfolder.ts";

/**
 * Finds the images in the folder and in the folders directly in it, in the order of their places. What vanishes meanwhile, or
 * is none, is left out.
 *
 * @param own folders of the server: no directory that holds one of them is given to a Pi.
 * @throws the operating system's error when the folder itself cannot be read.
 */
export async function findImages(folder: string, own: readonly string[] = []): Promise<FoundFile[]> {
	const found: FoundFile[] = [];
	for (const name of (await fs.promises.readdir(folder)).filter(isImageName)) {
		const file = await lookAt(path.join(folder, name), name);
		if (file !== undefined) found.push(file);
	}
	for (const place of await subfolders(folder)) {
		found.push(...(await findInSubfolder(place, await namesIn(place), [folder, ...own])));
	}
	return found.sort((a, b) => (a.place < b.place ? -1 : 1));
}

async function subfolders(folder: string): Promise<string[]> {
	const entries = await fs.promises.readdir(folder, { withFileTypes: true });
	const folders = entries.filter(
		(entry) => !entry.name.startsWith(".") && (entry.isDirectory() || entry.isSymbolicLink()),
	);
	return folders.map((entry) => path.join(folder, entry.name));
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
