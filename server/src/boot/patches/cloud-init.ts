/** cloud-init: it would give the interface that carries the root a new configuration, new host keys, and grow a disk. */
import { createHash } from "node:crypto";
import { type FileTree, type Patch, readTextAt } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { removeFile, writeFile } from "./make.ts";

/** Read last of all in its folder, so it holds against what the distribution says there. */
const CONFIG = "/etc/cloud/cloud.cfg.d/99-zz-netboot.cfg";

const SETTINGS = `network: {config: disabled}
datasource_list: [NoCloud, None]
preserve_hostname: true
ssh_deletekeys: false
growpart: {mode: "off"}
resize_rootfs: false
`;

const SEED = "/var/lib/cloud/seed/nocloud";

/**
 * A seed that asks for something is carried out, apart from network, keys and disk: it is put where cloud-init looks
 * without a disk's label to go by. Without one cloud-init has nothing to do, and only costs time.
 */
export function cloudInitPatches({ root, boot, facts, device }: PatchInput): Patch[] {
	if (!facts.network.cloudInit) return [];
	if (device.userData !== undefined) return [settings(), ...ownSeedPatches(device.userData)];
	const onBoot = boot === undefined ? undefined : readTextAt(boot, "/user-data");
	const asks = [onBoot, readTextAt(root, `${SEED}/user-data`)].some(
		(text) => text !== undefined && asksForSomething(text),
	);
	if (!asks) return [writeFile("/etc/cloud/cloud-init.disabled", "cloud-init has nothing to do here", "")];
	return [settings(), ...(boot === undefined || onBoot === undefined ? [] : seedPatches(boot, onBoot))];
}

function settings(): Patch {
	return writeFile(CONFIG, "cloud-init leaves the network, the host keys and the disk alone", SETTINGS);
}

/** cloud-init carries a seed out once per instance-id: other user-data is another instance. */
function ownSeedPatches(userData: string): Patch[] {
	const why = "cloud-init carries out the user-data that was set for this device";
	const id = createHash("sha256").update(userData).digest("hex").slice(0, 16);
	return [
		writeFile(`${SEED}/user-data`, why, userData, { mode: 0o600 }),
		writeFile(`${SEED}/meta-data`, why, `instance-id: netboot-${id}\n`, { mode: 0o600 }),
		removeFile("/etc/cloud/cloud-init.disabled", why),
	];
}

function asksForSomething(userData: string): boolean {
	return (
		userData.split("\n").some((line) => line.trim() !== "" && !line.trim().startsWith("#")) || userData.startsWith("#!")
	);
}

function seedPatches(boot: FileTree, userData: string): Patch[] {
	const why = "cloud-init finds its seed here: the boot volume has no label to be found by";
	const metaData = readTextAt(boot, "/meta-data") ?? "instance-id: netboot\n";
	return [
		writeFile(`${SEED}/user-data`, why, userData, { mode: 0o600 }),
		writeFile(`${SEED}/meta-data`, why, metaData, { mode: 0o600 }),
	];
}
