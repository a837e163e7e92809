/**
 * The kernels of a boot volume: which they are, and how they are configured. The version is read out of the kernel
 * itself; the configuration lies beside it or in the root, or in the kernel (CONFIG_IKCONFIG=y).
 */
import { BlockFault, nameToUtf8 } from "../base/index.ts";
import { type FileTree, listDirectory, listDirectoryAt, readFileAt, readTextAt, resolvePath } from "../vfs/index.ts";
import { initramfsName } from "./inspect-config-txt.ts";
import type { KernelFacts, KernelOptions } from "./inspect-facts.ts";
import { KernelScanner, type ScannedKernel, scanKernel } from "./kernel-scan.ts";

/** Larger than any kernel for a Pi: 10 to 30 MB. */
const MAX_KERNEL = 64 * 1024 * 1024;
const MAX_KERNELS = 8;
/** Characters of what `kernel=` may say; it is told as it is. */
const MAX_PATH = 255;
/** A configuration has about 250 kB. */
const MAX_CONFIG = 4 * 1024 * 1024;

/** The options that decide how a kernel can boot. */
const OPTIONS = new Set([
	"ROOT_NFS",
	"NFS_FS",
	"NFS_V3",
	"IP_PNP",
	"IP_PNP_DHCP",
	"DEVTMPFS",
	"DEVTMPFS_MOUNT",
	"BCMGENET",
	"MACB",
	"MFD_RP1",
	"MISC_RP1",
	"PCIE_BRCMSTB",
	"USB_LAN78XX",
	"USB_NET_SMSC95XX",
	"USB_DWCOTG",
	"USB_DWC2",
]);

/** A kernel's name, and what is in it. */
export interface FoundKernel {
	readonly file: string;
	readonly scanned: ScannedKernel;
	readonly initramfs: string | undefined;
}

/**
 * Looks into the kernels in the top directory of a boot volume, and those in `named` (what `kernel=` names).
 *
 * @throws BlockFault until they have been unpacked, off the loop.
 */
export function findKernels(boot: FileTree, named: readonly string[]): FoundKernel[] {
	const names = listDirectory(boot, boot.root).map((entry) => nameToUtf8(entry.name));
	const found = names.filter((name) => /^(kernel.*\.img|vmlinuz.*|zImage|Image)$/i.test(name)).sort();
	const unlisted = named.filter(
		(name) => name.length <= MAX_PATH && !found.some((other) => other.toLowerCase() === name.toLowerCase()),
	);
	return [...unlisted, ...found].slice(0, MAX_KERNELS).flatMap((file) => {
		const ino = resolvePath(boot, `/${file}`);
		if (ino === undefined) return [];
		const { type, size } = boot.getattr(ino);
		if (type !== "file" || size > MAX_KERNEL) return [];
		return [{ file, scanned: scanOf(boot, ino), initramfs: initramfsBeside(boot, file) }];
	});
}

/** A scan that goes on has no outcome. */
interface Scan {
	readonly ready: Promise<void>;
	outcome?: { readonly kernel: ScannedKernel } | { readonly error: unknown };
}

/** By tree, the scans of its kernels: whoever asks is run again from its start when one has ended. */
const scans = new WeakMap<FileTree, Map<string, Scan>>();

/** Kernels of one tree that are remembered; a Pi may put one there after another. */
const MAX_SCANS = 32;

/** What is in a kernel. @throws BlockFault while it is read; what reading it threw, once. */
function scanOf(tree: FileTree, ino: number): ScannedKernel {
	const known = scans.get(tree) ?? new Map<string, Scan>();
	scans.set(tree, known);
	const { size, mtime, ctime } = tree.getattr(ino);
	const key = `${ino} ${size} ${mtime.sec}.${mtime.nsec} ${ctime.sec}.${ctime.nsec}`;
	const scan = known.get(key) ?? startScan(tree, ino);
	if (known.size >= MAX_SCANS) known.clear();
	known.set(key, scan);
	if (scan.outcome === undefined) throw new BlockFault(scan.ready);
	if ("kernel" in scan.outcome) return scan.outcome.kernel;
	known.delete(key);
	throw scan.outcome.error;
}

function startScan(tree: FileTree, ino: number): Scan {
	const ready = scanKernel(tree, ino).then(
		(kernel) => {
			scan.outcome = { kernel };
		},
		(error: unknown) => {
			scan.outcome = { error };
		},
	);
	const scan: Scan = { ready };
	return scan;
}

function initramfsBeside(boot: FileTree, kernel: string): string | undefined {
	const name = initramfsName(kernel);
	return name !== undefined && resolvePath(boot, `/${name}`) !== undefined ? name : undefined;
}

/**
 * The configurations of kernels by version: files `config-VERSION` beside the kernel, or in the root's `/boot`; and what the
 * module `configs` holds (CONFIG_IKCONFIG=m, as Raspberry Pi's kernels have it), where it is not packed.
 */
export function readKernelConfigs(root: FileTree | undefined, boot: FileTree | undefined): Map<string, string> {
	return new Map([
		...(root === undefined ? [] : [...moduleConfigs(root), ...configFiles(root, "/boot")]),
		...(boot === undefined ? [] : configFiles(boot, "/")),
	]);
}

function configFiles(tree: FileTree, folder: string): [string, string][] {
	return listDirectoryAt(tree, folder).flatMap(({ name }): [string, string][] => {
		const version = /^config-(.+)$/.exec(nameToUtf8(name))?.[1];
		const text = version === undefined ? undefined : readTextAt(tree, `${folder}/config-${version}`, MAX_CONFIG);
		return version === undefined || text === undefined ? [] : [[version, text]];
	});
}

function moduleConfigs(root: FileTree): [string, string][] {
	return listDirectoryAt(root, "/lib/modules").flatMap(({ name }): [string, string][] => {
		const version = nameToUtf8(name);
		const module = readFileAt(root, `/lib/modules/${version}/kernel/kernel/configs.ko`, MAX_CONFIG);
		const scanner = new KernelScanner();
		if (module !== undefined) scanner.push(module);
		return scanner.config === undefined ? [] : [[version, scanner.config]];
	});
}

/** Says what a kernel is. */
export function describeKernel(kernel: FoundKernel, configs: ReadonlyMap<string, string>): KernelFacts {
	const { bits, version, config: internal } = kernel.scanned;
	const config = (version === undefined ? undefined : configs.get(version)) ?? internal;
	return {
		file: kernel.file,
		...(bits !== undefined && { bits }),
		...(version !== undefined && { version }),
		...(config !== undefined && { options: parseKernelConfig(config) }),
		...(kernel.initramfs !== undefined && { initramfs: kernel.initramfs }),
	};
}

function parseKernelConfig(text: string): KernelOptions {
	const options: Record<string, string> = {};
	for (const match of text.matchAll(/^CONFIG_([A-Z0-9_]+)=(.*)$/gm)) {
		const [, name = "", value = ""] = match;
		if (OPTIONS.has(name)) options[name] = value;
	}
	return options;
}
