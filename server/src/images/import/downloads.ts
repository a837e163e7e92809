/** The downloads: which run, which wait, and which a restart interrupted. */
import path from "node:path";
import { ClosedError, type Logger, NetbootError, type Startable } from "../../base/index.ts";
import type { FileStamp } from "../../vfs/index.ts";
import type { Arrived, CatalogOrigin } from "../origins.ts";
import type { Arrival, Arrivals } from "./arrivals.ts";
import { type Checksum, download } from "./download.ts";
import { checkedImageName, isImportableName } from "./image-name.ts";
import { ImportError } from "./import-error.ts";
import { imageExists, isThere } from "./landing.ts";
import { asFolderError, readable, type UnpackLimits } from "./limits.ts";
import { findInterrupted, PartialFile } from "./partial-file.ts";
import { nameOfAddress, parseAddress, request, withoutSecrets } from "./request.ts";
import { Watchdog } from "./watchdog.ts";

export interface DownloadWish {
	readonly url: string;
	/** Default: the last part of the address. */
	readonly name?: string | undefined;
	/** 64 hex digits. */
	readonly sha256?: string | undefined;
	/** Whether it takes the place of a file that has its name. */
	readonly replace?: boolean | undefined;
	/** Of the catalogue, where it comes from there. */
	readonly entry?: CatalogOrigin | undefined;
}

/** Where what arrives becomes an image. */
export interface ArrivalPlace {
	/** The id that a file at this path has, or will have. */
	reserveId(file: string): string;
	/** No file will come to this path. */
	releaseId(file: string): void;
	/** Remembers how the file with this stamp came. Durable when it resolves. */
	noteArrival(stamp: FileStamp, arrived: Arrived): Promise<void>;
	/** Looks at the folder now. */
	refresh(): Promise<void>;
}

export interface DownloadsOptions {
	/** The images folder. */
	readonly folder: string;
	readonly arrivals: Arrivals;
	readonly place: ArrivalPlace;
	readonly log: Logger;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	readonly limits?: UnpackLimits;
	/** See `DownloadOptions`; for tests. */
	readonly pace?: {
		readonly stallMs?: number;
		readonly backoffMs?: number;
		readonly attempts?: number;
		readonly nameMs?: number;
	};
}

interface Job {
	readonly wish: DownloadWish;
	readonly name: string;
	readonly id: string;
	readonly giveUp: AbortController;
	/** Whether it arrived. */
	promise: Promise<boolean> | undefined;
}

/** Milliseconds that a server has to say what it calls a file: the person waits for it. */
const NAME_MS = 8000;

/** At the same time: more would only share the same line. */
const MOST_RUNNING = 2;
const MOST_WAITING = 100;

/** See the head of this file. */
export class Downloads implements Startable {
	readonly #options: DownloadsOptions;
	/** By id, in the order in which they were asked for. */
	readonly #jobs = new Map<string, Job>();
	/** How many are being written down. */
	#beginning = 0;
	#isRunning = false;

	constructor(options: DownloadsOptions) {
		this.#options = options;
	}

	/** Goes on with what the end of the server interrupted. */
	async start(): Promise<void> {
		const { arrivals, folder, log } = this.#options;
		this.#isRunning = true;
		for (const { name, url, sha256, replace, entry } of await findInterrupted(folder)) {
			const bytes = await new PartialFile(folder, name).size();
			log.info(`the download of ${name} was interrupted when the server ended; it goes on after ${readable(bytes)}`);
			arrivals.names.claim(name, "download");
			const { id } = this.#enqueue({ url, sha256, replace: replace ?? false, entry }, name);
			const message = `It was interrupted when the server ended, and goes on after ${readable(bytes)}.`;
			arrivals.remark(id, { code: "import-resumed", severity: "info", message });
		}
	}

	/** Stops all of them where they are: the next start goes on. */
	async stop(): Promise<void> {
		this.#isRunning = false;
		const jobs = [...this.#jobs.values()];
		for (const { giveUp } of jobs) giveUp.abort(new ClosedError("the server stops"));
		await Promise.allSettled(jobs.map(({ promise }) => promise));
		for (const { name } of jobs) this.#options.arrivals.names.release(name);
		this.#jobs.clear();
	}

	/**
	 * Begins a download. What goes wrong later is told by its arrival.
	 *
	 * @throws ImportError for an address, name or checksum that is none, for a name that is taken; when too many are waiting.
	 */
	async add(wish: DownloadWish): Promise<Arrival> {
		const { arrivals, folder } = this.#options;
		const url = parseAddress(wish.url);
		const name = checkedImageName(wish.name ?? (await this.#nameAt(url)));
		const target = path.join(folder, name);
		if (wish.replace !== true && isThere(target)) throw imageExists(target);
		if (this.#jobs.size + this.#beginning >= MOST_WAITING) throw tooMany();
		arrivals.names.claim(name, "download");
		this.#beginning += 1;
		try {
			const job = { ...wish, url: url.href, replace: wish.replace ?? false };
			await this.#writeDown(job, name);
			return this.#enqueue(job, name);
		} catch (error) {
			arrivals.names.release(name);
			throw asFolderError(folder, error);
		} finally {
			this.#beginning -= 1;
		}
	}

	/** Before anything is asked for: a server that is killed from now on goes on with it all the same. */
	#writeDown({ url, replace, sha256, entry }: DownloadWish, name: string): Promise<void> {
		return new PartialFile(this.#options.folder, name).begin({
			url,
			replace: replace ?? false,
			...(sha256 !== undefined && { sha256 }),
			...(entry !== undefined && { entry }),
		});
	}

	/** What the address calls the file; one that names none, as `raspios_lite_arm64_latest`, may lead to one that does. */
	async #nameAt(url: URL): Promise<string> {
		const name = nameOfAddress(url);
		if (isImportableName(name)) return name;
		const watchdog = new Watchdog(url, undefined, this.#options.pace?.nameMs ?? NAME_MS);
		try {
			const answer = await request(url, {}, watchdog.signal, true);
			answer.body.destroy();
			const real = nameOfAddress(answer.url);
			return isImportableName(real) ? real : name;
		} catch (error) {
			if (error instanceof ImportError) return name;
			throw error;
		} finally {
			watchdog.stop();
		}
	}

	/**
	 * Gives a download up, and removes what is there of it. False when there is none of this id, also when it got its name before
	 * it could be given up: then it is an image.
	 */
	async cancel(id: string): Promise<boolean> {
		const job = this.#jobs.get(id);
		if (job === undefined) return false;
		job.giveUp.abort();
		if (job.promise === undefined) await this.#dropWaiting(job);
		else if (await job.promise) return false;
		this.#options.arrivals.end(id);
		return true;
	}

	async #dropWaiting({ id, name }: Job): Promise<void> {
		const { arrivals, folder, place } = this.#options;
		this.#jobs.delete(id);
		await new PartialFile(folder, name).remove();
		place.releaseId(path.join(folder, name));
		arrivals.names.release(name);
	}

	#enqueue(wish: DownloadWish, name: string): Arrival {
		const { arrivals, folder, place } = this.#options;
		const id = place.reserveId(path.join(folder, name));
		this.#jobs.set(id, { wish, name, id, giveUp: new AbortController(), promise: undefined });
		const source = withoutSecrets(new URL(wish.url));
		const arrival = arrivals.begin({
			id,
			name,
			source,
			way: wish.entry === undefined ? "download" : "catalog",
			total: undefined,
		});
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

	/** Gives whether it arrived. Never rejects: what went wrong is the arrival's. */
	async #run(job: Job): Promise<boolean> {
		const isThere = await this.#fetch(job);
		const { arrivals, folder, place } = this.#options;
		place.releaseId(path.join(folder, job.name));
		arrivals.names.release(job.name);
		this.#jobs.delete(job.id);
		this.#runNext();
		return isThere;
	}

	async #fetch(job: Job): Promise<boolean> {
		const { arrivals, log, place } = this.#options;
		const { id, name } = job;
		try {
			const { bytes, isChecked } = await this.#download(job);
			log.info(`${name} is downloaded: ${readable(bytes)}${isChecked ? ", its checksum is right" : ""}`);
			await place.refresh();
			arrivals.end(id);
			return true;
		} catch (error) {
			if (!(job.giveUp.signal.reason instanceof ClosedError)) this.#fail(job, error);
			return false;
		}
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
			onRetry: ({ code, message }) =>
				arrivals.remark(id, { code, severity: "warning", message: `${message} It is tried again.` }),
			onWhole: (stamp, checksum) => this.#note(wish, stamp, checksum),
			...(wish.sha256 !== undefined && { sha256: wish.sha256 }),
			...(wish.entry !== undefined && { entry: wish.entry }),
			...(limits && { limits }),
			...pace,
		});
	}

	#note({ url, entry }: DownloadWish, stamp: FileStamp, checksum: Checksum): Promise<void> {
		const { now, place } = this.#options;
		const from = { url: withoutSecrets(new URL(url)), at: now(), ...checksum };
		return place.noteArrival(
			stamp,
			entry === undefined ? { kind: "download", ...from } : { kind: "catalog", entry, ...from },
		);
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
