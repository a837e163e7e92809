/** What the library changes in the folder when a person asks for it. */
import path from "node:path";
import type { ImageEntry } from "./entry.ts";
import type { ForgottenFiles } from "./forgotten.ts";
import type { FoundFile } from "./found.ts";
import { asFolderError } from "./import/limits.ts";
import { deleteImage, linkImage, removeLink, renameImage } from "./placing.ts";

export interface FolderChangesOptions {
	readonly folder: string;
	/** Further folders of the server: no directory around one of them is given to a Pi. */
	readonly own: readonly string[];
	readonly forgotten: ForgottenFiles;
}

export class FolderChanges {
	readonly #options: FolderChangesOptions;

	constructor(options: FolderChangesOptions) {
		this.#options = options;
	}

	/** A link to an image goes, and what it leads to stays. @throws see `deleteImage`; ImportError. */
	takeAway({ record, file }: ImageEntry, isDeleted: boolean): Promise<void> {
		return this.#change(async () => {
			if ((await removeLink(record.path)) || file === undefined) return;
			if (isDeleted) await deleteImage(file);
			else await this.#options.forgotten.forget(file);
		});
	}

	/** @throws see `renameImage`; ImportError. */
	rename(file: FoundFile, name: string): Promise<void> {
		return this.#change(() => renameImage(file, name));
	}

	/** Gives the path in the folder. @throws see `linkImage`. */
	async link(file: string, name: string | undefined): Promise<string> {
		const { folder, own, forgotten } = this.#options;
		const link = await linkImage(file, folder, own, name);
		await forgotten.recall(link);
		// It may be all that its folder has.
		await forgotten.recall(path.dirname(link));
		return link;
	}

	/** @throws ImportError for what the system says of the folder. */
	async #change(act: () => Promise<void>): Promise<void> {
		try {
			await act();
		} catch (error) {
			throw asFolderError(this.#options.folder, error);
		}
	}
}
