/** The trees below a device's layer: the image's root with the patches of this device, and the image's boot volume. */
import { FileError, type Logger } from "../base/index.ts";
import type { Device, DeviceRegistry, RootMode } from "../devices/index.ts";
import {
	BOOT_FSID,
	type FileTree,
	type LayerVolume,
	PATCHED_LAST,
	PatchedTree,
	ROOT_FSID,
	resolvePath,
} from "../vfs/index.ts";
import type { BootImage } from "./catalogue.ts";
import { patchesFor } from "./patches/index.ts";

export interface DeviceVolumes {
	readonly root: PatchedTree;
	readonly boot: FileTree | undefined;
	/** The directory of the root that the boot volume covers, where there is one. */
	readonly mountPoint: number | undefined;
}

export interface VolumeMaker {
	readonly registry: DeviceRegistry;
	/** Asked for each boot: the file may have changed. */
	readonly authorizedKeys: () => Promise<readonly string[]>;
	readonly log: Logger;
}

/** Reads who the device is: everything that is made once and kept. */
export async function identityOf(device: Device, maker: VolumeMaker) {
	const { registry } = maker;
	const [machineId, keys, authorizedKeys] = await Promise.all([
		registry.machineId(device),
		registry.sshHostKeys(device),
		maker.authorizedKeys(),
	]);
	return {
		hostname: device.name,
		machineId,
		sshHostKeys: [keys.ed25519, keys.ecdsa],
		authorizedKeys,
		mac: device.mac,
	};
}

/**
 * Puts the trees together. Synchronous, so that it can be run again after a `BlockFault`.
 *
 * @throws BlockFault; FileError ENODEV when the image has no root.
 */
export function deviceVolumes(
	image: BootImage,
	mode: RootMode,
	identity: Awaited<ReturnType<typeof identityOf>>,
): DeviceVolumes {
	const { root, boot, bootMount } = image.build.trees();
	if (root === undefined) throw new FileError("ENODEV", `the image ${image.imageId} has no root file system`);
	const patches = patchesFor({
		root: root.tree,
		boot: boot?.tree,
		bootMount,
		facts: image.facts,
		device: identity,
		mode,
	});
	const patched = new PatchedTree(root.tree, patches);
	const mountPoint = boot === undefined ? undefined : resolvePath(patched, bootMount);
	return { root: patched, boot: boot?.tree, mountPoint };
}

/** The same as a layer takes them. */
export function layerVolumes({ root, boot }: DeviceVolumes): LayerVolume[] {
	const volumes: LayerVolume[] = [
		{
			fsid: ROOT_FSID,
			base: root,
			semantics: "posix",
			maxBaseIno: PATCHED_LAST,
			wholeCopyUp: (ino) => root.isPatched(ino),
		},
	];
	// The inode numbers of FAT are made from places in the volume, all below those of patches.
	if (boot !== undefined) volumes.push({ fsid: BOOT_FSID, base: boot, semantics: "vfat", maxBaseIno: PATCHED_LAST });
	return volumes;
}
