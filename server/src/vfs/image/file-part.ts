/**
 * A file as a part of a build: as it was when it was opened, for as long as it stays so.
 *
 * A file that is replaced by rename stays readable through the open descriptor. One that is overwritten in place does not:
 * the kernel sets mtime and ctime before it changes a byte, so an `fstat` behind every read tells whether that read may be
 * believed. From the first difference on, everything answers EAGAIN; nothing mixed is ever given.
 *
 * A new ctime alone means that the file was renamed, linked, unlinked or its mode changed, or that somebody wrote to it and
 * set the mtime back. Reads then wait until samples from all over the file were compared.
 */
import fs from "node:fs";
import { promisify } from "node:util";
import { BlockFault, type Clock, FileError, UnsupportedError, whenReady } from "../../base/index.ts";
import { type BuildPart, PartState } from "./build-part.ts";
import { type FileStamp, fingerprint, sameContent, sameStamp, stampOf } from "./identity.ts";
import { ImageFile, type ImageIo, type ReadGuard, systemIo } from "./image-file.ts";

const openFile = promisify(fs.open);
const closeFile = promisify(fs.close);

/** What names a file's content: of a file that was unpacked, that of the packed one. */
export interface BuildOrigin {
	readonly stamp: FileStamp;
	readonly print: Buffer;
}

export interface OpenFileOptions {
	/** What the caller saw the file be; another one is refused with EAGAIN. */
	readonly expected?: FileStamp;
	/** Where the file was unpacked from; without it the file is its own origin. */
	readonly origin?: BuildOrigin;
	readonly clock?: Clock;
	readonly io?: ImageIo;
}

/** See the head of this file. */
export class FilePart implements BuildPart {
	readonly source: ImageFile;
	/** Known after `open`. */
	readonly origin: BuildOrigin;
	readonly #guard: FileGuard;

	private constructor(source: ImageFile, guard: FileGuard, origin: BuildOrigin) {
		this.source = source;
		this.#guard = guard;
		this.origin = origin;
	}

	/**
	 * Opens a file, lets `read` look into it, and makes sure that it stayed the same meanwhile.
	 *
	 * @throws FileError EAGAIN when the file changes: look again later. @throws UnsupportedError when it is not a regular file.
	 * @throws ExternalError, or the error of the operating system, when it cannot be read.
	 */
	static async open<T>(path: string, options: OpenFileOptions, read: (source: ImageFile) => Promise<T>) {
		// O_NONBLOCK: a FIFO with the name of an image must not hold a thread for ever.
		const fd = await openFile(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
		let source: ImageFile | undefined;
		try {
			const stats = fs.fstatSync(fd, { bigint: true });
			if (!stats.isFile()) throw new UnsupportedError("image", `${path} is not a regular file`);
			const stamp = stampOf(stats);
			if (options.expected !== undefined && !sameStamp(stamp, options.expected)) throw notAsExpected();
			const guard = new FileGuard(fd, stamp, options.io ?? systemIo);
			source = new ImageFile(fd, stamp.size, { ...options, guard });
			const found = await read(source);
			const print = await guard.print();
			await whenReady(() => guard.leave());
			return { part: new FilePart(source, guard, options.origin ?? { stamp, print }), found };
		} catch (error) {
			await (source?.close() ?? closeFile(fd));
			throw error;
		}
	}

	get valid(): boolean {
		return this.#guard.state.valid;
	}

	enter(): void {
		this.#guard.enter();
	}

	onInvalid(action: () => void): void {
		this.#guard.state.onInvalid(action);
	}

	check(): Promise<void> {
		return this.#guard.check();
	}

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
		if (!sameStamp(stamp, expected)) throw notAsExpected();
		return { stamp, print: await fingerprint(systemIo, fd, stamp.size) };
	} finally {
		await closeFile(fd);
	}
}

function notAsExpected(): FileError {
	return new FileError("EAGAIN", "the image file changes");
}

/** Decides whether the file behind a descriptor is still what it was. */
class FileGuard implements ReadGuard {
	readonly state = new PartState("the image file");
	readonly #fd: number;
	readonly #io: ImageIo;
	readonly #stamp: FileStamp;
	/** As the quick look of `leave` sees them: doubles, to a quarter of a microsecond. */
	#mtimeMs: number;
	#ctimeMs: number;
	#print: Promise<Buffer> | undefined;
	#comparison: Promise<void> | undefined;

	constructor(fd: number, stamp: FileStamp, io: ImageIo) {
		this.#fd = fd;
		this.#io = io;
		this.#stamp = stamp;
		const { mtimeMs, ctimeMs } = io.fstatSync(fd);
		this.#mtimeMs = mtimeMs;
		this.#ctimeMs = ctimeMs;
	}

	enter(): void {
		this.state.enter();
	}

	leave(): void {
		this.enter();
		const now = this.#io.fstatSync(this.#fd);
		if (now.size !== this.#stamp.size || now.mtimeMs !== this.#mtimeMs) {
			this.state.invalidate();
			throw this.state.changed();
		}
		if (now.ctimeMs !== this.#ctimeMs || this.#comparison !== undefined) throw new BlockFault(this.#compare());
	}

	/** The samples of the file as it was opened. */
	print(): Promise<Buffer> {
		this.#print ??= fingerprint(this.#io, this.#fd, this.#stamp.size);
		return this.#print;
	}

	async check(): Promise<void> {
		if (!this.state.valid) return;
		try {
			this.leave();
		} catch (error) {
			if (error instanceof BlockFault) await error.ready;
			else if (!(error instanceof FileError)) this.state.invalidate();
		}
	}

	/** Resolves when nothing reads the file any more. */
	async close(): Promise<void> {
		this.state.close();
		await this.#comparison;
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
			if (this.state.isClosed) return;
			if (!print.equals(known) || !sameContent(stampOf(before), this.#stamp)) this.state.invalidate();
			else this.#ctimeMs = quick.ctimeMs;
		} catch {
			this.state.invalidate();
		}
	}
}
