/** The downloads: which run, which wait, and which a restart interrupted. */
import path from "node:path";
import { ClosedError, type Logger, NetbootError, type Startable } from "../../base/index.ts";
import type { Arrival, Arrivals } from "./arrivals.ts";
import { download, nameOfAddress } from "./download.ts";
import { checkedImageName } from "./image-name.ts";
import { ImportError } from "./import-error.ts";
import { imageExists, isThere } from "./landing.ts";
import { asFolderError, readable, type UnpackLimits } from "./limits.ts";
import { findInterrupted, PartialFile } from "./partial-file.ts";
import { parseAddress } from "./request.ts";

export interface DownloadWish {
	readonly url: string;
	/** Default: the last part of the address. */
	readonly name?: string | undefined;
	/** 64 hex digits. */
	readonly sha256?: string | undefined;
	/** Whether it takes the place of a file that has its name. */
	readonly replace?: boolean | undefined;
}

/** Where what arrives becomes an image. */
export interface ArrivalPlace {
	/** The id that a file at this path has, or will have. */
	reserveId(file: string): string;
	/** No file will come to this path. */
	releaseId(file: string): void;
	/** Looks at the folder now. */
	refresh(): Promise<void>;
}

export interface DownloadsOptions {
	/** The images folder. */
	readonly folder: string;
	readonly arrivals: Arrivals;
	readonly place: ArrivalPlace;
	readonly log: Logger;
	readonly limits?: UnpackLimits;
	/** See `DownloadOptions`; for tests. */
	readonly pace?: { readonly stallMs?: number; readonly backoffMs?: number; readonly attempts?: number };
}

interface Job {
	readonly wish: DownloadWish;
	readonly name: string;
	readonly id: string;
	readonly giveUp: AbortController;
	promise: Promise<void> | undefined;
}

/** At the same time: more would only share the same line. */
const MOST_RUNNING = 2;
const MOST_WAITING = 100;

/** See the head of this file. */
export class Downloads implements Startable {
	readonly #options: DownloadsOptions;
	/** By id, in the order in which they were asked for. */
	readonly #jobs = new Map<string, Job>();
	/** Ids of those that are being written down. */
	readonly #beginning = new Set<string>();
	#isRunning = false;

	constructor(options: DownloadsOptions) {
		this.#options = options;
	}

	/** Goes on with what the end of the server interrupted. */
	async start(): Promise<void> {
		const { folder, log } = this.#options;
		this.#isRunning = true;
		for (const { name, url, sha256, replace } of await findInterrupted(folder)) {
			const bytes = await new PartialFile(folder, name).size();
			log.info(`the download of ${name} was interrupted when the server ended; it goes on after ${readable(bytes)}`);
			this.#enqueue({ url, sha256, replace: replace ?? false }, name);
		}
	}

	/** Stops all of them where they are: the next start goes on. */
	async stop(): Promise<void> {
		this.#isRunning = false;
		const jobs = [...this.#jobs.values()];
		for (const { giveUp } of jobs) giveUp.abort(new ClosedError("the server stops"));
		await Promise.allSettled(jobs.map(({ promise }) => promise));
		this.#jobs.clear();
	}

	/**
	 * Begins a download. What goes wrong later is told by its arrival.
	 *
	 * @throws ImportError for an address, name or checksum that is none, for a name that is taken; when too many are waiting.
	 */
	async add(wish: DownloadWish): Promise<Arrival> {
		const { folder, place } = this.#options;
		const url = parseAddress(wish.url);
		const name = checkedImageName(wish.name ?? nameOfAddress(url));
		const target = path.join(folder, name);
		if (wish.replace !== true && isThere(target)) throw imageExists(target);
		if (this.#jobs.size + this.#beginning.size >= MOST_WAITING) throw tooMany();
		const id = place.reserveId(target);
		if (this.#jobs.has(id) || this.#beginning.has(id)) throw alreadyRunning(name);
		// Written before anything was asked for: a server that is killed now goes on with it all the same.
		const { sha256, replace = false } = wish;
		const notes = { url: url.href, replace, ...(sha256 !== undefined && { sha256 }) };
		this.#beginning.add(id);
		try {
			await new PartialFile(folder, name).begin(notes);
		} catch (error) {
			place.releaseId(target);
			throw asFolderError(folder, error);
		} finally {
			this.#beginning.delete(id);
		}
		return this.#enqueue({ ...wish, replace }, name);
	}

	/** Gives a download up, and removes what is there of it. False when there is none of this id. */
	async cancel(id: string): Promise<boolean> {
		const job = this.#jobs.get(id);
		if (job === undefined) return false;
		job.giveUp.abort();
		if (job.promise !== undefined) await job.promise;
		else await this.#dropWaiting(job);
		this.#options.arrivals.end(id);
		return true;
	}

	async #dropWaiting({ id, name }: Job): Promise<void> {
		const { folder, place } = this.#options;
		this.#jobs.delete(id);
		await new PartialFile(folder, name).remove();
		place.releaseId(path.join(folder, name));
	}

	#enqueue(wish: DownloadWish, name: string): Arrival {
		const { arrivals, folder, place } = this.#options;
		const id = place.reserveId(path.join(folder, name));
		this.#jobs.set(id, { wish, name, id, giveUp: new AbortController(), promise: undefined });
		const arrival = arrivals.begin({ id, name, source: wish.url, total: undefined });
		this.#runNext();
		return arrival;
	}

	#runNext(): void {
		if (!this.#isRunning) return;
		const jobs = [...this.#jobs.values()];
		const free = MOST_RUNNING - jobs.filter(({ promise }) => promise !== undefined).length;
		for (const job of jobs.filter(({ promise }) => promise === undefined).slice(0, Math.max(0, free))) {
			job.promise = this.#run(job);
		}
	}

	/** Never rejects: what went wrong is the arrival's. */
	async #run(job: Job): Promise<void> {
		const { arrivals, folder, log, place } = this.#options;
		const { id, name } = job;
		try {
			const { bytes, isChecked } = await this.#download(job);
			log.info(`${name} is downloaded: ${readable(bytes)}${isChecked ? ", its checksum is right" : ""}`);
			await place.refresh();
			arrivals.end(id);
		} catch (error) {
			if (!(job.giveUp.signal.reason instanceof ClosedError)) this.#fail(job, error);
		}
		place.releaseId(path.join(folder, name));
		this.#jobs.delete(id);
		this.#runNext();
	}

	#download({ wish, name, id, giveUp }: Job) {
		const { arrivals, folder, limits, pace } = this.#options;
		return download({
			url: wish.url,
			folder,
			name,
			replace: wish.replace ?? false,
			signal: giveUp.signal,
			onProgress: ({ bytes, total }) => arrivals.advance(id, bytes, total),
			...(wish.sha256 !== undefined && { sha256: wish.sha256 }),
			...(limits && { limits }),
			...pace,
		});
	}

	#fail({ id, name, giveUp }: Job, error: unknown): void {
		const { arrivals, log } = this.#options;
		arrivals.fail(id, error);
		if (giveUp.signal.aborted) log.info(`the download of ${name} was given up`);
		else if (error instanceof NetbootError) log.warn(`${name} could not be downloaded: ${error.message}`);
		else log.error({ err: error }, `the download of ${name} failed`);
	}
}

function tooMany(): ImportError {
	const hint = "Wait until some have ended.";
	return new ImportError("import-too-many", `${MOST_WAITING} downloads are waiting already.`, { hint });
}

function alreadyRunning(name: string): ImportError {
	return new ImportError("image-exists", `${name} is being downloaded already.`, {
		hint: "`pi-netboot images` shows how far it is; remove it to begin anew.",
	});
}
