/** What a device boots: its image in the newest build, and the mode of its root. */
import type { Device, DeviceRegistry, RootMode } from "../devices/index.ts";
import type { ImageFacts } from "../images/index.ts";
import type { ImageBuild } from "../vfs/index.ts";

/** The library of images, as far as a boot needs it. */
export interface BootImages {
	/** The image to boot: the one with this id, or the default one. Undefined when there is none that is ready. */
	choose(imageId: string | null): BootImage | undefined;
	/** A build that somebody still runs, or that is the newest of an image. */
	build(buildId: string): BootImage | undefined;
	/** Whether what there is of an image is looked over or unpacked now: a build that is not there may come. */
	isImporting(imageId: string): boolean;
	/** Says that a build is in use, so that its file stays open. */
	hold(buildId: string): void;
	release(buildId: string): void;
}

export interface BootImage {
	readonly imageId: string;
	readonly build: ImageBuild;
	readonly facts: ImageFacts;
}

export interface Choice extends BootImage {
	readonly mode: RootMode;
}

/** Decides what a device boots next; undefined when there is no image for it. */
export function chooseBoot(device: Device, images: BootImages, registry: DeviceRegistry): Choice | undefined {
	const image = images.choose(device.imageId);
	return image === undefined ? undefined : { ...image, mode: registry.rootModeOf(device) };
}
