/**
 * The boot files of a device: its boot volume, with `cmdline.txt` and `config.txt` passed through a function when they are
 * asked for. The Pi's user edits the files, we add the root.
 */
import { BugError } from "../base/index.ts";
import type { Device } from "../devices/index.ts";
import {
	BOOT_MODELS,
	type BootModel,
	bootFiles,
	bootModel,
	type EffectiveConfig,
	effectiveConfig,
	inspectImage,
	type KernelOptions,
} from "../images/index.ts";
import { type FileTree, readFile, resolvePath } from "../vfs/index.ts";
import type { BootImage } from "./catalogue.ts";
import { skipInitramfs } from "./initramfs.ts";

/** No command line or configuration comes near it; what is larger is served as it is. */
const MAX_TEXT = 65_536;

/** What a request for a boot file leads to. */
export type BootFile =
	| { readonly kind: "file"; readonly ino: number; readonly size: number }
	| { readonly kind: "config"; readonly text: string }
	| { readonly kind: "cmdline"; readonly text: string };

/** What `config.txt` means for a device. */
export interface DeviceConfig {
	readonly config: EffectiveConfig;
	readonly skipInitramfs: boolean;
	/** True when an initramfs will be loaded, so that the command line must suit it. */
	readonly initramfs: boolean;
	/**
	 * What the firmware does once after `reboot "0 tryboot"`, which nobody tells us of: a system that tries a new kernel so
	 * (Ubuntu's piboot-try) has a second command line, which needs the root as well. Undefined where it is the same.
	 */
	readonly tryboot?: EffectiveConfig | undefined;
}

/** Reads `config.txt` as the firmware of this device will. @throws BlockFault */
export function deviceConfig(device: Device, boot: FileTree, image: BootImage): DeviceConfig {
	const model = modelOf(device);
	const serial = device.serial ?? undefined;
	const config = effectiveConfig(bootFiles(boot), model, { serial });
	const tryboot = effectiveConfig(bootFiles(boot), model, { serial, tryboot: true });
	const hasTryboot = tryboot.cmdline !== config.cmdline || tryboot.files[0] !== config.files[0];
	const kernels = [config, ...(hasTryboot ? [tryboot] : [])].flatMap(({ kernel }) => kernel ?? []);
	// One text has the lines that load an initramfs, for both kernels: neither may need it.
	const skip =
		kernels.length > 0 &&
		kernels.every((kernel) => skipInitramfs(kernelOptions(kernel, device, boot, image), device.model ?? undefined));
	return {
		config,
		skipInitramfs: skip,
		initramfs: !skip && config.initramfs.length > 0,
		tryboot: hasTryboot ? tryboot : undefined,
	};
}

/** A device whose model is not known yet reads its configuration as a Pi 4: all that differs are kernels' names. */
function modelOf(device: Device): BootModel {
	const known = device.model === null ? undefined : bootModel(device.model);
	const fallback = known ?? bootModel("pi4") ?? BOOT_MODELS[0];
	if (fallback === undefined) throw new BugError("there are no boot models");
	return fallback;
}

/** What the kernel has built in. The image's own was looked at when it was found; one that the Pi put there is now. */
function kernelOptions(kernel: string, device: Device, boot: FileTree, image: BootImage): KernelOptions | undefined {
	const trees = image.build.trees();
	const original = trees.boot === undefined ? undefined : stampOf(trees.boot.tree, kernel);
	const current = stampOf(boot, kernel);
	if (original === current) return image.facts.kernels.find(({ file }) => file === kernel)?.options;
	return changedKernels.options(`${device.key} ${image.build.id} ${current}`, () => {
		const { table, bootMount, root } = trees;
		const facts = inspectImage({ table, bootMount, boot, root: root?.tree });
		return facts.kernels.find(({ file }) => file === kernel)?.options;
	});
}

function stampOf(tree: FileTree, name: string): string {
	const ino = resolvePath(tree, `/${name}`);
	if (ino === undefined) return `${name} is not there`;
	const { size, mtime } = tree.getattr(ino);
	return `${name} ${ino} ${size} ${mtime.sec}.${mtime.nsec}`;
}

/** Unpacking a kernel takes up to a second, and each boot asks several times. */
class ChangedKernels {
	readonly #known = new Map<string, KernelOptions | undefined>();

	options(key: string, look: () => KernelOptions | undefined): KernelOptions | undefined {
		if (!this.#known.has(key)) {
			const options = look();
			if (this.#known.size >= 64) this.#known.clear();
			this.#known.set(key, options);
		}
		return this.#known.get(key);
	}
}

const changedKernels = new ChangedKernels();

/**
 * Finds a boot file.
 *
 * @param path normalised, without the serial.
 * @returns undefined when there is none. @throws BlockFault
 */
export function findBootFile(boot: FileTree, path: string, { config, tryboot }: DeviceConfig): BootFile | undefined {
	const ino = resolvePath(boot, `/${path}`);
	if (ino === undefined) return undefined;
	const { type, size } = boot.getattr(ino);
	if (type !== "file") return undefined;
	const isText = size <= MAX_TEXT;
	const configs = tryboot === undefined ? [config] : [config, tryboot];
	if (isText && configs.some(({ cmdline }) => sameName(path, cmdline))) {
		return { kind: "cmdline", text: text(boot, ino) };
	}
	if (isText && configs.some(({ files }) => files.some((file) => sameName(path, file)))) {
		return { kind: "config", text: text(boot, ino) };
	}
	return { kind: "file", ino, size };
}

/** FAT names are case-insensitive. */
function sameName(one: string, other: string): boolean {
	return one.toLowerCase() === other.toLowerCase();
}

function text(boot: FileTree, ino: number): string {
	return readFile(boot, ino, MAX_TEXT).toString("latin1");
}
