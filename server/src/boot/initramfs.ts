/** Whether a kernel can mount its root over the network by itself. */
import { bootModel, type KernelOptions } from "../images/index.ts";

/** What every kernel needs for it: the NFS root, and the address from DHCP that it is reached with. */
const NEEDED = ["ROOT_NFS", "NFS_FS", "NFS_V3", "IP_PNP", "IP_PNP_DHCP", "DEVTMPFS_MOUNT"];

/**
 * The initramfs can be left out when all that the kernel needs on the way to its root is built in: that saves the Pi ten
 * megabytes of TFTP, and us the portmapper.
 *
 * @param options the kernel's configuration; undefined when it is not known, and then the initramfs stays.
 * @param model `pi4`, `pi5`, ...; undefined when it is not known, and then the initramfs stays.
 */
export function skipInitramfs(options: KernelOptions | undefined, model: string | undefined): boolean {
	const board = model === undefined ? undefined : bootModel(model);
	if (options === undefined || board === undefined) return false;
	const builtIn = (name: string) => options[name] === "y";
	return NEEDED.every(builtIn) && board.networkDriver.every((choice) => choice.some(builtIn));
}
