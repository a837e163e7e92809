/** One image as the library knows it, and as it shows it. */
import { type FileStamp, sameContent, sameStamp } from "../vfs/index.ts";
import type { SumsFile } from "./dropped-sums.ts";
import type { FoundFile } from "./found.ts";
import type { ImageFacts, ImageFinding } from "./inspect-facts.ts";
import type { ImageOrigin } from "./origins.ts";
import type { ImageRecord } from "./records.ts";
import type { Taken } from "./taking.ts";

/** `importing`: its file is still being copied or unpacked, or was just overwritten. */
export type ImageState = "importing" | "ready" | "broken";

/** An image as others see it: a value that does not change. */
export interface LibraryImage {
	readonly id: string;
	readonly name: string;
	readonly path: string;
	readonly state: ImageState;
	/** Whether a Pi can boot it now, which it may before all of it is unpacked. */
	readonly isBootable: boolean;
	/** How far its unpacking is, 0 to 100; null when nothing of it is unpacked now. */
	readonly percent: number | null;
	readonly size: number;
	/** What its file systems use; null while that is unknown. */
	readonly usedBytes: number | null;
	/** Of the whole disk that it is, unpacked; null while that is unknown, and where it is none. */
	readonly diskBytes: number | null;
	/** Milliseconds since 1970. */
	readonly modifiedAt: number;
	readonly createdAt: number;
	readonly buildId: string | null;
	readonly facts: ImageFacts | null;
	readonly findings: readonly ImageFinding[];
	readonly origin: ImageOrigin;
	/** Of its file, where it was ever computed. */
	readonly sha256?: string | undefined;
}

/** A file that did not change for so long is complete. FAT's times are in steps of two seconds. */
export const SETTLE_MS = 2000;

/** A file that was last written so long ago need not be watched first. */
const OLD_MS = 60_000;

/** How long to wait before a file that could not be read is tried again. */
const RETRY_MS = 30_000;

const DELETED: ImageFinding = {
	code: "image-deleted",
	severity: "warning",
	message: "Its file was deleted; the Pis that run it can go on until they reboot.",
};

const UNPACKED_ANEW: ImageFinding = {
	code: "import-resumed",
	severity: "info",
	message: "Its unpacking was interrupted when the server ended, and begins anew.",
};

export class ImageEntry {
	record: ImageRecord;
	/** Undefined: not in the folder now. */
	file: FoundFile | undefined;
	/** Whether others see it. */
	isListed = false;
	/** What became of the file as it was at `takenStamp`. */
	taken: Taken | undefined;
	/** What is unpacked of its files, or was: see `UnpackedFiles`. Empty for a raw image, and until it was looked into. */
	unpackedKeys: readonly string[] = [];
	/** How far that is; undefined when nothing runs. */
	percent: number | undefined;
	/** Whether the end of the server interrupted it before. */
	isAnew = false;
	/** Of the file as it was taken, where that was ever computed. */
	sha256: string | undefined;
	/** The file beside it that may have its checksum. */
	sums: SumsFile | undefined;
	#takenStamp: FileStamp | undefined;
	/** What `sums` was then. */
	#takenSums: string | undefined;
	#takenAt = 0;
	/** Where the file came from. */
	#origin: ImageOrigin = { kind: "folder" };
	/** The last stamp seen, and since when (monotonic) it has been so. */
	#stamp: FileStamp | undefined;
	#since = 0;

	constructor(record: ImageRecord) {
		this.record = record;
	}

	get buildId(): string | undefined {
		return this.taken?.build?.id;
	}

	/** Whether a Pi can boot it now. */
	get isReady(): boolean {
		return this.file !== undefined && this.taken?.build?.valid === true;
	}

	/** Whether nothing of what was taken is still to come. */
	get isWhole(): boolean {
		return this.taken?.build?.isWhole !== false;
	}

	/** Whether this is the file that the entry was last seen as, under whatever name; undefined when only a look inside can tell. */
	isFile(file: FoundFile): boolean | undefined {
		if (this.#stamp !== undefined) return sameContent(this.#stamp, file.stamp);
		return this.record.ino === String(file.stamp.ino) ? undefined : false;
	}

	/** Notes what the folder has for it. @param now monotonic, @param wallNow milliseconds since 1970. */
	see(file: FoundFile, now: number, wallNow: number, originOf: (file: FoundFile) => ImageOrigin): void {
		this.file = file;
		if (this.#stamp !== undefined && sameStamp(this.#stamp, file.stamp)) return;
		this.#origin = originOf(file);
		const age = wallNow - Number(file.stamp.mtimeNs / 1_000_000n);
		const isOld = age > OLD_MS && this.#stamp === undefined;
		this.#stamp = file.stamp;
		this.#since = isOld ? now - SETTLE_MS : now;
	}

	/** Milliseconds until the file counts as complete if nothing happens to it. */
	settlesIn(now: number): number {
		return Math.max(0, this.#since + SETTLE_MS - now);
	}

	/** The file changes under us: it has to stay the same for a while again. */
	unsettle(now: number): void {
		this.#since = now;
	}

	/** Whether the file has to be taken, for the first time or anew. */
	needsTaking(now: number): boolean {
		const { file, taken } = this;
		if (file === undefined) return false;
		if (taken === undefined || this.#takenStamp === undefined || this.#takenSums !== this.sums?.mark) return true;
		if (taken.build !== undefined) return !taken.build.valid || !sameContent(this.#takenStamp, file.stamp);
		return !sameStamp(this.#takenStamp, file.stamp) || (taken.retry === true && now - this.#takenAt >= RETRY_MS);
	}

	take(taken: Taken, stamp: FileStamp, now: number): void {
		this.taken = taken;
		this.#takenStamp = stamp;
		this.#takenSums = this.sums?.mark;
		this.#takenAt = now;
	}

	/** It is no longer in the folder. */
	lose(): void {
		this.file = undefined;
		this.unpackedKeys = [];
		this.percent = undefined;
		this.#stamp = undefined;
	}

	/** As others see it. */
	view(): LibraryImage {
		const { record, taken, file } = this;
		const state = this.#state();
		// What a Pi would boot now: of a file that was replaced, the one before, until the new one is taken.
		const stamp = state === "ready" ? this.#takenStamp : (file?.stamp ?? this.#takenStamp);
		return {
			id: record.id,
			name: record.name,
			path: file?.path ?? record.path,
			state,
			isBootable: this.isReady,
			percent: this.percent ?? null,
			size: file?.content?.kind === "directory" ? (taken?.usedBytes ?? 0) : (stamp?.size ?? 0),
			usedBytes: taken?.usedBytes ?? null,
			diskBytes: taken?.build?.source?.size ?? null,
			modifiedAt: Number((stamp?.mtimeNs ?? 0n) / 1_000_000n),
			createdAt: record.createdAt,
			buildId: this.buildId ?? null,
			facts: taken?.facts ?? null,
			findings: [...this.#circumstances(), ...(taken?.findings ?? [])],
			origin: this.#origin,
			sha256: this.sha256,
		};
	}

	#circumstances(): ImageFinding[] {
		if (this.file === undefined) return [DELETED];
		return this.isAnew && this.percent !== undefined ? [UNPACKED_ANEW] : [];
	}

	#state(): ImageState {
		if (this.file === undefined) return "broken";
		if (this.taken === undefined || this.taken.build?.valid === false) return "importing";
		if (this.taken.build === undefined) return this.percent === undefined ? "broken" : "importing";
		return this.isWhole ? "ready" : "importing";
	}
}
