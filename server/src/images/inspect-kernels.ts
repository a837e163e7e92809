/**
 * The kernels of a boot volume: which they are, and how they are configured. The version is read out of the kernel
 * itself; the configuration lies in the root as `/boot/config-VERSION`, or in the kernel (CONFIG_IKCONFIG=y).
 */
import { constants, gunzipSync } from "node:zlib";
import { nameToUtf8 } from "../base/index.ts";
import { type FileTree, listDirectory, readFile, readTextAt, resolvePath } from "../vfs/index.ts";
import { initramfsName } from "./inspect-config-txt.ts";
import type { KernelFacts, KernelOptions } from "./inspect-facts.ts";

/** Larger than any kernel for a Pi: 10 to 30 MB, 30 to 60 MB unpacked. */
const MAX_KERNEL = 64 * 1024 * 1024;
const MAX_UNPACKED = 96 * 1024 * 1024;
const MAX_KERNELS = 8;
/** A configuration has about 250 kB, packed 60 kB. */
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

/** A kernel's name and bytes, read before anything is unpacked: a read may fault and begin all over, unpacking is dear. */
export interface KernelBytes {
	readonly file: string;
	readonly bytes: Buffer;
	readonly initramfs: string | undefined;
}

/** Reads the kernels in the top directory of a boot volume, and those in `named` (what `kernel=` names). */
export function readKernels(boot: FileTree, named: readonly string[]): KernelBytes[] {
	const names = listDirectory(boot, boot.root).map((entry) => nameToUtf8(entry.name));
	const found = names.filter((name) => /^(kernel.*\.img|vmlinuz.*|zImage|Image)$/i.test(name)).sort();
	const unlisted = named.filter((name) => !found.some((other) => other.toLowerCase() === name.toLowerCase()));
	return [...unlisted, ...found].slice(0, MAX_KERNELS).flatMap((file) => {
		const ino = resolvePath(boot, `/${file}`);
		if (ino === undefined) return [];
		const { type, size } = boot.getattr(ino);
		if (type !== "file" || size > MAX_KERNEL) return [];
		return [{ file, bytes: readFile(boot, ino, MAX_KERNEL), initramfs: initramfsBeside(boot, file) }];
	});
}

function initramfsBeside(boot: FileTree, kernel: string): string | undefined {
	const name = initramfsName(kernel);
	return name !== undefined && resolvePath(boot, `/${name}`) !== undefined ? name : undefined;
}

/** The configuration files of a root by the version in their names; read, like the kernels, before the unpacking. */
export function readKernelConfigs(root: FileTree): Map<string, string> {
	const boot = resolvePath(root, "/boot");
	const configs = new Map<string, string>();
	if (boot === undefined || root.getattr(boot).type !== "directory") return configs;
	for (const { name } of listDirectory(root, boot)) {
		const version = /^config-(.+)$/.exec(nameToUtf8(name))?.[1];
		const text = version === undefined ? undefined : readTextAt(root, `/boot/config-${version}`, MAX_CONFIG);
		if (version !== undefined && text !== undefined) configs.set(version, text);
	}
	return configs;
}

/** Says what a kernel is. Unpacks it, which takes about 0.2 s for one of Raspberry Pi OS. */
export function inspectKernel(kernel: KernelBytes, configs: ReadonlyMap<string, string>): KernelFacts {
	const image = unpackKernel(kernel.bytes);
	const version = findVersion(image);
	const config = (version === undefined ? undefined : configs.get(version)) ?? findInternalConfig(image);
	const bits = kernelBits(image, kernel.bytes);
	return {
		file: kernel.file,
		...(bits !== undefined && { bits }),
		...(version !== undefined && { version }),
		...(config !== undefined && { options: parseKernelConfig(config) }),
		...(kernel.initramfs !== undefined && { initramfs: kernel.initramfs }),
	};
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);

/** How far into a zImage its packed part begins at the latest; what lies before it is the code that unpacks. */
const MAX_UNPACKER = 256 * 1024;

/**
 * The kernel as it runs: `kernel8.img` is often the gzip of an arm64 `Image`; a 32-bit `zImage` carries a gzip inside.
 * What is packed in another way stays as it is, and tells nothing.
 */
function unpackKernel(bytes: Buffer): Buffer {
	const at = bytes.subarray(0, MAX_UNPACKER).indexOf(GZIP_MAGIC);
	const isImage = bytes.subarray(56, 60).equals(ARM64_MAGIC);
	return at === -1 || isImage ? bytes : (tryGunzip(bytes.subarray(at), MAX_UNPACKED) ?? bytes);
}

/** Undefined for bytes that are no gzip after all, which is what a chance match of its magic is. */
function tryGunzip(bytes: Buffer, limit: number): Buffer | undefined {
	try {
		return gunzipSync(bytes, { maxOutputLength: limit, finishFlush: constants.Z_SYNC_FLUSH });
	} catch {
		return undefined;
	}
}

/** Documentation/arch/arm64/booting.rst: `u32 magic = 0x644d5241; /* "ARM\x64" *\/` at offset 56. */
const ARM64_MAGIC = Buffer.from("ARM\x64", "latin1");
/** arch/arm/boot/compressed/head.S: `.word 0x016f2818` at offset 36. */
const ZIMAGE_MAGIC = Buffer.from([0x18, 0x28, 0x6f, 0x01]);

function kernelBits(image: Buffer, packed: Buffer): 32 | 64 | undefined {
	if (image.subarray(56, 60).equals(ARM64_MAGIC)) return 64;
	return packed.subarray(36, 40).equals(ZIMAGE_MAGIC) ? 32 : undefined;
}

/** `linux_banner`: "Linux version 6.12.47+rpt-rpi-v8 (...". The same words stand in format strings, before a `%`. */
function findVersion(image: Buffer): string | undefined {
	const words = "Linux version ";
	for (let at = image.indexOf(words); at !== -1; at = image.indexOf(words, at + 1)) {
		const start = at + words.length;
		const match = /^\d[\x21-\x7e]{0,63}(?= )/.exec(image.toString("latin1", start, start + 65));
		if (match !== null) return match[0];
	}
	return undefined;
}

/** kernel/configs.c: the gzip of .config stands between the words IKCFG_ST and IKCFG_ED. */
function findInternalConfig(image: Buffer): string | undefined {
	const start = image.indexOf("IKCFG_ST");
	const end = image.indexOf("IKCFG_ED", start + 8);
	if (start === -1 || end === -1 || end - start > MAX_CONFIG) return undefined;
	return tryGunzip(image.subarray(start + 8, end), MAX_CONFIG)?.toString("latin1");
}

function parseKernelConfig(text: string): KernelOptions {
	const options: Record<string, string> = {};
	for (const match of text.matchAll(/^CONFIG_([A-Z0-9_]+)=(.*)$/gm)) {
		const [, name = "", value = ""] = match;
		if (OPTIONS.has(name)) options[name] = value;
	}
	return options;
}
