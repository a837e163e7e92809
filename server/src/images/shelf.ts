/** The builds that are open: the newest of each image, and older ones as long as somebody runs them. */
import { FileError } from "../base/index.ts";
import type { ImageBuild } from "../vfs/index.ts";
import type { ImageFacts } from "./inspect-facts.ts";

/** An image in one of its builds, ready to be booted. */
export interface BuiltImage {
	readonly imageId: string;
	readonly build: ImageBuild;
	readonly facts: ImageFacts;
}

interface Place {
	image: BuiltImage;
	/** Who runs it. */
	holders: number;
	/** Images whose newest build it is: more than one for a file with two names. */
	images: number;
}

export class BuildShelf {
	readonly #places = new Map<string, Place>();
	readonly #closing = new Set<Promise<void>>();

	get(buildId: string): BuiltImage | undefined {
		return this.#places.get(buildId)?.image;
	}

	holders(buildId: string): number {
		return this.#places.get(buildId)?.holders ?? 0;
	}

	/** Whether somebody runs a build of an image. */
	isRun(imageId: string): boolean {
		return [...this.#places.values()].some(({ image, holders }) => image.imageId === imageId && holders > 0);
	}

	/** Puts the newest build of an image on the shelf. Gives what stands there: a valid one with the same id stays. */
	put(image: BuiltImage): BuiltImage {
		const place = this.#places.get(image.build.id);
		if (place === undefined) {
			this.#places.set(image.build.id, { image, holders: 0, images: 1 });
			return image;
		}
		place.images += 1;
		if (place.image.build.valid) {
			this.#close(image.build);
			return place.image;
		}
		// The same file came back: whoever has the old build in hand is told EAGAIN still.
		this.#close(place.image.build);
		place.image = image;
		return image;
	}

	/** It is no longer the newest build of an image. */
	retire(buildId: string): void {
		const place = this.#places.get(buildId);
		if (place === undefined) return;
		place.images -= 1;
		this.#dropUnused(buildId, place);
	}

	/** @throws FileError ESTALE when the build is not open. */
	hold(buildId: string): void {
		const place = this.#places.get(buildId);
		if (place === undefined) throw new FileError("ESTALE", `the image's build ${buildId} is no longer open`);
		place.holders += 1;
	}

	release(buildId: string): void {
		const place = this.#places.get(buildId);
		if (place === undefined || place.holders === 0) return;
		place.holders -= 1;
		this.#dropUnused(buildId, place);
	}

	/** Closes everything, held or not. */
	async close(): Promise<void> {
		for (const { image } of this.#places.values()) this.#close(image.build);
		this.#places.clear();
		await Promise.all(this.#closing);
	}

	#dropUnused(buildId: string, place: Place): void {
		if (place.holders > 0 || place.images > 0) return;
		this.#places.delete(buildId);
		this.#close(place.image.build);
	}

	#close(build: ImageBuild): void {
		const closing = build.close().finally(() => this.#closing.delete(closing));
		this.#closing.add(closing);
	}
}
