/** The ways by which images come into the folder, put together. */

import { errorText, type Logger, systemClock, systemCode } from "../base/index.ts";
import type { RootKeeper } from "../boot/index.ts";
import type { DeviceRegistry } from "../devices/index.ts";
import { Arrivals, Downloads, ImageCatalog, type ImageLibrary, type LibraryImage, Uploads } from "../images/index.ts";
import { buildsOf } from "./image-builds.ts";
import type { ImageSources } from "./image-service.ts";

export interface SourceParts {
	readonly folder: string;
	readonly catalogUrl: string;
	readonly library: ImageLibrary;
	readonly registry: DeviceRegistry;
	readonly roots: Pick<RootKeeper, "letGo"> & { readonly care: Pick<RootKeeper["care"], "keptOf"> };
	readonly log: Logger;
}

/** Starts them: what a restart interrupted goes on. @param undo is told how to stop them. */
export async function startSources(parts: SourceParts, undo: (() => unknown)[]): Promise<ImageSources> {
	const { folder, catalogUrl, library, registry, roots, log } = parts;
	const now = () => systemClock.now();
	const arrivals = new Arrivals(now);
	const common = { folder, arrivals, place: library, log, now };
	const downloads = new Downloads(common);
	const uploads = new Uploads(common);
	undo.push(
		() => downloads.stop(),
		() => uploads.stop(),
	);
	for (const source of [downloads, uploads]) {
		await source.start().catch((error: unknown) => {
			if (systemCode(error) === undefined) throw error;
			log.warn(`what was interrupted in ${folder} cannot go on: ${errorText(error)}`);
		});
	}
	const catalog = new ImageCatalog({ url: catalogUrl, clock: systemClock });
	const isOpen = (buildId: string) => library.build(buildId) !== undefined;
	const users = {
		runBy: (id: string) => devicesOn(registry, id),
		buildsOf: (image: LibraryImage) => buildsOf(image, { registry, care: roots.care }, isOpen),
		letGo: () => roots.letGo(),
	};
	return { library, arrivals, downloads, uploads, catalog, ...users };
}

/** The names of the devices whose boots from an image go on. */
function devicesOn(registry: DeviceRegistry, imageId: string): string[] {
	const runs = registry.list().filter((device) => registry.bootsOf(device).some((boot) => boot.imageId === imageId));
	return runs.map(({ name }) => name).sort();
}
