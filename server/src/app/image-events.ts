/** What the page is told live of images: what they are, which one is the default, and who runs them. */
import type { Image } from "@pi-netboot/api";
import type { Logger } from "../base/index.ts";
import type { Boot, DeviceEvent, DeviceRegistry } from "../devices/index.ts";
import type { EventHub } from "../http/index.ts";
import type { Arrival, Arrivals, ImageLibrary, LibraryImage } from "../images/index.ts";
import type { ImageAnswers } from "./image-service.ts";
import { Collected, guarded } from "./telling.ts";

export interface ImageEventSources {
	readonly hub: EventHub;
	readonly registry: DeviceRegistry;
	readonly library: ImageLibrary;
	readonly arrivals: Arrivals;
	readonly images: ImageAnswers;
	readonly log: Logger;
}

/** Passes on what happens, until the function that it gives is called. */
export function publishImages(sources: ImageEventSources): () => void {
	const { registry, library, arrivals, images, log } = sources;
	const teller = new ImageTeller(sources);
	const begun = guarded(log, ({ device }: DeviceEvent) => {
		for (const { imageId } of registry.bootsOf(device)) teller.used(imageId);
	});
	const ended = ({ imageId }: Boot) => teller.used(imageId);
	const unused = (id: string) => teller.used(id);
	const changed = guarded(log, (image: LibraryImage) => teller.changed(image));
	const removed = guarded(log, ({ id }: LibraryImage) => teller.removed(id));
	const arrived = guarded(log, ({ id }: Arrival) => teller.arrived(id));
	registry.on("device", begun).on("boot-ended", ended);
	library.events.on("added", changed).on("changed", changed).on("removed", removed).on("unused", unused);
	arrivals.events.on("changed", arrived).on("ended", arrived);
	images.onDefault = guarded<void>(log, () => teller.default());
	return () => {
		teller.stop();
		images.onDefault = undefined;
		arrivals.events.off("changed", arrived).off("ended", arrived);
		library.events.off("added", changed).off("changed", changed).off("removed", removed).off("unused", unused);
		registry.off("device", begun).off("boot-ended", ended);
	};
}

class ImageTeller {
	readonly #sources: ImageEventSources;
	/** By image: who ran it when it was told of last. */
	readonly #users = new Map<string, string>();
	readonly #used: Collected<string>;
	#defaultId: string | undefined;

	constructor(sources: ImageEventSources) {
		this.#sources = sources;
		this.#defaultId = sources.library.defaultId;
		this.#used = new Collected(guarded(sources.log, (id) => this.#tellUsers(id)));
	}

	/** Somebody may have begun or ended to run it: most of what is told of a device changes nothing of that. */
	used(id: string): void {
		this.#used.add(id, id);
	}

	changed(image: LibraryImage): void {
		this.#tell(image);
		this.default(image.id);
	}

	removed(id: string): void {
		this.#users.delete(id);
		this.#sources.hub.publish({ type: "image", data: { id } });
		this.default(id);
	}

	/** One that has ended is an image of the library now, or nothing. */
	arrived(id: string): void {
		const image = this.#sources.images.get(id);
		this.#sources.hub.publish({ type: "image", data: { id, ...(image && { image }) } });
	}

	/** An image that comes, changes or goes may make another one the default. @param told the one that knows it already. */
	default(told?: string): void {
		const { library } = this.#sources;
		const ids = new Set([this.#defaultId, library.defaultId]);
		this.#defaultId = library.defaultId;
		for (const id of ids.size > 1 ? ids : []) {
			const image = id === undefined || id === told ? undefined : library.get(id);
			if (image !== undefined) this.#tell(image);
		}
	}

	stop(): void {
		this.#used.stop();
	}

	#tell(image: LibraryImage): void {
		const shown = this.#sources.images.show(image);
		this.#users.set(image.id, usersOf(shown));
		this.#sources.hub.publish({ type: "image", data: { id: image.id, image: shown } });
	}

	#tellUsers(id: string): void {
		const { library, images } = this.#sources;
		const image = library.get(id);
		if (image !== undefined && this.#users.get(id) !== usersOf(images.show(image))) this.#tell(image);
	}
}

/** What of an image changes with the Pis that run it. */
function usersOf({ usedBy, builds }: Image): string {
	return JSON.stringify([usedBy, builds.map(({ id, usedBy: names }) => [id, names])]);
}
