/** What stands between a kernel and a root on the network: its own abilities, or those of its initramfs. */
import { nameToUtf8 } from "../base/index.ts";
import { type FileTree, listDirectoryAt, resolvePath } from "../vfs/index.ts";
import type { ImageFinding, InspectedTrees, KernelFacts, SystemFacts } from "./inspect-facts.ts";
import type { ModelLook } from "./inspect-looks.ts";
import { missingForNfsRoot } from "./inspect-nfs-root.ts";

/** For a model that loads no initramfs: what its kernel lacks, as parts of a sentence. None when that is not known. */
export function missingNfsRoot({ model, config }: ModelLook, kernels: readonly KernelFacts[]): string[] {
	const options = kernels.find(({ file }) => file === config.kernel)?.options;
	if (options === undefined || config.initramfs.length > 0) return [];
	const missing = missingForNfsRoot(options, model);
	if (missing.length === 0) return [];
	const kernel = `kernel that mounts an NFS root by itself (${config.kernel} lacks ${missing.join(", ")})`;
	return [kernel, "initramfs that would do it"];
}

/** About the way from the kernel to the root. @param looks of the models that can load all their files. */
export function initramfsFindings(
	trees: InspectedTrees,
	facts: SystemFacts,
	looks: readonly ModelLook[],
	kernels: readonly KernelFacts[],
): ImageFinding[] {
	const ways = looks.map((look) => wayToRoot(look, kernels));
	return [
		...(ways.includes("unknown") ? [unknownFinding(looks, kernels)] : []),
		...(ways.includes("initramfs") ? initramfsWithoutNfs(trees, facts) : []),
	];
}

/** Who mounts the root: the kernel, its initramfs, or nobody knows. */
function wayToRoot({ model, config }: ModelLook, kernels: readonly KernelFacts[]): "kernel" | "initramfs" | "unknown" {
	const options = kernels.find(({ file }) => file === config.kernel)?.options;
	if (options !== undefined && missingForNfsRoot(options, model).length === 0) return "kernel";
	return config.initramfs.length > 0 ? "initramfs" : "unknown";
}

function unknownFinding(looks: readonly ModelLook[], kernels: readonly KernelFacts[]): ImageFinding {
	const names = looks.filter((look) => wayToRoot(look, kernels) === "unknown").map(({ config }) => config.kernel ?? "");
	const kernel = [...new Set(names)].join(", ");
	return {
		code: "unknown-nfs-root",
		severity: "info",
		message: `There is no initramfs, and ${kernel} does not tell its configuration: it boots only if ROOT_NFS, IP_PNP_DHCP and the network driver are built in.`,
		fix: "Build the kernel with CONFIG_IKCONFIG=y, or put its configuration into the root as /boot/config-VERSION.",
	};
}

/** Makers of an initramfs that leave NFS out unless they are told otherwise. */
function initramfsWithoutNfs({ root }: InspectedTrees, { os }: SystemFacts): ImageFinding[] {
	if (root === undefined) return [];
	if (os?.id === "alpine") return [ALPINE];
	return isDracutWithoutNfs(root) ? [DRACUT] : [];
}

const ALPINE: ImageFinding = {
	code: "alpine-initramfs",
	severity: "warning",
	message: "Alpine's initramfs (mkinitfs) mounts no NFS root, and the kernel cannot do it without.",
	fix: "Use a kernel with ROOT_NFS, IP_PNP_DHCP and the network driver built in, or an initramfs of your own.",
};

const DRACUT: ImageFinding = {
	code: "dracut-without-nfs",
	severity: "warning",
	message: "The initramfs is made by dracut, and dracut's part for NFS is not installed: it does not find its root.",
	fix: "Install dracut-network and nfs-common in the image, and make the initramfs again (dracut -f).",
};

function isDracutWithoutNfs(root: FileTree): boolean {
	const has = (path: string) => resolvePath(root, path) !== undefined;
	if (!has("/usr/lib/dracut/modules.d") || has("/usr/share/initramfs-tools/init")) return false;
	const modules = listDirectoryAt(root, "/usr/lib/dracut/modules.d").map(({ name }) => nameToUtf8(name));
	const mounter = ["/usr/sbin/mount.nfs", "/sbin/mount.nfs"].some(has);
	return !mounter || !modules.some((name) => /^\d\dnfs$/.test(name));
}
