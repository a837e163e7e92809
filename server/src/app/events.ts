/** What the page is told live. */
import type { DeviceRegistry } from "../devices/index.ts";
import type { EventHub } from "../http/index.ts";
import type { ImageLibrary, LibraryImage } from "../images/index.ts";
import type { Logging } from "../log-setup.ts";
import type { DeviceAnswers } from "./device-service.ts";
import type { ImageAnswers } from "./image-service.ts";

export interface EventSources {
	readonly hub: EventHub;
	readonly registry: DeviceRegistry;
	readonly devices: DeviceAnswers;
	readonly library: ImageLibrary;
	readonly images: ImageAnswers;
	readonly logging: Logging;
}

/** Passes on what happens, until the function that it gives is called. */
export function publishEvents({ hub, registry, devices, library, images, logging }: EventSources): () => void {
	registry.on("device", ({ device, id, formerId }) => {
		const former = formerId === undefined ? {} : { formerId };
		hub.publish({ type: "device", data: { id, ...former, device: devices.show(device) } });
	});
	registry.on("removed", ({ id }) => hub.publish({ type: "device", data: { id } }));
	const show = (image: LibraryImage) =>
		hub.publish({ type: "image", data: { id: image.id, image: images.show(image) } });
	library.events.on("added", show);
	library.events.on("changed", show);
	library.events.on("removed", ({ id }) => hub.publish({ type: "image", data: { id } }));
	return logging.subscribe((line) => hub.publish({ type: "log", data: line }));
}
