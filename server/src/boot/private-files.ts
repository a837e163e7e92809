/**
 * Files of a boot volume that prepare a system: they may hold passwords, keys of a Wi-Fi and host keys. No firmware asks for them, so
 * they go to none but the device's own address.
 */
import { type FileTree, resolvePath } from "../vfs/index.ts";

/** Of Raspberry Pi Imager and Raspberry Pi OS, cloud-init and DietPi. */
const PRIVATE = [
	...["rpi-preseed.toml", "custom.toml", "firstrun.sh", "userconf", "userconf.txt", "wpa_supplicant.conf"],
	...["user-data", "meta-data", "vendor-data", "network-config"],
	...["dietpi.txt", "dietpi-wifi.txt", "Automation_Custom_Script.sh", "Automation_Custom_PreScript.sh"],
];

/**
 * Whether it is one of them. By its inode, because FAT has short names as well: `USERCO~1.TXT`.
 *
 * @throws BlockFault
 */
export function isPrivate(boot: FileTree, ino: number): boolean {
	return PRIVATE.some((name) => resolvePath(boot, `/${name}`) === ino);
}
