/** The images as the API shows them. */
import type { Image as ApiImage } from "@pi-netboot/api";
import type { ImageService } from "../http/index.ts";
import type { ImageLibrary, LibraryImage } from "../images/index.ts";

export class ImageAnswers implements ImageService {
	/** Told of each image that became, or is no longer, the default one: the library does not count that as a change. */
	onDefault: ((image: LibraryImage) => void) | undefined;
	readonly #library: ImageLibrary;

	constructor(library: ImageLibrary) {
		this.#library = library;
	}

	list(): ApiImage[] {
		return this.#library.list().map((image) => this.show(image));
	}

	get(id: string): ApiImage | undefined {
		const image = this.#library.get(id);
		return image === undefined ? undefined : this.show(image);
	}

	remove(id: string): Promise<"removed" | "not-found" | "in-use"> {
		return this.#library.remove(id);
	}

	async setDefault(id: string | null): Promise<boolean> {
		const before = this.#library.defaultId;
		const isDone = await this.#library.setDefault(id ?? undefined);
		const changed = new Set([before, this.#library.defaultId]);
		for (const other of changed.size > 1 ? changed : []) {
			const image = other === undefined ? undefined : this.#library.get(other);
			if (image !== undefined) this.onDefault?.(image);
		}
		return isDone;
	}

	/** One image. */
	show(image: LibraryImage): ApiImage {
		const { id, name, path, state, percent, size, usedBytes, facts, findings, modifiedAt } = image;
		return {
			id,
			name,
			source: path,
			state,
			...(percent !== null && { percent }),
			size,
			usedBytes,
			os: facts?.os === undefined ? null : { ...facts.os },
			models: facts?.models.map(({ model }) => model) ?? [],
			findings: findings.map((finding) => ({ ...finding })),
			isDefault: this.#library.defaultId === id,
			modifiedAt: Math.max(0, modifiedAt),
		};
	}
}
