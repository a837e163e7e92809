/** The trees below a device's layer: the image's root with the patches of this device, and the image's boot volume. */
import { FileError, type Logger } from "../base/index.ts";
import type { Customisation, Device, DeviceRegistry, RootMode } from "../devices/index.ts";
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
import { type DeviceIdentity, type PatchInput, patchesFor, preparedSettings, regionGaps } from "./patches/index.ts";

export interface DeviceVolumes {
	readonly root: PatchedTree;
	readonly boot: FileTree | undefined;
	/** The directory of the root that the boot volume covers, where there is one. */
	readonly mountPoint: number | undefined;
	/** What was set for the device and this image cannot take, in sentences. */
	readonly gaps: readonly string[];
}

type Identity = Awaited<ReturnType<typeof identityOf>>;

export interface VolumeMaker {
	readonly registry: DeviceRegistry;
	/** Asked for each boot: the file may have changed. */
	readonly authorizedKeys: () => Promise<readonly string[]>;
	readonly log: Logger;
}

/** Reads who the device is: everything that is made once and kept. */
export async function identityOf(device: Device, maker: VolumeMaker) {
	const { registry } = maker;
	const custom = registry.customisationOf(device);
	const [machineId, keys, fileKeys] = await Promise.all([
		registry.machineId(device),
		registry.sshHostKeys(device),
		maker.authorizedKeys(),
	]);
	return {
		hostname: device.name,
		machineId,
		sshHostKeys: [keys.ed25519, keys.ecdsa],
		authorizedKeys: [...new Set([...fileKeys, ...(custom.authorizedKeys ?? [])])],
		mac: device.mac,
		custom,
	};
}

/**
 * Puts the trees together. Synchronous, so that it can be run again after a `BlockFault`.
 *
 * @throws BlockFault; FileError ENODEV when the image has no root.
 */
export function deviceVolumes(image: BootImage, mode: RootMode, identity: Identity): DeviceVolumes {
	const { root, boot, bootMount } = image.build.trees();
	if (root === undefined) throw new FileError("ENODEV", `the image ${image.imageId} has no root file system`);
	const prepared = preparedSettings(boot?.tree);
	const device = customised(identity, prepared.settings);
	const input = { root: root.tree, boot: boot?.tree, bootMount, facts: image.facts, device, mode };
	const patched = new PatchedTree(root.tree, patchesFor(input));
	const gaps = [...prepared.problems, ...regionGaps(input), ...seedGaps(input)];
	const mountPoint = boot === undefined ? undefined : resolvePath(patched, bootMount);
	return { root: patched, boot: boot?.tree, mountPoint, gaps };
}

/** What a person set for the device, else for all, else prepared on the image's boot volume. */
function customised({ custom, ...identity }: Identity, prepared: Customisation): DeviceIdentity {
	const { userName, passwordHash, timeZone, locale, keyboard, wifiCountry, userData } = { ...prepared, ...custom };
	const keys = custom.authorizedKeys === undefined ? (prepared.authorizedKeys ?? []) : [];
	return {
		...identity,
		authorizedKeys: [...new Set([...identity.authorizedKeys, ...keys])],
		user: { name: userName, passwordHash },
		region: { timeZone, locale, keyboard, wifiCountry },
		userData,
	};
}

function seedGaps({ facts, device }: PatchInput): string[] {
	if (device.userData === undefined || facts.network.cloudInit) return [];
	return ["the image has no cloud-init: the user-data is not carried out"];
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
