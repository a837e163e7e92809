/** What is in an image, whichever kind it is: a disk with partitions, one file system, or a root file system in a tar. */
import { whenReady } from "../../base/index.ts";
import type { BlockSource, Partition, PartitionTable } from "../../disk/index.ts";
import { DirectoryTree } from "../directory-tree.ts";
import { resolvePath } from "../path.ts";
import { isTar, TarIndexer } from "../tar/index.ts";
import type { FileTree } from "../tree.ts";
import { isDirectory, rootNames } from "./look.ts";
import { BOOT_FSID, type ImageVolume, openImageTrees, ROOT_FSID } from "./trees.ts";

export interface OpenedTrees {
	readonly table: PartitionTable;
	readonly root?: ImageVolume<FileTree>;
	readonly boot?: ImageVolume<FileTree>;
	readonly bootMount: string;
	readonly findings: readonly string[];
	/** Tells file systems apart: their superblocks, or all headers of an archive. */
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
	return { ...trees, identity: trees.root?.tree.superblockIdentity ?? trees.boot?.tree.serial ?? "" };
}

/** Where a root file system has its boot files, the newer place first. */
const BOOT_DIRECTORIES = ["/boot/firmware", "/boot"];

/** What the firmware of a Pi loads. */
const BOOT_FILE = /^(config\.txt|start.*\.elf|kernel.*\.img|bcm27.*\.dtb)$/i;

async function openTar(source: BlockSource): Promise<OpenedTrees> {
	const indexer = new TarIndexer(source, { fsid: ROOT_FSID });
	const tree = await whenReady(() => indexer.run());
	const partition: Partition = { index: 0, start: 0, size: source.size, type: "", partuuid: "" };
	const boot = bootDirectory(tree);
	const mount = boot?.path ?? BOOT_DIRECTORIES.find((path) => isDirectory(tree, path));
	return {
		table: { kind: "none", diskId: "", partitions: [], findings: [] },
		root: { tree, partition },
		...(boot && { boot: { tree: boot.tree, partition } }),
		bootMount: mount ?? "/boot",
		findings: tree.findings,
		identity: tree.identity,
	};
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
