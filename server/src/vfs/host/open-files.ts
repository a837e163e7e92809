/** The files of a directory that are read now: open, and each still what it was when the directory was looked over. */
import fs from "node:fs";
import { type Clock, FileError, systemCode } from "../../base/index.ts";
import { ImageFile } from "../image/image-file.ts";
import { WarmChunks } from "../image/warm-chunks.ts";
import { MovedError, openBelow } from "./host-folder.ts";
import type { ScannedFile } from "./scan.ts";

/** Far below what a process may have open. */
const MOST_OPEN = 256;

/** More than the largest file has: what of which file is warm is known for all together, and outlives their closing. */
const CHUNKS_PER_FILE = 2 ** 24;

/** As for an image in one file. */
const WARM_CHUNKS = 16_384;
const WARM_MS = 180_000;

/** What a file has to be, to be the one that was found. */
export type FileStampOfScan = Pick<ScannedFile, "size" | "mtimeNs" | "ctimeNs" | "hostIno">;

/** Told of the directory's state, and told it. */
export interface DirectoryState {
	/** @throws FileError EAGAIN, ESTALE. */
	enter(): void;
	invalidate(): void;
	/** The error that says that it was changed. */
	changed(): FileError;
}

/** See the head of this file. */
export class OpenFiles {
	readonly #base: string;
	readonly #state: DirectoryState;
	readonly #clock: Clock | undefined;
	/** By inode number, the one used last at the end. */
	readonly #open = new Map<number, ImageFile>();
	readonly #closing = new Set<Promise<void>>();
	readonly #warm = new WarmChunks(WARM_CHUNKS, WARM_MS);

	constructor(base: string, state: DirectoryState, clock?: Clock) {
		this.#base = base;
		this.#state = state;
		this.#clock = clock;
	}

	/** Fills `target` from `offset` on. @throws BlockFault, ExternalError; FileError EAGAIN, EACCES. */
	read(ino: number, names: () => readonly string[], stamp: FileStampOfScan, offset: number, target: Uint8Array): void {
		this.#state.enter();
		this.#file(ino, names, stamp).read(offset, target);
	}

	/** Resolves when all are closed. */
	async close(): Promise<void> {
		for (const ino of [...this.#open.keys()]) this.#close(ino);
		await Promise.all(this.#closing);
	}

	#file(ino: number, names: () => readonly string[], stamp: FileStampOfScan): ImageFile {
		const known = this.#open.get(ino);
		if (known !== undefined) {
			this.#open.delete(ino);
			this.#open.set(ino, known);
			return known;
		}
		const file = this.#openFile(ino, names(), stamp);
		this.#open.set(ino, file);
		const [oldest] = this.#open.keys();
		if (oldest !== undefined && this.#open.size > MOST_OPEN) this.#close(oldest);
		return file;
	}

	#close(ino: number): void {
		const closing = this.#open.get(ino)?.close();
		this.#open.delete(ino);
		if (closing === undefined) return;
		const done = closing.finally(() => this.#closing.delete(done));
		this.#closing.add(done);
	}

	#openFile(ino: number, names: readonly string[], stamp: FileStampOfScan): ImageFile {
		const fd = this.#openDescriptor(names);
		// Before the exact look: what it says holds for this one too, then.
		const { mtimeMs, ctimeMs } = fs.fstatSync(fd);
		const exact = fs.fstatSync(fd, { bigint: true });
		const isSame = exact.ino === stamp.hostIno && exact.mtimeNs === stamp.mtimeNs && exact.ctimeNs === stamp.ctimeNs;
		if (!isSame || !exact.isFile() || Number(exact.size) !== stamp.size) {
			fs.closeSync(fd);
			throw this.#changed();
		}
		const leave = () => {
			this.#state.enter();
			const now = fs.fstatSync(fd);
			if (now.size !== stamp.size || now.mtimeMs !== mtimeMs || now.ctimeMs !== ctimeMs) throw this.#changed();
		};
		const guard = { enter: () => this.#state.enter(), leave };
		const shared = { warm: this.#warm, first: ino * CHUNKS_PER_FILE };
		return new ImageFile(fd, stamp.size, { guard, shared, ...(this.#clock && { clock: this.#clock }) });
	}

	#openDescriptor(names: readonly string[]): number {
		try {
			return openBelow(this.#base, names);
		} catch (error) {
			const code = systemCode(error) ?? "";
			if (code === "EACCES" || code === "EPERM") {
				throw new FileError("EACCES", `the server may not read ${names.join("/")}`);
			}
			// What was there a moment ago is gone, or is something else.
			if (error instanceof MovedError || /^(ENOENT|ENOTDIR|ELOOP|ENXIO|ESTALE)$/.test(code)) throw this.#changed();
			throw new FileError("EIO", `the host's directory: ${code || String(error)}`);
		}
	}

	#changed(): FileError {
		this.#state.invalidate();
		return this.#state.changed();
	}
}
