/**
 * One build of an image: the file as it was when it was opened, for as long as it stays so.
 *
 * A file that is replaced by rename stays readable through the open descriptor. One that is overwritten in place does not:
 * the kernel sets mtime and ctime before it changes a byte, so an `fstat` behind every read tells whether that read may be
 * believed. From the first difference on, everything in this build answers EAGAIN; nothing mixed is ever given.
 *
 * A new ctime alone means that the file was renamed, linked, unlinked or its mode changed, or that somebody wrote to it and
 * set the mtime back. Reads then wait until samples from all over the file were compared.
 */
import fs from "node:fs";
import { promisify } from "node:util";
import { BlockFault, type Clock, FileError, UnsupportedError, whenReady } from "../../base/index.ts";
import type { PartitionTable } from "../../disk/index.ts";
import type { FileTree } from "../tree.ts";
import { GuardedTree } from "./guarded-tree.ts";
import { buildId, type FileStamp, fingerprint, sameContent, sameStamp, stampOf } from "./identity.ts";
import { ImageFile, type ImageIo, type ReadGuard, systemIo } from "./image-file.ts";
import { type OpenedTrees, openTrees } from "./opened.ts";
import type { ImageVolume } from "./trees.ts";

const openFile = promisify(fs.open);
const closeFile = promisify(fs.close);

/** The volumes of a build, as `openTrees` gives them, but behind the build's guard. */
export interface BuildTrees {
	readonly table: PartitionTable;
	readonly root?: ImageVolume<FileTree>;
	readonly boot?: ImageVolume<FileTree>;
	readonly bootMount: string;
	readonly findings: readonly string[];
}

/** The packed file that an image was unpacked from: its builds are known by that, and outlive what was unpacked. */
export interface BuildOrigin {
	readonly stamp: FileStamp;
	readonly print: Buffer;
}

export interface OpenBuildOptions {
	/** What the caller saw the file be; another one is refused with EAGAIN. */
	readonly expected?: FileStamp;
	/** Where the file was unpacked from; without it the file is its own origin. */
	readonly origin?: BuildOrigin;
	readonly clock?: Clock;
	readonly io?: ImageIo;
}

/** See the head of this file. */
export class ImageBuild {
	/** 16 hex digits; the same file gives the same after a restart. */
	readonly id: string;
	/** Where the file was when it was opened. */
	readonly path: string;
	readonly source: ImageFile;
	readonly stamp: FileStamp;
	/** Tells file systems apart, see `OpenedTrees`. */
	readonly superblock: string;
	readonly #guard: BuildGuard;
	readonly #trees: BuildTrees;

	private constructor(parts: {
		path: string;
		source: ImageFile;
		guard: BuildGuard;
		trees: OpenedTrees;
		stamp: FileStamp;
		origin: BuildOrigin;
	}) {
		this.path = parts.path;
		this.source = parts.source;
		this.stamp = parts.stamp;
		this.#guard = parts.guard;
		this.superblock = parts.trees.identity;
		this.id = buildId(parts.origin.stamp, this.superblock, parts.origin.print);
		this.#trees = guardTrees(parts.trees, () => parts.guard.enter());
	}

	/**
	 * Opens an image. The caller has seen the file unchanged for two seconds: time stamps are no finer than that on some
	 * file systems (FAT), and a change within the grain of the first look would be missed.
	 *
	 * @throws FileError EAGAIN when the file changes meanwhile: look again later.
	 * @throws UnsupportedError when it is not a regular file.
	 * @throws ExternalError, or the error of the operating system, when it cannot be read.
	 */
	static async open(path: string, options: OpenBuildOptions = {}): Promise<ImageBuild> {
		// O_NONBLOCK: a FIFO with the name of an image must not hold a thread for ever.
		const fd = await openFile(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
		let source: ImageFile | undefined;
		try {
			const stats = fs.fstatSync(fd, { bigint: true });
			if (!stats.isFile()) throw new UnsupportedError("image", `${path} is not a regular file`);
			const stamp = stampOf(stats);
			if (options.expected !== undefined && !sameStamp(stamp, options.expected)) throw changed();
			const guard = new BuildGuard(fd, stamp, options.io ?? systemIo);
			source = new ImageFile(fd, stamp.size, { ...options, guard });
			return await readBuild({ path, source, guard, stamp });
		} catch (error) {
			await (source?.close() ?? closeFile(fd));
			throw error;
		}

		async function readBuild(parts: { path: string; source: ImageFile; guard: BuildGuard; stamp: FileStamp }) {
			const trees = await openTrees(parts.source);
			const print = await parts.guard.print();
			await whenReady(() => parts.guard.leave());
			return new ImageBuild({ ...parts, trees, origin: options.origin ?? { stamp: parts.stamp, print } });
		}
	}

	/** Fixed for the life of the build; every method of the trees throws FileError EAGAIN once it is no longer valid. */
	trees(): BuildTrees {
		return this.#trees;
	}

	/** False once the file was overwritten. */
	get valid(): boolean {
		return this.#guard.valid;
	}

	/** Calls `action` once when the build becomes invalid; at once when it already is. */
	onInvalid(action: () => void): void {
		this.#guard.onInvalid(action);
	}

	/** Looks at the file, for changes that no read has run into. Gives `valid`. */
	async check(): Promise<boolean> {
		await this.#guard.check();
		return this.valid;
	}

	/** Closes the file; the trees answer ESTALE from then on. */
	async close(): Promise<void> {
		await this.#guard.close();
		await this.source.close();
	}
}

/**
 * What names the builds of a packed file.
 *
 * @throws FileError EAGAIN when it is no longer what the caller saw. @throws ExternalError, or the error of the operating system.
 */
export async function originOf(path: string, expected: FileStamp): Promise<BuildOrigin> {
	const fd = await openFile(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
	try {
		const stamp = stampOf(fs.fstatSync(fd, { bigint: true }));
		if (!sameStamp(stamp, expected)) throw changed();
		return { stamp, print: await fingerprint(systemIo, fd, stamp.size) };
	} finally {
		await closeFile(fd);
	}
}

/** Decides whether the file behind a descriptor is still what it was. */
class BuildGuard implements ReadGuard {
	readonly #fd: number;
	readonly #io: ImageIo;
	readonly #stamp: FileStamp;
	readonly #actions: (() => void)[] = [];
	/** As the quick look of `leave` sees them: doubles, to a quarter of a microsecond. */
	#mtimeMs: number;
	#ctimeMs: number;
	#print: Promise<Buffer> | undefined;
	#comparison: Promise<void> | undefined;
	#state: "valid" | "changed" | "closed" = "valid";

	constructor(fd: number, stamp: FileStamp, io: ImageIo) {
		this.#fd = fd;
		this.#io = io;
		this.#stamp = stamp;
		const { mtimeMs, ctimeMs } = io.fstatSync(fd);
		this.#mtimeMs = mtimeMs;
		this.#ctimeMs = ctimeMs;
	}

	get valid(): boolean {
		return this.#state === "valid";
	}

	enter(): void {
		if (this.#state === "valid") return;
		throw this.#state === "closed" ? new FileError("ESTALE", "the image was closed") : changed();
	}

	leave(): void {
		this.enter();
		const now = this.#io.fstatSync(this.#fd);
		if (now.size !== this.#stamp.size || now.mtimeMs !== this.#mtimeMs) {
			this.#invalidate();
			throw changed();
		}
		if (now.ctimeMs !== this.#ctimeMs || this.#comparison !== undefined) throw new BlockFault(this.#compare());
	}

	/** The samples of the file as it was opened. */
	print(): Promise<Buffer> {
		this.#print ??= fingerprint(this.#io, this.#fd, this.#stamp.size);
		return this.#print;
	}

	onInvalid(action: () => void): void {
		if (this.#state === "changed") action();
		else this.#actions.push(action);
	}

	async check(): Promise<void> {
		if (!this.valid) return;
		try {
			this.leave();
		} catch (error) {
			if (error instanceof BlockFault) await error.ready;
			else if (!(error instanceof FileError)) this.#invalidate();
		}
	}

	/** Resolves when nothing reads the file any more. */
	async close(): Promise<void> {
		if (this.#state === "valid") this.#state = "closed";
		this.#actions.length = 0;
		await this.#comparison;
	}

	#invalidate(): void {
		if (this.#state !== "valid") return;
		this.#state = "changed";
		for (const action of this.#actions.splice(0)) action();
	}

	#compare(): Promise<void> {
		this.#comparison ??= this.#compareSamples().finally(() => {
			this.#comparison = undefined;
		});
		return this.#comparison;
	}

	/** What cannot be compared counts as changed: a call that waits for this must come to an end. */
	async #compareSamples(): Promise<void> {
		try {
			const before = fs.fstatSync(this.#fd, { bigint: true });
			const quick = this.#io.fstatSync(this.#fd);
			const known = await this.print();
			const print = await fingerprint(this.#io, this.#fd, this.#stamp.size);
			if (this.#state === "closed") return;
			if (!print.equals(known) || !sameContent(stampOf(before), this.#stamp)) this.#invalidate();
			else this.#ctimeMs = quick.ctimeMs;
		} catch {
			this.#invalidate();
		}
	}
}

function changed(): FileError {
	return new FileError("EAGAIN", "the image file was overwritten while it was in use");
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
