/** The images as the API shows them. */
import type { Image as ApiImage } from "@pi-netboot/api";
import type { ImageService } from "../http/index.ts";
import type { ImageLibrary, LibraryImage } from "../images/index.ts";

export class ImageAnswers implements ImageService {
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

	setDefault(id: string | null): Promise<boolean> {
		return this.#library.setDefault(id ?? undefined);
	}

	/** One image. */
	show(image: LibraryImage): ApiImage {
		const { id, name, path, state, size, usedBytes, facts, findings, modifiedAt } = image;
		return {
			id,
			name,
			source: path,
			state,
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
