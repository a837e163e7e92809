/** Taking an image into the library: opening it, looking it over, and saying in sentences why it cannot be used. */
import { type Clock, errorText, FileError, isNetbootError, systemCode, whenReady } from "../base/index.ts";
import { type BuildTrees, type FileTree, ImageBuild } from "../vfs/index.ts";
import type { FoundFile } from "./folder.ts";
import type { ImageFacts, ImageFinding, InspectedTrees } from "./inspect-facts.ts";

/** What became of a file: `build` and `facts` when it can be booted, else only findings. */
export interface Taken {
	readonly build?: ImageBuild;
	readonly facts?: ImageFacts;
	readonly findings: readonly ImageFinding[];
	readonly usedBytes?: number;
	/** Identity of its superblock, where it has one. */
	readonly superblock?: string;
	/** Whether it may go better next time without any change of the file. */
	readonly retry?: boolean;
}

export type Inspect = (trees: InspectedTrees) => ImageFacts;

/**
 * Opens an image that has stopped changing.
 *
 * @throws FileError EAGAIN when it changes all the same: try again later.
 */
export async function takeImage(file: FoundFile, inspect: Inspect, clock: Clock): Promise<Taken> {
	const packed = packedByName(file.name);
	if (packed !== undefined) return { findings: [packedFinding(file.name, packed)] };
	if (file.stamp.size === 0) return broken("image-empty", "The file is empty.", "Copy it again.");
	try {
		const build = await ImageBuild.open(file.path, { expected: file.stamp, clock });
		return await lookOver(build, file, inspect).catch(async (error) => {
			await build.close();
			throw error;
		});
	} catch (error) {
		return failed(file, error);
	}
}

async function lookOver(build: ImageBuild, file: FoundFile, inspect: Inspect): Promise<Taken> {
	const trees = build.trees();
	const structure = trees.findings.map(
		(message): ImageFinding => ({ code: "image-structure", severity: "warning", message }),
	);
	if (trees.root === undefined) {
		const packed = await packedByContent(build);
		await build.close();
		if (packed !== undefined) return { findings: [packedFinding(file.name, packed)] };
		const what = broken(
			"image-no-root",
			"No system that can be read is in it.",
			"Raw disk images with ext4 can be used.",
		);
		return { findings: [...what.findings, ...structure] };
	}
	const facts = await whenReady(() => inspect(inspected(trees)));
	const usedBytes = await whenReady(() => usedBytesOf(trees));
	return { build, facts, usedBytes, superblock: build.superblock, findings: [...structure, ...facts.findings] };
}

function inspected({ root, boot, bootMount, table }: BuildTrees): InspectedTrees {
	return { root: root?.tree, boot: boot?.tree, bootMount, table };
}

/** What the file systems of the two volumes use. */
function usedBytesOf({ root, boot }: BuildTrees): number {
	const used = (tree: FileTree) => {
		const { totalBytes, freeBytes } = tree.statfs();
		return totalBytes - freeBytes;
	};
	return (root === undefined ? 0 : used(root.tree)) + (boot === undefined ? 0 : used(boot.tree));
}

/** What is the image's fault, or the host's, is a finding; a bug of ours is not. */
function failed(file: FoundFile, error: unknown): Taken {
	const code = systemCode(error) ?? (error instanceof FileError ? error.code : undefined);
	if (code === "EAGAIN") throw error;
	if (code === "EACCES" || code === "EPERM") {
		const fix = `Allow it: chmod a+r '${file.path}'`;
		return { ...broken("image-unreadable", "The server may not read the file.", fix), retry: true };
	}
	if (code !== undefined && !/^(bug|closed)$/.test(code)) {
		const isOurs = isNetbootError(error) && /^(malformed|unsupported)-/.test(code);
		return { ...broken("image-unreadable", `The file cannot be read: ${errorText(error)}`), retry: !isOurs };
	}
	throw error;
}

function broken(code: string, message: string, fix?: string): { findings: ImageFinding[] } {
	return { findings: [{ code, severity: "error", message, ...(fix !== undefined && { fix }) }] };
}

interface Packing {
	readonly name: string;
	readonly unpack: string;
	readonly extension: string;
	/** What such a file begins with, in latin1. */
	readonly magic: string;
}

const PACKINGS: readonly Packing[] = [
	{ name: "xz", unpack: "xz -dk", extension: ".xz", magic: "\xfd7zXZ\0" },
	{ name: "gzip", unpack: "gunzip -k", extension: ".gz", magic: "\x1f\x8b" },
	{ name: "zstd", unpack: "zstd -d", extension: ".zst", magic: "\x28\xb5\x2f\xfd" },
	{ name: "bzip2", unpack: "bunzip2 -k", extension: ".bz2", magic: "BZh" },
	{ name: "zip", unpack: "unzip", extension: ".zip", magic: "PK\x03\x04" },
];

function packedByName(name: string): Packing | undefined {
	return PACKINGS.find(({ extension }) => name.toLowerCase().endsWith(extension));
}

async function packedByContent(build: ImageBuild): Promise<Packing | undefined> {
	const head = Buffer.alloc(Math.min(8, build.source.size));
	await whenReady(() => build.source.read(0, head));
	return PACKINGS.find(({ magic }) => head.toString("latin1").startsWith(magic));
}

function packedFinding(name: string, { name: format, unpack, extension }: Packing): ImageFinding {
	const isNamed = name.toLowerCase().endsWith(extension);
	const rename = isNamed ? "" : `mv '${name}' '${name}${extension}' && `;
	return {
		code: "image-packed",
		severity: "error",
		message: `it is packed with ${format}; raw images can be used`,
		fix: `Unpack it: ${rename}${unpack} '${isNamed ? name : name + extension}'`,
	};
}
