/** What cannot be done with a Pi's root as it is, and why: the server would refuse it. */
import type { Device, DeviceRoot, Image, Snapshot } from "@pi-netboot/api";
import { rootModes } from "./stages.ts";

const toKeep = `Set its root to "${rootModes.persistent.name}", and it can be`;

/** Why it has no changes that could be shown or dropped. */
export function whyNoRoot({ rootMode }: Pick<Device, "rootMode">, { roots }: DeviceRoot): string | undefined {
	if (roots.some(({ isCurrent }) => isCurrent)) return undefined;
	return rootMode === "read-only"
		? "A root that is read only has no changes."
		: "It has not booted this image yet, so there are no changes.";
}

/** Why no snapshot can be taken. */
export function whyNoSnapshot(device: Pick<Device, "rootMode">, root: DeviceRoot): string | undefined {
	const none = whyNoRoot(device, root);
	if (none !== undefined) return `${none} There is nothing to keep.`;
	const isKept = root.roots.some(({ isCurrent, mode }) => isCurrent && mode === "persistent");
	return isKept ? undefined : `Its root is fresh at each boot. ${toKeep} kept from the next one on.`;
}

/** Why the next boot cannot begin with a snapshot. */
export function whyNotBack(
	{ rootMode, imageId: chosen }: Pick<Device, "rootMode" | "imageId">,
	{ imageId, buildId }: Snapshot,
	images: readonly Image[],
): string | undefined {
	if (rootMode !== "persistent") return `Its root is not kept. ${toKeep} brought back.`;
	const next = images.find((image) => (chosen === null ? image.isDefault : image.id === chosen));
	if (next === undefined) return undefined;
	const own = images.find(({ id }) => id === imageId);
	if (own === undefined) return `Of the image ${imageId}, which is not there any more.`;
	if (next.id !== imageId) return `Of ${own.name}. Choose that image for the Pi, and it can be brought back.`;
	const isNewest = next.builds.some(({ id, isNewest }) => isNewest && id === buildId);
	return isNewest ? undefined : `Of an older build of ${next.name}: it can be brought back when that is there again.`;
}
