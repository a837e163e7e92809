/** What the firmware of all models fetches in the same way: overlays, the kernel and what belongs to it. */
import { BootError } from "../errors.ts";
import type { Firmware } from "../firmware.ts";
import { overlayNames } from "../overlay-map.ts";

/** The names of kernels that a model knows, the best first. */
export interface KernelNames {
	readonly bits64: readonly string[];
	readonly bits32: readonly string[];
}

/** A name as it is asked for, with what `os_prefix=` puts before it. */
export function withOsPrefix(firmware: Firmware, name: string): string {
	return `${firmware.setting("os_prefix") ?? ""}${name}`;
}

/** Asks whether the file is there, then fetches it: the firmware needs its size first. @returns false when there is none. */
export async function probeAndGet(firmware: Firmware, name: string): Promise<boolean> {
	return (await firmware.probe(name)) && (await firmware.get(name));
}

/** The same for a file that the firmware itself reads. */
export async function probeAndRead(firmware: Firmware, name: string): Promise<Buffer | undefined> {
	return (await firmware.probe(name)) ? firmware.read(name) : undefined;
}

/**
 * The overlays that config.txt asks for.
 * @param map the content of overlay_map.dtb, when the server has it: a name may stand for another one on this chip.
 */
export async function getOverlays(firmware: Firmware, map: Buffer | undefined, chip: string): Promise<void> {
	const renamed = map === undefined ? new Map<string, string>() : overlayNames(map, chip);
	for (const name of firmware.config.overlays) {
		await probeAndGet(firmware, `${overlayFolder(firmware)}${renamed.get(name) ?? name}.dtbo`);
	}
}

export function overlayFolder(firmware: Firmware): string {
	return withOsPrefix(firmware, firmware.setting("overlay_prefix") ?? "overlays/");
}

/** The device tree of the model, unless config.txt names another one, or none. */
export function deviceTreeName(firmware: Firmware, stock: string): string | undefined {
	const named = firmware.setting("device_tree");
	return named === undefined ? withOsPrefix(firmware, stock) : named === "" ? undefined : withOsPrefix(firmware, named);
}

export function cmdlineName(firmware: Firmware): string {
	return withOsPrefix(firmware, firmware.setting("cmdline") ?? "cmdline.txt");
}

/** The initramfs of config.txt; with `auto_initramfs=1` the one whose name follows the kernel's. */
export function initramfsName(firmware: Firmware, kernel: string): string | undefined {
	if (firmware.config.initramfs !== undefined) return withOsPrefix(firmware, firmware.config.initramfs);
	if (firmware.setting("auto_initramfs") !== "1") return undefined;
	const base = kernel.slice(kernel.lastIndexOf("/") + 1);
	if (!base.startsWith("kernel")) return undefined;
	const folder = kernel.slice(0, kernel.length - base.length);
	return `${folder}initramfs${base.slice("kernel".length).replace(/\.img$/, "")}`;
}

/** Whether the processor will be in 64-bit mode: config.txt says so, else the name of the kernel. */
export function is64Bit(firmware: Firmware, kernel: string): boolean {
	const bits = firmware.setting("arm_64bit");
	return bits === undefined ? /kernel8\.img$/.test(kernel) || !/kernel\w*\.img$/.test(kernel) : bits !== "0";
}

/** The kernels of a model, all of them when config.txt does not say how many bits. Where a chip has no choice it is not asked. */
function stockKernels(firmware: Firmware, { bits64, bits32 }: KernelNames): readonly string[] {
	if (bits64.length === 0) return bits32;
	if (bits32.length === 0) return bits64;
	const bits = firmware.setting("arm_64bit");
	return bits === "1" ? bits64 : bits === "0" ? bits32 : [...bits64, ...bits32];
}

/** The kernels to try: the one that config.txt names, else those of the model. */
export function kernelNames(firmware: Firmware, names: KernelNames): string[] {
	const named = firmware.setting("kernel");
	const wanted = named === undefined ? stockKernels(firmware, names) : [named];
	return wanted.map((name) => withOsPrefix(firmware, name));
}

/** Looks for a recovery system, then for the kernel. @returns the name of the kernel that is there. */
export async function probeKernel(firmware: Firmware, names: KernelNames): Promise<string> {
	for (const name of stockKernels(firmware, names)) await firmware.refuse(name.replace("kernel", "recovery"));
	const wanted = kernelNames(firmware, names);
	for (const name of wanted) {
		if (await firmware.probe(name)) return name;
	}
	throw new BootError(`there is no kernel on the server: the Pi asked for ${wanted.join(", ")} in ${firmware.where}`);
}

/** Code that runs before the kernel: none of a stock image. */
export async function getArmstub(firmware: Firmware, stock: readonly string[]): Promise<void> {
	const named = firmware.setting("armstub");
	for (const name of named === undefined ? stock : [named]) {
		if (await firmware.get(name)) return;
	}
}

/** @param probes how often the firmware asks for the size before it fetches. */
export async function getInitramfs(firmware: Firmware, kernel: string, probes: number): Promise<void> {
	const name = initramfsName(firmware, kernel);
	if (name === undefined) return;
	for (let count = 0; count < probes; count++) {
		if (!(await firmware.probe(name))) return;
	}
	if (await firmware.get(name)) firmware.loaded.initramfs = name;
}

/** The last file of a boot. */
export async function loadKernel(firmware: Firmware, name: string): Promise<void> {
	await firmware.need(name);
	firmware.loaded.kernel = name;
}

/** start.elf and fixup.dat under the names that config.txt gives them. @param infix "4" for start4.elf. */
export function startFiles(firmware: Firmware, infix: string): [start: string, fixup: string] {
	const variant = firmware.setting("gpu_mem") === "16" ? "cd" : firmware.setting("start_x") === "1" ? "x" : "";
	return [
		firmware.setting("start_file") ?? `start${infix}${variant}.elf`,
		firmware.setting("fixup_file") ?? `fixup${infix}${variant}.dat`,
	];
}
