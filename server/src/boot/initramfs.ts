/** Whether a kernel can mount its root over the network by itself. */
import { bootModel, type KernelOptions, missingForNfsRoot } from "../images/index.ts";

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
	return missingForNfsRoot(options, board).length === 0;
}
