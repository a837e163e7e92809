/** What a fresh image does once on its first boot, and must not do on a root that comes over the network. */
import { findShippedUnit, hasUnit } from "../../images/index.ts";
import { type Patch, resolvePath } from "../../vfs/index.ts";
import type { PatchInput } from "./input.ts";
import { editFile, enableUnit, maskUnit, removeFile } from "./make.ts";

/** Units of Raspberry Pi OS and Debian that grow the root's partition and file system. */
const RESIZERS = [
	"rpi-resize.service",
	"resize2fs_once.service",
	"rpi-resizerootfs.service",
	"systemd-growfs-root.service",
];

export function firstBootPatches(input: PatchInput): Patch[] {
	const resizers = RESIZERS.filter((unit) => hasUnit(input.root, unit));
	return [
		...resizers.map((unit) => maskUnit(unit, `${unit} would resize a disk that is not there`)),
		...hostKeyPatches(input),
		...userDialogPatches(input),
	];
}

/** It removes the host keys before it makes new ones, so each new layer would be another host to its users. */
function hostKeyPatches({ root }: PatchInput): Patch[] {
	const unit = "regenerate_ssh_host_keys.service";
	return hasUnit(root, unit) ? [maskUnit(unit, "the device has SSH host keys of its own, which stay the same")] : [];
}

const DIALOG = "userconfig.service";

/**
 * Raspberry Pi OS asks for a user name on the console and waits. When the boot volume has a userconf.txt it asks nothing
 * and renames its user as the file says: then it may run.
 */
function userDialogPatches({ root, boot, facts, device }: PatchInput): Patch[] {
	const isPrepared =
		boot !== undefined && ["/userconf.txt", "/userconf"].some((path) => resolvePath(boot, path) !== undefined);
	if (!hasUnit(root, DIALOG) || isPrepared) return [];
	const getty = findShippedUnit(root, "getty@.service");
	const user = device.user?.name ?? facts.firstUser?.name ?? "pi";
	return [
		maskUnit(DIALOG, "the dialog for a first user would wait at the console: the user is made here"),
		...(getty === undefined
			? []
			: [
					enableUnit(
						"getty@tty1.service",
						getty,
						"getty.target",
						"the console asks for a login in place of that dialog",
					),
				]),
		removeFile("/etc/ssh/sshd_config.d/rename_user.conf", "its banner says that nobody can log in yet"),
		editFile("/etc/lightdm/lightdm.conf", "the desktop starts as the user, not with the first-boot dialog", (text) =>
			text.replace(/^(autologin-user\s*=\s*)rpi-first-boot-wizard[ \t]*$/gm, `$1${user}`),
		),
	];
}
