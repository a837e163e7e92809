/**
 * The unpacked copies of the packed images in the folder: sparse files in the data folder, each made once. The packed file stays
 * what it is, the source; a copy that is lost is made again.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { Logger } from "../../base/index.ts";
import { ArrivingPart, type BuildOrigin, type FileStamp } from "../../vfs/index.ts";
import { readable, type UnpackLimits } from "./limits.ts";
import { PART, type Promised, type UnpackProgress } from "./unpack-file.ts";
import { unpackImage } from "./unpacker.ts";

/** An unpacking that waits, runs, or has failed. */
export interface Unpacking {
	readonly key: string;
	/** Of the packed bytes, 0 to 100. */
	readonly percent: number;
	/** Whether the end of the server interrupted it before. */
	readonly isAnew: boolean;
	/** Set once it has failed. */
	readonly failure?: unknown;
}

interface Job {
	readonly key: string;
	readonly giveUp: AbortController;
	readonly promise: Promise<void>;
	readonly isAnew: boolean;
	/** Resolves when the first bytes are there, and when it has ended. */
	readonly begun: Promise<void>;
	/** Ends `begun`. */
	readonly begin: () => void;
	percent: number;
	/** Bytes that are there, and that there will be; undefined while that is not known. */
	arrived: { readonly bytes: number; readonly of: number } | undefined;
	/** Who reads what is there. */
	reader: ArrivingPart | undefined;
	failure?: unknown;
}

export interface UnpackedFilesOptions {
	readonly folder: string;
	readonly log: Logger;
	/** Called when something is different: a percent more, done, failed. */
	readonly changed: (key: string) => void;
	readonly limits?: UnpackLimits | undefined;
	/** What has to come out of a packed file, where somebody said it. */
	readonly promisedOf?: (stamp: FileStamp) => Promised | undefined;
}

const NAME = /^([0-9a-f]{16})\.img(\.part)?$/;

/** Names a packed file as it is now: another content is another key. */
export function unpackedKey({ stamp, print }: BuildOrigin): string {
	const known = [stamp.size, stamp.mtimeNs, stamp.ino, print.toString("hex")];
	return createHash("sha256").update(known.join("\n")).digest("hex").slice(0, 16);
}

/** See the head of this file. */
export class UnpackedFiles {
	readonly #options: UnpackedFilesOptions;
	readonly #jobs = new Map<string, Job>();
	/** Keys of what the end of the server interrupted. */
	readonly #interrupted = new Set<string>();
	/** One at a time: xz alone uses all cores, and two would fight for the disk. */
	#last: Promise<void> = Promise.resolve();

	constructor(options: UnpackedFilesOptions) {
		this.#options = options;
	}

	/** Makes the folder, and removes what a server that was killed left half done. */
	async start(): Promise<void> {
		const { folder } = this.#options;
		await fs.promises.mkdir(folder, { recursive: true, mode: 0o700 });
		for (const name of await fs.promises.readdir(folder)) {
			const key = NAME.exec(name)?.[1];
			if (key === undefined || !name.endsWith(PART)) continue;
			await fs.promises.rm(path.join(folder, name), { force: true });
			this.#interrupted.add(key);
		}
	}

	/** Gives up what runs. */
	async stop(): Promise<void> {
		for (const job of this.#jobs.values()) giveUp(job);
		await this.#last;
		this.#jobs.clear();
	}

	/** Where the unpacked copy is; undefined when there is none. */
	find(key: string): string | undefined {
		const place = this.place(key);
		return fs.existsSync(place) ? place : undefined;
	}

	/** The unpacking of a file; begins it where there is none. One that has failed begins anew after `forget`. */
	unpack(key: string, source: string, stamp: FileStamp): Unpacking {
		return this.#jobs.get(key) ?? this.#start(key, source, stamp);
	}

	get(key: string): Unpacking | undefined {
		return this.#jobs.get(key);
	}

	/**
	 * What is being unpacked, to be read while it comes: waits until there is something to read. The caller closes it.
	 *
	 * @returns undefined when it has ended, or the format does not tell how large it will be.
	 */
	async follow(key: string): Promise<ArrivingPart | undefined> {
		const job = this.#jobs.get(key);
		await job?.begun;
		if (job?.arrived === undefined || this.#jobs.get(key) !== job || job.failure !== undefined) return undefined;
		const reader = await ArrivingPart.open(this.place(key) + PART, job.arrived.of);
		// It may have ended while it was opened.
		if (this.#jobs.get(key) !== job || job.failure !== undefined) {
			await reader.close();
			return undefined;
		}
		job.reader = reader;
		reader.advance(job.arrived.bytes);
		return reader;
	}

	/** Drops a failure that was told. */
	forget(key: string): void {
		if (this.#jobs.get(key)?.failure !== undefined) this.#jobs.delete(key);
	}

	/** Removes the copies, and gives up the unpackings, of files that are no longer there. */
	async keepOnly(keys: ReadonlySet<string>): Promise<void> {
		for (const job of [...this.#jobs.values()].filter(({ key }) => !keys.has(key))) {
			giveUp(job);
			this.forget(job.key);
		}
		for (const name of await fs.promises.readdir(this.#options.folder)) {
			const key = NAME.exec(name)?.[1];
			if (key === undefined || keys.has(key) || this.#jobs.has(key)) continue;
			await fs.promises.rm(path.join(this.#options.folder, name), { force: true });
		}
	}

	/** Where the copy is, or will be. */
	place(key: string): string {
		return path.join(this.#options.folder, `${key}.img`);
	}

	#start(key: string, source: string, stamp: FileStamp): Job {
		const giveUp = new AbortController();
		const promise = this.#last.then(() => this.#run(job, source, stamp));
		const isAnew = this.#interrupted.delete(key);
		const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
		const progress = { percent: 0, arrived: undefined, reader: undefined };
		const job: Job = { key, giveUp, promise, isAnew, begun, begin, ...progress };
		const name = path.basename(source);
		if (isAnew)
			this.#options.log.info(`the unpacking of ${name} was interrupted when the server ended; it begins anew`);
		this.#jobs.set(key, job);
		this.#last = promise;
		return job;
	}

	/** Never rejects: what went wrong is kept in the job, for the next look. */
	async #run(job: Job, source: string, stamp: FileStamp): Promise<void> {
		const { log, changed, limits, promisedOf } = this.#options;
		const { size, mtimeNs, ino } = stamp;
		const { key, giveUp } = job;
		try {
			const { bytes, writtenBytes } = await unpackImage({
				source,
				target: this.place(key),
				expected: { size, mtimeNs: String(mtimeNs), ino: String(ino) },
				signal: giveUp.signal,
				onProgress: (progress) => this.#advance(job, progress),
				promised: promisedOf?.(stamp),
				...(limits && { limits }),
			});
			log.info(`${path.basename(source)} is unpacked: ${readable(bytes)}, ${readable(writtenBytes)} on the disk`);
			await job.reader?.complete(this.place(key));
			this.#jobs.delete(key);
		} catch (error) {
			if (giveUp.signal.aborted) this.#jobs.delete(key);
			else job.failure = error;
			job.reader?.fail(error);
		}
		job.begin();
		changed(key);
	}

	#advance(job: Job, { bytes, expectedBytes, packedBytes, packedTotal }: UnpackProgress): void {
		if (bytes > 0 && expectedBytes !== undefined) {
			job.arrived = { bytes, of: expectedBytes };
			job.reader?.advance(bytes);
			job.begin();
		}
		const percent = Math.floor(Math.min(1, packedBytes / packedTotal) * 100);
		if (percent === job.percent) return;
		job.percent = percent;
		this.#options.changed(job.key);
	}
}

/** Who waits for its begin waits no longer: it may be in a queue. */
function giveUp(job: Job): void {
	job.giveUp.abort();
	job.begin();
}
