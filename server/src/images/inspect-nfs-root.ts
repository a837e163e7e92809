/** Whether a kernel can mount its root over the network by itself, without the help of an initramfs. */
import type { KernelOptions } from "./inspect-facts.ts";
import type { BootModel } from "./inspect-models.ts";

/** What every kernel needs for it: the NFS root, and the address from DHCP that it is reached with. */
const NEEDED = ["ROOT_NFS", "NFS_FS", "NFS_V3", "IP_PNP", "IP_PNP_DHCP", "DEVTMPFS_MOUNT"];

/**
 * The options that this model's kernel would need built in and does not have; none when it can mount an NFS root by itself.
 * Of a choice of drivers the first is named.
 */
export function missingForNfsRoot(options: KernelOptions, model: BootModel): string[] {
	const builtIn = (name: string) => options[name] === "y";
	const drivers = model.networkDriver.filter((choice) => !choice.some(builtIn));
	return [...NEEDED.filter((name) => !builtIn(name)), ...drivers.flatMap((choice) => choice.slice(0, 1))];
}
