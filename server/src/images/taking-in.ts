/** Taking in what the folder has, whatever it consists of: packed files are unpacked first. */
import type { Clock } from "../base/index.ts";
import { ImageBuild, type VolumeFile } from "../vfs/index.ts";
import { DirectoryLooks } from "./directory-looks.ts";
import type { EarlyBuilds } from "./early-builds.ts";
import { type ImageEntry, SETTLE_MS } from "./entry.ts";
import type { FolderContent, FoundFile } from "./found.ts";
import type { UnpackedFiles } from "./import/unpacked-files.ts";
import { findRawImage, type RawImage } from "./raw-images.ts";
import { failedToUnpack, type Inspect, type Taken, takeBuild, takeImage } from "./taking.ts";

export interface TakingInOptions {
	readonly inspect: Inspect;
	readonly clock: Clock;
	/** Undefined where nothing can be unpacked. */
	readonly unpacked: UnpackedFiles | undefined;
	readonly early: EarlyBuilds | undefined;
	/** Called when there may be something to take that there was not before. */
	readonly found: () => void;
}

type RawFile = Extract<RawImage, { readonly state: "raw" }>;
type PackedFile = Extract<RawImage, { readonly state: "packed" }>;

export class TakingIn {
	readonly #options: TakingInOptions;
	readonly #directories: DirectoryLooks;

	constructor(options: TakingInOptions) {
		this.#options = options;
		this.#directories = new DirectoryLooks(options);
	}

	/** Gives up what was begun for files that are no longer there. */
	keepOnly(files: readonly FoundFile[]): void {
		this.#directories.keepOnly(files);
	}

	async stop(): Promise<void> {
		await this.#options.early?.keepOnly(new Set());
		await this.#directories.stop();
	}

	/**
	 * Undefined while something of it is unpacked, and the entry tells how far, or while a large directory is looked over. What can be booted before that has ended is taken then,
	 * unless there is something older to boot that is whole.
	 *
	 * @throws FileError EAGAIN when it changes.
	 */
	async take(entry: ImageEntry, file: FoundFile): Promise<Taken | undefined> {
		const { inspect, clock } = this.#options;
		entry.percent = undefined;
		if (file.content !== undefined) return await this.#takeContent(entry, file, file.content);
		entry.unpackedKeys = [];
		const raw = await this.#unpack(entry, file);
		if ("findings" in raw) return raw;
		if (raw.state === "packed") return this.#takeEarly(entry, file, raw);
		return await takeImage(raw.file, inspect, clock, raw.origin);
	}

	/** What tells the file systems of an image apart; empty where that cannot be said yet. @throws see `ImageBuild`. */
	async superblockOf(file: FoundFile): Promise<string> {
		const { content } = file;
		if (content?.kind === "unusable") return "";
		if (content?.kind === "directory") return ImageBuild.directoryIdentity(content.root);
		const raw = await findRawImage(content?.root ?? file, this.#options.unpacked);
		const build = await ImageBuild.open(raw.file.path, { expected: raw.file.stamp, clock: this.#options.clock });
		await build.close();
		return build.superblock;
	}

	#takeEarly(entry: ImageEntry, file: FoundFile, { key, origin }: PackedFile): Taken | undefined {
		if (entry.isReady) return undefined;
		const { early, inspect } = this.#options;
		return early?.take(key, origin, (open) => takeBuild(file, open, inspect));
	}

	async #takeContent(entry: ImageEntry, file: FoundFile, content: FolderContent): Promise<Taken | undefined> {
		const { inspect, clock } = this.#options;
		if (content.kind === "unusable") return { findings: [content.finding] };
		entry.unpackedKeys = [];
		if (content.kind === "directory") {
			const { root, boot } = content;
			const options = { settleMs: SETTLE_MS, clock };
			const open = () => ImageBuild.openDirectory(root, boot, options);
			return await this.#directories.take(file, () => takeBuild(file, open, inspect));
		}
		const root = await this.#unpack(entry, content.root);
		const boot = await this.#unpack(entry, content.boot);
		if ("findings" in root) return root;
		if ("findings" in boot) return boot;
		if (root.state === "packed" || boot.state === "packed") return undefined;
		return await takeBuild(file, () => ImageBuild.openVolumes(this.#volume(root), this.#volume(boot)), inspect);
	}

	#volume({ file, origin }: RawFile): VolumeFile {
		return { path: file.path, expected: file.stamp, clock: this.#options.clock, ...(origin && { origin }) };
	}

	/** The raw file behind one that may be packed; that itself while it is unpacked, findings when that came to nothing. */
	async #unpack(entry: ImageEntry, file: FoundFile): Promise<RawFile | PackedFile | Taken> {
		const { unpacked, early } = this.#options;
		const raw = await findRawImage(file, unpacked);
		if (raw.key !== undefined) entry.unpackedKeys = [...entry.unpackedKeys, raw.key];
		if (raw.state === "raw") {
			if (raw.key !== undefined) await early?.drop(raw.key);
			return raw;
		}
		const unpacking = unpacked?.unpack(raw.key, file.path, file.stamp);
		if (unpacking?.failure !== undefined) {
			unpacked?.forget(raw.key);
			await early?.drop(raw.key);
			return failedToUnpack(unpacking.failure);
		}
		entry.percent ??= unpacking?.percent;
		entry.isAnew = unpacking?.isAnew === true;
		return raw;
	}
}
