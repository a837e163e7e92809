/**
 * One build of an image: what it was when it was opened, for as long as it stays so. It may be one file, a boot volume and a
 * root in a file each, or directories of the host; see `file-part.ts` and `directory-part.ts` for how each of them notices a
 * change. From the first on, everything in the build answers EAGAIN; nothing mixed is ever given.
 */
import { createHash } from "node:crypto";
import type { PartitionTable } from "../../disk/index.ts";
import { HostFolder } from "../host/index.ts";
import type { FileTree } from "../tree.ts";
import { ArrivingPart } from "./arriving-part.ts";
import type { BuildPart } from "./build-part.ts";
import { DirectoryPart, type OpenDirectoryOptions } from "./directory-part.ts";
import { type BuildOrigin, FilePart, type OpenFileOptions } from "./file-part.ts";
import { GuardedTree } from "./guarded-tree.ts";
import { buildId } from "./identity.ts";
import type { ImageFile } from "./image-file.ts";
import { joinTrees, type OpenedTrees, openTrees, treesOfDirectory } from "./opened.ts";
import type { ImageVolume } from "./trees.ts";

/** The volumes of a build, as `openTrees` gives them, but behind the build's guard. */
export interface BuildTrees {
	readonly table: PartitionTable;
	readonly root?: ImageVolume<FileTree>;
	readonly boot?: ImageVolume<FileTree>;
	readonly bootMount: string;
	readonly findings: readonly string[];
}

/** A file of an image that has several, and what is known of it. */
export interface VolumeFile extends OpenFileOptions {
	readonly path: string;
}

interface BuildContent {
	readonly id: string;
	readonly path: string;
	readonly trees: OpenedTrees;
	readonly parts: readonly BuildPart[];
	/** Its one file, or what becomes it. */
	readonly file?: FilePart | ArrivingPart;
}

/** See the head of this file. */
export class ImageBuild {
	/** 16 hex digits; the same image gives the same after a restart. */
	readonly id: string;
	/** Where it was when it was opened: the file, or the one with the root; the directory. */
	readonly path: string;
	/** Tells file systems apart, see `OpenedTrees`. */
	readonly superblock: string;
	readonly #parts: readonly BuildPart[];
	readonly #file: FilePart | ArrivingPart | undefined;
	readonly #trees: BuildTrees;

	private constructor({ id, path, trees, parts, file }: BuildContent) {
		this.id = id;
		this.path = path;
		this.#file = file;
		this.superblock = trees.identity;
		this.#parts = parts;
		this.#trees = guardTrees(trees, () => {
			for (const part of parts) part.enter();
		});
	}

	/**
	 * Opens an image that is one file. The caller has seen it unchanged for two seconds: time stamps are no finer than that on
	 * some file systems (FAT), and a change within the grain of the first look would be missed.
	 *
	 * @throws FileError EAGAIN when the file changes meanwhile: look again later.
	 * @throws UnsupportedError when it is not a regular file.
	 * @throws ExternalError, or the error of the operating system, when it cannot be read.
	 */
	static async open(path: string, options: OpenFileOptions = {}): Promise<ImageBuild> {
		const { part, found: trees } = await FilePart.open(path, options, openTrees);
		const { stamp, print } = part.origin;
		const id = buildId(stamp, trees.identity, print);
		return new ImageBuild({ id, path, trees, parts: [part], file: part });
	}

	/**
	 * Opens an image whose end is still to come. It is the same build as that of the whole file.
	 *
	 * @param path that the file will have; `part` is closed with the build, and when it cannot be opened.
	 * @throws as `open`.
	 */
	static async openArriving(path: string, part: ArrivingPart, { stamp, print }: BuildOrigin): Promise<ImageBuild> {
		try {
			const trees = await openTrees(part.source);
			const id = buildId(stamp, trees.identity, print);
			return new ImageBuild({ id, path, trees, parts: [part], file: part });
		} catch (error) {
			await part.close();
			throw error;
		}
	}

	/** Opens an image that has its root in one file, and its boot volume in another. @throws as `open`. */
	static async openVolumes(root: VolumeFile, boot: VolumeFile): Promise<ImageBuild> {
		const first = await FilePart.open(root.path, root, openTrees);
		try {
			const second = await FilePart.open(boot.path, boot, openTrees);
			const parts = [first.part, second.part];
			const trees = joinTrees(first.found, second.found);
			const ids = parts.map(({ origin }) => buildId(origin.stamp, "", origin.print));
			return new ImageBuild({ id: joinedId(trees.identity, ...ids), path: root.path, trees, parts });
		} catch (error) {
			await first.part.close();
			throw error;
		}
	}

	/**
	 * Opens a root file system that lies in a directory, with the directory of its boot files where that is another one.
	 *
	 * @throws FileError EAGAIN when something in it changes, or did a moment ago: look again later.
	 * @throws UnsupportedError (`directory`) when it is none. @throws the operating system's error when it cannot be read.
	 */
	static async openDirectory(root: string, boot: string | undefined, options: OpenDirectoryOptions) {
		const first = await DirectoryPart.open(root, options);
		const parts = [first];
		try {
			if (boot !== undefined) parts.push(await DirectoryPart.open(boot, options));
			const trees = treesOfDirectory(first.tree, parts[1]?.tree);
			const id = joinedId(...parts.map(({ tree }) => tree.identity));
			return new ImageBuild({ id, path: root, trees, parts });
		} catch (error) {
			for (const part of parts) await part.close();
			throw error;
		}
	}

	/** The bytes of the image, where it is one file and all of it is there. */
	get source(): ImageFile | undefined {
		return this.#file instanceof ArrivingPart ? this.#file.whole?.source : this.#file?.source;
	}

	/** Whether nothing of it is still to come. */
	get isWhole(): boolean {
		return !(this.#file instanceof ArrivingPart) || this.#file.whole !== undefined;
	}

	/** Why it never became whole, as a sentence; undefined where it is, or may be. */
	get failure(): string | undefined {
		return this.#file instanceof ArrivingPart ? this.#file.failure : undefined;
	}

	/** What stays the same of a directory, whatever changes in it. @throws the operating system's error. */
	static directoryIdentity(root: string): string {
		const folder = HostFolder.open(root);
		try {
			return folder.identity;
		} finally {
			folder.close();
		}
	}

	/** Fixed for the life of the build; every method of the trees throws FileError EAGAIN once it is no longer valid. */
	trees(): BuildTrees {
		return this.#trees;
	}

	/** False once something of it was changed. */
	get valid(): boolean {
		return this.#parts.every((part) => part.valid);
	}

	/** Calls `action` when the build becomes invalid, once for each part of it that does; at once when it already is. */
	onInvalid(action: () => void): void {
		for (const part of this.#parts) part.onInvalid(action);
	}

	/** Looks for changes that no read has run into. Gives `valid`. */
	async check(): Promise<boolean> {
		for (const part of this.#parts) await part.check();
		return this.valid;
	}

	/** Closes what it is read from; the trees answer ESTALE from then on. */
	async close(): Promise<void> {
		for (const part of this.#parts) await part.close();
	}
}

function joinedId(...parts: readonly string[]): string {
	return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
}

function guardTrees(trees: OpenedTrees, enter: () => void): BuildTrees {
	const { table, bootMount, findings, root, boot } = trees;
	const guard = (volume: ImageVolume<FileTree>) => ({ ...volume, tree: new GuardedTree(volume.tree, enter) });
	return {
		table,
		bootMount,
		findings,
		...(root === undefined ? {} : { root: guard(root) }),
		...(boot === undefined ? {} : { boot: guard(boot) }),
	};
}
