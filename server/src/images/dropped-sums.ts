/** Checksums that somebody put beside an image: a file that does not have the one it should have is not served. */
import fs from "node:fs";
import path from "node:path";
import { errorText, type Logger, systemCode } from "../base/index.ts";
import type { FileStamp } from "../vfs/index.ts";
import type { FoundFile } from "./found.ts";
import { checksumIn } from "./import/checksum-text.ts";
import { sumOfFile } from "./import/file-sum.ts";
import type { ImageFinding } from "./inspect-facts.ts";
import { type ImageOrigins, markOf } from "./origins.ts";

/** A file with checksums beside an image, as it was seen. */
export interface SumsFile {
	readonly name: string;
	/** Another content has another one. */
	readonly mark: string;
}

export type SumVerdict =
	| { readonly state: "none" }
	| { readonly state: "right"; readonly sha256: string }
	| { readonly state: "wrong"; readonly finding: ImageFinding }
	/** The file is being read, 0 to 100. */
	| { readonly state: "reading"; readonly percent: number };

export interface DroppedSumsOptions {
	/** Where sums are kept: a file is read once. */
	readonly origins: ImageOrigins;
	readonly log: Logger;
	/** Called when a file was read a percent further, or whole. */
	readonly changed: () => void;
}

interface Reading {
	readonly giveUp: AbortController;
	readonly promise: Promise<void>;
	percent: number;
	/** It cannot be read: what is wrong with it will be seen when it is opened. */
	hasFailed: boolean;
}

/** Lists of many images are small, too. */
const MOST_BYTES = 1n << 20n;

/** Of all files of a folder. */
const LISTS = ["SHA256SUMS", "sha256sums"];

/** See the head of this file. */
export class DroppedSums {
	readonly #options: DroppedSumsOptions;
	/** By what the files are. */
	readonly #readings = new Map<string, Reading>();

	constructor(options: DroppedSumsOptions) {
		this.#options = options;
	}

	/** Gives up what is being read. */
	async stop(): Promise<void> {
		const readings = [...this.#readings.values()];
		for (const { giveUp } of readings) giveUp.abort();
		await Promise.allSettled(readings.map(({ promise }) => promise));
	}

	/** The file beside an image that may have its checksum. */
	async beside({ path: place, content }: FoundFile): Promise<SumsFile | undefined> {
		if (content !== undefined) return undefined;
		const name = path.basename(place);
		for (const candidate of [`${name}.sha256`, `${name}.sha256sum`, ...LISTS]) {
			const stats = await statOf(path.join(path.dirname(place), candidate));
			if (stats?.isFile() !== true || stats.size > MOST_BYTES) continue;
			return { name: candidate, mark: `${stats.ino} ${stats.size} ${stats.mtimeNs}` };
		}
		return undefined;
	}

	/** Whether a file has the checksum that lies beside it; begins to read it where that is not known. */
	async check(file: FoundFile, sums: SumsFile | undefined): Promise<SumVerdict> {
		const expected = sums && (await this.#expected(file, sums));
		if (sums === undefined || expected === undefined) return { state: "none" };
		const sha256 = this.#options.origins.sumOf(file.stamp);
		if (sha256 === expected) return { state: "right", sha256 };
		if (sha256 !== undefined) return { state: "wrong", finding: wrong(sums.name, sha256, expected) };
		const { percent, hasFailed } = this.#readings.get(markOf(file.stamp)) ?? this.#read(file.path, file.stamp);
		return hasFailed ? { state: "none" } : { state: "reading", percent };
	}

	async #expected({ path: place, name }: FoundFile, sums: SumsFile): Promise<string | undefined> {
		try {
			const text = await fs.promises.readFile(path.join(path.dirname(place), sums.name), "utf8");
			return checksumIn(text, name, sums.name.startsWith(name));
		} catch (error) {
			if (systemCode(error) === undefined) throw error;
			this.#options.log.warn(`the checksum of ${name} cannot be read: ${errorText(error)}`);
			return undefined;
		}
	}

	#read(file: string, stamp: FileStamp): Reading {
		const giveUp = new AbortController();
		const promise = this.#sum(file, stamp, giveUp.signal, (percent) => {
			if (percent === reading.percent) return;
			reading.percent = percent;
			this.#options.changed();
		}).then((isRead) => {
			if (isRead) this.#readings.delete(markOf(stamp));
			else reading.hasFailed = true;
			this.#options.changed();
		});
		const reading: Reading = { giveUp, promise, percent: 0, hasFailed: false };
		this.#readings.set(markOf(stamp), reading);
		return reading;
	}

	/** False when it could not be read. Never rejects. */
	async #sum(file: string, stamp: FileStamp, signal: AbortSignal, onPercent: (percent: number) => void) {
		const { log, origins } = this.#options;
		try {
			const sha256 = await sumOfFile(file, signal, (bytes) => onPercent(Math.floor((bytes / stamp.size) * 100)));
			await origins.noteSum(stamp, sha256);
			return true;
		} catch (error) {
			if (!signal.aborted) log.warn(`${file} cannot be read for its checksum: ${errorText(error)}`);
			return false;
		}
	}
}

async function statOf(file: string): Promise<fs.BigIntStats | undefined> {
	try {
		return await fs.promises.stat(file, { bigint: true });
	} catch (error) {
		if (systemCode(error) === undefined) throw error;
		return undefined;
	}
}

function wrong(sums: string, got: string, expected: string): ImageFinding {
	return {
		code: "image-checksum",
		severity: "error",
		message: `It has another checksum than ${sums} says: got ${got}, expected ${expected}.`,
		fix: `Copy it again, or take ${sums} away if it belongs to another file.`,
	};
}
