/** What the firmware of one model finds in a boot volume, and what it misses. */
import { type FileTree, readTextAt, resolvePath } from "../vfs/index.ts";
import { type BootFiles, type EffectiveConfig, effectiveConfig } from "./inspect-config-txt.ts";
import type { KernelFacts, ModelBoot } from "./inspect-facts.ts";
import type { BootModel } from "./inspect-models.ts";

/** What a model finds in the boot volume, and what it misses. */
export interface ModelLook {
	readonly model: BootModel;
	readonly config: EffectiveConfig;
	/** Each a part of a sentence: "start4.elf", "a 64-bit kernel". */
	readonly missing: string[];
}

/** The boot volume as `config.txt` sees it. */
export function bootFiles(boot: FileTree): BootFiles {
	return {
		read: (name) => readTextAt(boot, `/${name}`),
		exists: (name) => resolvePath(boot, `/${name}`) !== undefined,
	};
}

export function lookAt(boot: FileTree, model: BootModel): ModelLook {
	const files = bootFiles(boot);
	const config = effectiveConfig(files, model);
	const missing = model.firmware.filter((name) => !files.exists(name));
	const deviceTrees = config.deviceTree === undefined ? model.deviceTrees.map(prefixed) : [config.deviceTree];
	function prefixed(name: string): string {
		return config.osPrefix + name;
	}
	if (config.kernel === undefined) missing.push(model.kernels64.join(" or "));
	if (!deviceTrees.some((name) => files.exists(name))) missing.push(deviceTrees[0] ?? "a device tree");
	missing.push(...config.initramfs.filter((name) => !files.exists(name)));
	return { model, config, missing };
}

/** A 64-bit root needs a 64-bit kernel, and so does a board that has no 32-bit firmware. */
export function missingWidth(
	look: ModelLook,
	kernels: readonly KernelFacts[],
	architecture: string | undefined,
): string[] {
	const kernel = kernels.find((one) => one.file === look.config.kernel);
	const needs64 = architecture === "arm64" || look.model.kernels32.length === 0;
	return kernel?.bits === 32 && needs64 ? ["a 64-bit kernel"] : [];
}

/** For a model that misses nothing. */
export function modelBoot(look: ModelLook): ModelBoot {
	return { model: look.model.id, kernel: look.config.kernel ?? "", initramfs: look.config.initramfs };
}
