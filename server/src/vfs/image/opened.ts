/** What is in an image, whichever kind it is: a disk with partitions, one file system, a root file system in a tar or in a directory. */
import { whenReady } from "../../base/index.ts";
import type { BlockSource, Partition, PartitionTable } from "../../disk/index.ts";
import { DirectoryTree } from "../directory-tree.ts";
import type { HostTree } from "../host/index.ts";
import { resolvePath } from "../path.ts";
import { isTar, TarIndexer } from "../tar/index.ts";
import type { FileTree } from "../tree.ts";
import { isDirectory, rootNames } from "./look.ts";
import { BOOT_FSID, type ImageVolume, looksLikeRoot, openImageTrees, ROOT_FSID } from "./trees.ts";

export interface OpenedTrees {
	readonly table: PartitionTable;
	readonly root?: ImageVolume<FileTree>;
	readonly boot?: ImageVolume<FileTree>;
	readonly bootMount: string;
	readonly findings: readonly string[];
	/** Tells file systems apart: their superblocks, all headers of an archive, when a directory was made. */
	readonly identity: string;
}

/**
 * Opens an image.
 *
 * @throws MalformedError, UnsupportedError (`tar`) for an archive that is broken. What is wrong with a disk is a finding.
 * @throws what the source throws when it fails.
 */
export async function openTrees(source: BlockSource): Promise<OpenedTrees> {
	if (await whenReady(() => isTar(source))) return openTar(source);
	const trees = await whenReady(() => openImageTrees(source));
	const identity = trees.root?.tree.superblockIdentity ?? trees.boot?.tree.serial ?? "";
	return await whenReady(() => withBootDirectory({ ...trees, identity }));
}

/** A root and a boot volume that lie in files of their own. Of what else is in those files nothing is used. */
export function joinTrees(root: OpenedTrees, boot: OpenedTrees): OpenedTrees {
	const { table, identity, findings } = root;
	const own = { table, identity, findings: [...findings, ...boot.findings] };
	if (root.root === undefined || boot.boot === undefined) {
		return { ...own, bootMount: root.bootMount, ...(root.root && { root: root.root }) };
	}
	const mount = BOOT_DIRECTORIES.find((path) => root.root && isDirectory(root.root.tree, path));
	const bootMount = root.boot === undefined ? root.bootMount : (mount ?? root.bootMount);
	return { ...own, bootMount, root: root.root, boot: boot.boot };
}

/** A root in a directory of the host, with its boot files in it or in another directory. */
export function treesOfDirectory(root: HostTree, boot: HostTree | undefined): OpenedTrees {
	const own: OpenedTrees = {
		table: NO_TABLE,
		root: { tree: root, partition: WHOLE },
		bootMount: mountOf(root),
		findings: [...root.findings, ...(boot?.findings ?? [])],
		identity: root.folderIdentity,
	};
	if (boot === undefined) return withBootDirectory(own);
	const tree = new DirectoryTree(boot, boot.root, BOOT_FSID);
	return { ...own, boot: { tree, partition: { ...WHOLE } } };
}

/** Where a root file system has its boot files, the newer place first. */
const BOOT_DIRECTORIES = ["/boot/firmware", "/boot"];

/** What the firmware of a Pi loads. */
const BOOT_FILE = /^(config\.txt|start.*\.elf|kernel.*\.img|bcm27.*\.dtb)$/i;

const NO_TABLE: PartitionTable = { kind: "none", diskId: "", partitions: [], findings: [] };
const WHOLE: Partition = { index: 0, start: 0, size: 0, type: "", partuuid: "" };

async function openTar(source: BlockSource): Promise<OpenedTrees> {
	const indexer = new TarIndexer(source, { fsid: ROOT_FSID });
	const tree = await whenReady(() => indexer.run());
	const partition = { ...WHOLE, size: source.size };
	const { findings, identity } = tree;
	const own = { table: NO_TABLE, bootMount: mountOf(tree), findings, identity };
	if (!(await whenReady(() => looksLikeRoot(tree)))) return { ...own, findings: [...findings, noRootIn(tree)] };
	return await whenReady(() => withBootDirectory({ ...own, root: { tree, partition } }));
}

function noRootIn(tree: FileTree): string {
	const names = rootNames(tree, 4);
	const shown = names.length > 3 ? [...names.slice(0, 3), "..."] : names;
	return `the archive has neither etc nor sbin/init at its top, but ${shown.join(", ") || "nothing"}: pack a root file system with tar -C ROOT -cf FILE .`;
}

function mountOf(root: FileTree): string {
	return BOOT_DIRECTORIES.find((path) => isDirectory(root, path)) ?? "/boot";
}

/** A root that has no boot volume may have the boot files itself. @throws BlockFault */
function withBootDirectory(trees: OpenedTrees): OpenedTrees {
	if (trees.root === undefined || trees.boot !== undefined) return trees;
	const { tree, partition } = trees.root;
	const boot = bootDirectory(tree);
	return boot === undefined ? trees : { ...trees, bootMount: boot.path, boot: { tree: boot.tree, partition } };
}

function bootDirectory(tree: FileTree): { readonly path: string; readonly tree: FileTree } | undefined {
	for (const path of BOOT_DIRECTORIES) {
		const ino = isDirectory(tree, path) ? resolvePath(tree, path) : undefined;
		if (ino === undefined) continue;
		const inside = new DirectoryTree(tree, ino, BOOT_FSID);
		if (rootNames(inside).some((name) => BOOT_FILE.test(name))) return { path, tree: inside };
	}
	return undefined;
}
