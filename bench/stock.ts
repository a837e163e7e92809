/** Boot files as Raspberry Pi OS has them: the same names and sizes, bytes of no meaning, and a kernel that says what it can. */
import { randomBytes } from "node:crypto";
import { overlayMap } from "../test/harness/overlay-map.ts";
import type { BootFiles } from "./fixture.ts";

const RELEASE = "6.12.47+rpt-rpi";
const BUILT_IN = [
	...["ROOT_NFS", "NFS_FS", "NFS_V3", "IP_PNP", "IP_PNP_DHCP", "DEVTMPFS", "DEVTMPFS_MOUNT"],
	...["BCMGENET", "MACB", "MFD_RP1", "PCIE_BRCMSTB", "USB_LAN78XX", "USB_NET_SMSC95XX", "USB_DWCOTG"],
];

/** Megabytes of the files that count. */
const SIZES: Readonly<Record<string, number>> = {
	...{ "bootcode.bin": 0.052, "start.elf": 2.99, "fixup.dat": 0.0073 },
	...{ "start4.elf": 2.27, "fixup4.dat": 0.0055 },
	...{ initramfs8: 12.4, initramfs_2712: 12.4 },
	...{ "bcm2710-rpi-3-b-plus.dtb": 0.035, "bcm2711-rpi-4-b.dtb": 0.056, "bcm2712-rpi-5-b.dtb": 0.079 },
	...{ "overlays/vc4-kms-v3d.dtbo": 0.0028, "overlays/vc4-kms-v3d-pi4.dtbo": 0.004 },
	"overlays/vc4-kms-v3d-pi5.dtbo": 0.0038,
};
const KERNEL_MEGABYTES = 9.6;

const CONFIG = "dtparam=audio=on\ndtoverlay=vc4-kms-v3d\nauto_initramfs=1\narm_64bit=1\n[cm4]\notg_mode=1\n[all]\n";

/** @param scale what the sizes are multiplied with, for many Pis on one small machine. */
export function stockBootFiles(scale = 1): BootFiles {
	const sized = Object.entries(SIZES).map(([name, size]) => [name, randomBytes(Math.ceil(size * scale * 1e6))]);
	return {
		...Object.fromEntries(sized),
		"kernel8.img": kernel(`${RELEASE}-v8`, scale),
		"kernel_2712.img": kernel(`${RELEASE}-2712`, scale),
		"overlays/overlay_map.dtb": overlayMap({
			"vc4-kms-v3d": { bcm2835: "", bcm2711: "vc4-kms-v3d-pi4", bcm2712: "vc4-kms-v3d-pi5" },
		}),
		"config.txt": CONFIG,
	};
}

/** The configurations of the two kernels, where Debian's packages put them. */
export function stockRootFiles(): Readonly<Record<string, string>> {
	const text = BUILT_IN.map((name) => `CONFIG_${name}=y\n`).join("");
	return { [`boot/config-${RELEASE}-v8`]: text, [`boot/config-${RELEASE}-2712`]: text };
}

function kernel(release: string, scale: number): Buffer {
	const image = randomBytes(Math.ceil(KERNEL_MEGABYTES * scale * 1e6));
	// The magic of an arm64 image, and the banner that names its release.
	image.write("ARM\x64", 56, "latin1");
	image.write(`Linux version ${release} (builder@example) (gcc) #1\n\0`, 1024, "latin1");
	return image;
}
