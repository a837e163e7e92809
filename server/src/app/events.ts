/** What the page is told live. */
import type { Image } from "@pi-netboot/api";
import type { Logger } from "../base/index.ts";
import type { Boot, Bystander, DeviceEvent, DeviceRegistry } from "../devices/index.ts";
import type { EventHub } from "../http/index.ts";
import type { Arrival, Arrivals, ImageLibrary, LibraryImage } from "../images/index.ts";
import type { Logging } from "../log-setup.ts";
import { showBystander } from "./device-history.ts";
import type { DeviceAnswers } from "./device-service.ts";
import type { ImageAnswers } from "./image-service.ts";

export interface EventSources {
	readonly hub: EventHub;
	readonly registry: DeviceRegistry;
	readonly devices: DeviceAnswers;
	readonly library: ImageLibrary;
	readonly arrivals: Arrivals;
	readonly images: ImageAnswers;
	readonly logging: Logging;
	readonly log: Logger;
}

/**
 * Passes on what happens, until the function that it gives is called. Whoever tells of it is in the middle of a boot: what
 * fails here stays here.
 */
export function publishEvents(sources: EventSources): () => void {
	const { hub, registry, devices, library, arrivals, images, logging, log } = sources;
	const showDevice = guarded(log, ({ device, id, formerId }: DeviceEvent) => {
		const former = formerId === undefined ? {} : { formerId };
		hub.publish({ type: "device", data: { id, ...former, device: devices.show(device) } });
		for (const { imageId } of registry.bootsOf(device)) used.add(imageId, imageId);
	});
	const loseDevice = ({ id }: { readonly id: string }) => hub.publish({ type: "device", data: { id } });
	const others = new Collected<Bystander>((one) => hub.publish({ type: "bystander", data: showBystander(one) }));
	const showOther = (bystander: Bystander) => others.add(bystander.mac, bystander);
	const toldUsers = new Map<string, string>();
	const showImage = (image: LibraryImage) => {
		const shown = images.show(image);
		toldUsers.set(image.id, usersOf(shown));
		hub.publish({ type: "image", data: { id: image.id, image: shown } });
	};
	// A boot that begins or ends changes who runs an image; most of what is told of a device does not.
	const used = new Collected<string>(
		guarded(log, (id) => {
			const image = library.get(id);
			if (image !== undefined && toldUsers.get(id) !== usersOf(images.show(image))) showImage(image);
		}),
	);
	const showUnused = ({ imageId }: Boot) => used.add(imageId, imageId);
	let defaultId = library.defaultId;
	// An image that comes, changes or goes may make another one the default; `told` knows it already.
	const showDefaults = (told?: string) => {
		const ids = new Set([defaultId, library.defaultId]);
		defaultId = library.defaultId;
		for (const id of ids.size > 1 ? ids : []) {
			const image = id === undefined || id === told ? undefined : library.get(id);
			if (image !== undefined) showImage(image);
		}
	};
	const imageChanged = guarded(log, (image: LibraryImage) => {
		showImage(image);
		showDefaults(image.id);
	});
	const imageRemoved = guarded(log, ({ id }: LibraryImage) => {
		toldUsers.delete(id);
		hub.publish({ type: "image", data: { id } });
		showDefaults(id);
	});
	// One that has ended is an image of the library now, or nothing.
	const showArrival = guarded(log, ({ id }: Arrival) => {
		const image = images.get(id);
		hub.publish({ type: "image", data: { id, ...(image && { image }) } });
	});
	registry.on("device", showDevice).on("removed", loseDevice).on("bystander", showOther).on("boot-ended", showUnused);
	library.events.on("added", imageChanged).on("changed", imageChanged).on("removed", imageRemoved);
	arrivals.events.on("changed", showArrival).on("ended", showArrival);
	images.onDefault = guarded<void>(log, () => showDefaults());
	const endLog = logging.subscribe((line) => hub.publish({ type: "log", data: line }));
	return () => {
		endLog();
		others.stop();
		used.stop();
		images.onDefault = undefined;
		arrivals.events.off("changed", showArrival).off("ended", showArrival);
		library.events.off("added", imageChanged).off("changed", imageChanged).off("removed", imageRemoved);
		registry
			.off("device", showDevice)
			.off("removed", loseDevice)
			.off("bystander", showOther)
			.off("boot-ended", showUnused);
	};
}

/** What of an image changes with the Pis that run it. */
function usersOf({ usedBy, builds }: Image): string {
	return JSON.stringify([usedBy, builds.map(({ id, usedBy: names }) => [id, names])]);
}

/** Tells of each thing once in a while, and of no more than a few: who makes up machines shall not fill the pages. */
class Collected<T> {
	readonly #tell: (thing: T) => void;
	readonly #waiting = new Map<string, T>();
	#timer: NodeJS.Timeout | undefined;

	constructor(tell: (thing: T) => void) {
		this.#tell = tell;
	}

	add(key: string, thing: T): void {
		if (this.#waiting.size < TOLD_AT_ONCE) this.#waiting.set(key, thing);
		this.#timer ??= setTimeout(() => this.#flush(), TELL_MS).unref();
	}

	stop(): void {
		clearTimeout(this.#timer);
	}

	#flush(): void {
		this.#timer = undefined;
		for (const thing of this.#waiting.values()) this.#tell(thing);
		this.#waiting.clear();
	}
}

const TOLD_AT_ONCE = 64;
const TELL_MS = 1000;

function guarded<T>(log: Logger, tell: (what: T) => void): (what: T) => void {
	return (what) => {
		try {
			tell(what);
		} catch (error) {
			log.error({ err: error }, "the page was not told of a change");
		}
	};
}
