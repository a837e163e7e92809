/** Taking an image into the library: opening it, looking it over, and saying in sentences why it cannot be used. */
import path from "node:path";
import { type Clock, errorText, FileError, isNetbootError, shellQuote, systemCode, whenReady } from "../base/index.ts";
import type { Packing } from "../disk/index.ts";
import { type BuildOrigin, type BuildTrees, type FileTree, ImageBuild } from "../vfs/index.ts";
import type { FoundFile } from "./found.ts";
import { ImportError } from "./import/import-error.ts";
import { packingOf } from "./import/packing-of.ts";
import type { ImageFacts, ImageFinding, InspectedTrees } from "./inspect-facts.ts";
import { disklessFinding, WRONG_ARCHITECTURE } from "./inspect-findings.ts";
import { guessWhatItIs } from "./what-it-is.ts";

/** What became of a file: it can be booted when it has a `build`; `facts` are there when they could be found out. */
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
 * @param origin what it was unpacked from, where it was.
 * @throws FileError EAGAIN when it changes all the same: try again later.
 */
export async function takeImage(file: FoundFile, inspect: Inspect, clock: Clock, origin?: BuildOrigin): Promise<Taken> {
	if (file.stamp.size === 0) return broken("image-empty", "The file is empty.", "Copy it again.");
	const isUnpacked = origin !== undefined;
	const fileName = path.basename(file.path);
	const open = async () => {
		const packing = await packingOf(file.path);
		if (packing !== undefined) return { findings: [packedFinding(fileName, packing, isUnpacked)] };
		return await ImageBuild.open(file.path, { expected: file.stamp, clock, ...(origin && { origin }) });
	};
	return await takeBuild(file, open, inspect, isUnpacked ? undefined : claimedPacking(fileName));
}

/**
 * Looks over an image that is opened.
 *
 * @param claimed the packing that its name promises and it does not have.
 * @throws FileError EAGAIN when it changes all the same: try again later.
 */
export async function takeBuild(
	file: FoundFile,
	open: () => Promise<ImageBuild | Taken>,
	inspect: Inspect,
	claimed?: string,
): Promise<Taken> {
	try {
		const build = await open();
		if (!(build instanceof ImageBuild)) return build;
		return await lookOver(build, inspect, claimed).catch(async (error) => {
			await build.close();
			throw error;
		});
	} catch (error) {
		return failed(file, error);
	}
}

async function lookOver(build: ImageBuild, inspect: Inspect, claimed: string | undefined): Promise<Taken> {
	const trees = build.trees();
	const structure = trees.findings.map(
		(message): ImageFinding => ({ code: "image-structure", severity: "warning", message }),
	);
	if (trees.root === undefined) {
		const what = await whyNoRoot(build, claimed);
		await build.close();
		return { findings: [what, ...structure] };
	}
	const facts = await whenReady(() => inspect(inspected(trees)));
	const usedBytes = await whenReady(() => usedBytesOf(trees));
	const known = { facts, usedBytes, superblock: build.superblock, findings: [...structure, ...facts.findings] };
	const wrong = facts.findings.filter(({ code }) => code === WRONG_ARCHITECTURE);
	if (wrong.length === 0) return { ...known, build };
	await build.close();
	return { ...known, findings: wrong };
}

/** @param claimed the packing that its name promises and it does not have. */
async function whyNoRoot(build: ImageBuild, claimed: string | undefined): Promise<ImageFinding> {
	const boot = build.trees().boot?.tree;
	const diskless = boot === undefined ? undefined : await whenReady(() => disklessFinding(boot));
	if (diskless !== undefined) return diskless;
	if (claimed !== undefined) return notPacked(claimed);
	const { source } = build;
	const hasVolumes = boot !== undefined || build.trees().table.kind !== "none";
	const guess = source === undefined || hasVolumes ? undefined : await whenReady(() => guessWhatItIs(source));
	const { message, fix } = guess ?? NO_ROOT;
	return { code: "image-no-root", severity: "error", message, fix };
}

const NO_ROOT = {
	message: "No system that can be read is in it.",
	fix: "Raw disk images with ext4 can be used.",
};

function inspected({ root, boot, bootMount, table }: BuildTrees): InspectedTrees {
	return { root: root?.tree, boot: boot?.tree, bootMount, table };
}

/** What the file systems of the two volumes use; boot files that lie in the root are counted there. */
function usedBytesOf({ root, boot }: BuildTrees): number {
	const used = (tree: FileTree) => {
		const { totalBytes, freeBytes } = tree.statfs();
		return totalBytes - freeBytes;
	};
	return (
		(root === undefined ? 0 : used(root.tree)) +
		(boot === undefined || boot.partition === root?.partition ? 0 : used(boot.tree))
	);
}

/** What is the image's fault, or the host's, is a finding; a bug of ours is not. */
function failed(file: FoundFile, error: unknown): Taken {
	const code = systemCode(error) ?? (error instanceof FileError ? error.code : undefined);
	if (code === "EAGAIN") throw error;
	if (code === "EACCES" || code === "EPERM") {
		if (file.content !== undefined) {
			return {
				...broken("image-unreadable", "The server may not read what is in it.", "Run the server as root."),
				retry: true,
			};
		}
		const fix = `Allow it: chmod a+r ${shellQuote(file.path)}`;
		return { ...broken("image-unreadable", "The server may not read the file.", fix), retry: true };
	}
	if (code !== undefined && !/^(bug|closed)$/.test(code)) {
		const isOurs = isNetbootError(error) && /^(malformed|unsupported)-/.test(code);
		const text = `${isOurs ? "It cannot be used" : "The file cannot be read"}: ${errorText(error)}.`;
		return { ...broken("image-unreadable", text), retry: !isOurs };
	}
	throw error;
}

function broken(code: string, message: string, fix?: string): { findings: ImageFinding[] } {
	return { findings: [{ code, severity: "error", message, ...(fix !== undefined && { fix }) }] };
}

/** An unpacking that came to nothing. What is no ImportError is a fault of ours. */
export function failedToUnpack(error: unknown): Taken {
	if (!(error instanceof ImportError)) throw error;
	return { ...broken(`image-${error.code}`, error.message, error.hint), retry: error.retry };
}

interface Unpacker {
	readonly command: string;
	readonly extension: string;
}

const UNPACKERS: Readonly<Record<Packing, Unpacker>> = {
	xz: { command: "xz -dk", extension: ".xz" },
	gzip: { command: "gunzip -k", extension: ".gz" },
	zstd: { command: "zstd -d", extension: ".zst" },
	bzip2: { command: "bunzip2 -k", extension: ".bz2" },
	zip: { command: "unzip", extension: ".zip" },
};

function claimedPacking(name: string): string | undefined {
	const extension = path.extname(name).toLowerCase();
	return Object.values(UNPACKERS).some((unpacker) => unpacker.extension === extension) ? extension : undefined;
}

function notPacked(extension: string): ImageFinding {
	const message = `It is called ${extension}, but is not packed that way: it may be the error page of a download.`;
	return { code: "image-not-packed", severity: "error", message, fix: "Download it again." };
}

/** @param isUnpacked whether it came out of another packed file: nobody unpacks twice by himself. */
function packedFinding(name: string, packing: Packing, isUnpacked: boolean): ImageFinding {
	const { command, extension } = UNPACKERS[packing];
	const isNamed = name.toLowerCase().endsWith(extension);
	const rename = isNamed ? "" : `mv ${shellQuote(name)} ${shellQuote(name + extension)} && `;
	return {
		code: "image-packed",
		severity: "error",
		message: isUnpacked ? `What is in it is packed again, with ${packing}.` : `It is packed with ${packing}.`,
		fix: isUnpacked
			? "Unpack it once by hand."
			: `Unpack it: ${rename}${command} ${shellQuote(isNamed ? name : name + extension)}`,
	};
}
