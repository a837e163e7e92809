/** The volumes of an image: which partition is the root, which one the Pi boots from, and where the one sits in the other. */
import { errorText, isNetbootError } from "../../base/index.ts";
import {
	adviceOn,
	type BlockSource,
	ExtFileSystem,
	FatFileSystem,
	type Partition,
	type PartitionTable,
	readPartitions,
	recognise,
	SliceSource,
} from "../../disk/index.ts";
import type { FileTree } from "../tree.ts";
import { findBootMount } from "./boot-mount.ts";
import { exists, isDirectory, readText, rootNames } from "./look.ts";
import { namesVolume, type VolumeNames } from "./volume-name.ts";

/** `Attributes.fsid` of the two volumes. */
export const ROOT_FSID = 1;
export const BOOT_FSID = 2;

export interface ImageVolume<Tree extends FileTree> {
	readonly tree: Tree;
	readonly partition: Partition;
}

export interface ImageTrees {
	readonly table: PartitionTable;
	readonly root?: ImageVolume<ExtFileSystem>;
	readonly boot?: ImageVolume<FatFileSystem>;
	/** Absolute path of the directory in the root where the boot volume is mounted. */
	readonly bootMount: string;
	/** Sentences on what a person should know, besides that the root or the boot volume is missing. */
	readonly findings: readonly string[];
}

/**
 * Opens the file systems of an image.
 *
 * @throws BlockFault, and what the source throws when it fails. What is malformed or unknown is a finding.
 */
export function openImageTrees(source: BlockSource): ImageTrees {
	const findings: string[] = [];
	const table = readTable(source, findings);
	const volumes = openVolumes(source, table, findings);
	const boot = chooseBoot(volumes.fat);
	const root = chooseRoot(volumes.ext, boot, findings);
	findings.push(...(root?.tree.findings ?? []));
	const bootMount = root === undefined ? "/boot/firmware" : findBootMount(root.tree, boot && fatNames(boot));
	if (root !== undefined && boot !== undefined && !isDirectory(root.tree, bootMount)) {
		findings.push(`the root has no directory ${bootMount}, where its boot files belong`);
	}
	return { table, bootMount, findings, ...(root && { root }), ...(boot && { boot }) };
}

function readTable(source: BlockSource, findings: string[]): PartitionTable {
	const table = asFinding(findings, "the partition table", () => readPartitions(source));
	findings.push(...(table?.findings ?? []));
	return table ?? { kind: "none", diskId: "", partitions: [], findings: [] };
}

interface Volumes {
	readonly ext: ImageVolume<ExtFileSystem>[];
	readonly fat: ImageVolume<FatFileSystem>[];
}

function openVolumes(source: BlockSource, table: PartitionTable, findings: string[]): Volumes {
	const volumes: Volumes = { ext: [], fat: [] };
	for (const partition of partitionsOf(source, table)) {
		const what = partition.index === 0 ? "the image" : `partition ${partition.index}`;
		asFinding(findings, what, () => openVolume(source, partition, what, volumes, findings));
	}
	return volumes;
}

/** A bare file system counts as one partition with the number 0. */
function partitionsOf(source: BlockSource, table: PartitionTable): readonly Partition[] {
	if (table.kind !== "none" || table.partitions.length > 0) return table.partitions;
	return [{ index: 0, start: 0, size: source.size, type: "", partuuid: "" }];
}

function openVolume(
	source: BlockSource,
	partition: Partition,
	what: string,
	volumes: Volumes,
	findings: string[],
): void {
	const slice = new SliceSource(source, partition.start, partition.size);
	const kind = recognise(slice);
	if (kind === "ext") volumes.ext.push({ tree: ExtFileSystem.open(slice, { fsid: ROOT_FSID }), partition });
	else if (kind === "fat") volumes.fat.push({ tree: FatFileSystem.open(slice, { fsid: BOOT_FSID }), partition });
	else {
		const unreadable = adviceOn(kind);
		if (unreadable) findings.push(`${what} holds ${unreadable.name}, which is not read here. ${unreadable.advice}`);
	}
}

function chooseBoot(volumes: readonly ImageVolume<FatFileSystem>[]) {
	const rated = volumes.map((volume) => ({ volume, points: bootPoints(rootNames(volume.tree)) }));
	const best = rated.filter(({ points }) => points > 0).sort((a, b) => b.points - a.points)[0];
	return best?.volume;
}

/** How much a volume looks like one that the Pi's firmware boots from; 0 for an EFI partition or a data card. */
function bootPoints(names: readonly string[]): number {
	const signs: [RegExp, number][] = [
		[/^config\.txt$/i, 8],
		[/^start.*\.elf$/i, 4],
		[/^kernel.*\.img$/i, 4],
		[/^cmdline\.txt$/i, 2],
		[/^bcm27.*\.dtb$/i, 1],
	];
	return signs.reduce((sum, [sign, points]) => (names.some((name) => sign.test(name)) ? sum + points : sum), 0);
}

function chooseRoot(
	volumes: readonly ImageVolume<ExtFileSystem>[],
	boot: ImageVolume<FatFileSystem> | undefined,
	findings: string[],
) {
	const roots = volumes.filter((volume) => looksLikeRoot(volume.tree));
	if (roots.length < 2) return roots[0];
	const spec = boot && rootOfCommandLine(boot.tree);
	const named = spec === undefined ? undefined : roots.find((volume) => namesVolume(spec, extNames(volume)));
	const chosen = named ?? roots[0];
	findings.push(`${roots.length} partitions hold a system: partition ${chosen?.partition.index} is taken as the root`);
	return chosen;
}

/** @throws BlockFault */
export function looksLikeRoot(tree: FileTree): boolean {
	return isDirectory(tree, "/etc") || exists(tree, "/sbin/init");
}

function rootOfCommandLine(boot: FileTree): string | undefined {
	return /(?:^|\s)root=(\S+)/.exec(readText(boot, "/cmdline.txt", 65_536) ?? "")?.[1];
}

function extNames({ tree, partition }: ImageVolume<ExtFileSystem>): VolumeNames {
	return { partition, uuid: tree.uuid, label: tree.label };
}

function fatNames({ tree, partition }: ImageVolume<FatFileSystem>): VolumeNames {
	return { partition, uuid: tree.serial, label: tree.label };
}

/** Runs a step whose failure is the image's own fault: a finding, and the rest goes on. */
function asFinding<T>(findings: string[], what: string, step: () => T): T | undefined {
	try {
		return step();
	} catch (error) {
		if (!isNetbootError(error) || !/^(malformed|unsupported)-/.test(error.code)) throw error;
		findings.push(`${what} cannot be read: ${errorText(error)}`);
		return undefined;
	}
}
