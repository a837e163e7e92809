/** Which image a Pi gets, by name. */
import type { Device, Image } from "@pi-netboot/api";

export interface ImageNames {
	readonly byId: ReadonlyMap<string, string>;
	/** Undefined while there is no image that could be the default. */
	readonly byDefault: string | undefined;
}

export function imageNames(images: readonly Image[]): ImageNames {
	return {
		byId: new Map(images.map(({ id, name }) => [id, name])),
		byDefault: images.find(({ isDefault }) => isDefault)?.name,
	};
}

/** What it boots next. */
export function imageOf({ imageId }: Device, names: ImageNames): string {
	return imageId === null ? (names.byDefault ?? "no image yet") : nameOf(imageId, names);
}

export function nameOf(imageId: string, { byId }: ImageNames): string {
	return byId.get(imageId) ?? `${imageId} (gone)`;
}
