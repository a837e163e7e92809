/** The images and the devices, as they were kept. */
import { join } from "node:path";
import { systemClock } from "../base/index.ts";
import { DeviceRegistry } from "../devices/index.ts";
import { ImageLibrary, inspectImage } from "../images/index.ts";
import { logImages } from "./image-log.ts";
import type { Ground, Undo } from "./parts.ts";

export async function startLibrary({ config, store, log }: Ground, undo: Undo[]): Promise<ImageLibrary> {
	const library = new ImageLibrary({
		folder: config.imagesDir,
		unpackedFolder: join(config.dataDir, "unpacked"),
		records: store.images,
		inspect: inspectImage,
		defaults: {
			get: () => store.settings.get("defaultImageId"),
			set: (id) => store.settings.set("defaultImageId", id),
		},
		forgotten: {
			get: () => store.settings.get("forgottenImages") ?? [],
			set: (marks) => store.settings.set("forgottenImages", marks),
		},
		origins: {
			get: () => store.settings.get("imageOrigins") ?? [],
			set: (notes) => store.settings.set("imageOrigins", notes),
		},
		log: log.child({ service: "images" }),
	});
	undo.push(() => library.stop());
	await library.start();
	undo.push(logImages(library, config.imagesDir, log.child({ service: "images" })));
	return library;
}

export async function startRegistry(
	{ store, log, surroundings }: Ground,
	library: ImageLibrary,
	undo: Undo[],
): Promise<DeviceRegistry> {
	const registry = new DeviceRegistry({
		store,
		clock: systemClock,
		log: log.child({ service: "devices" }),
		imageExists: (id) => library.get(id) !== undefined,
		surroundings: () => ({ dhcpMode: surroundings.dhcpMode, otherDhcpServers: surroundings.others.addresses }),
	});
	undo.push(() => registry.stop());
	await registry.start();
	return registry;
}
