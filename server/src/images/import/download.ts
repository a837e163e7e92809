/**
 * Downloads an image into the images folder. It may be cut off at any byte and goes on from there, in this run or the next; it
 * appears under its name when it is whole, has the checksum that it should have, and is on the disk.
 */
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ClosedError, systemCode } from "../../base/index.ts";
import type { FileStamp } from "../../vfs/index.ts";
import type { CatalogOrigin } from "../origins.ts";
import { findChecksum } from "./checksum-beside.ts";
import { sumOfFile } from "./file-sum.ts";
import { checkedImageName } from "./image-name.ts";
import { ImportError } from "./import-error.ts";
import { asFolderError, LimitGuard, type UnpackLimits } from "./limits.ts";
import { PartialFile, type PartialNotes } from "./partial-file.ts";
import { type Answer, nameOfAddress, parseAddress, request, unreachable, withoutSecrets } from "./request.ts";
import { STALL_MS, Watchdog } from "./watchdog.ts";
import { writeAll } from "./write-all.ts";

export interface DownloadProgress {
	readonly bytes: number;
	readonly total: number | undefined;
}

export interface DownloadOptions {
	readonly url: string;
	/** The images folder. */
	readonly folder: string;
	/** Default: the last part of the address. */
	readonly name?: string;
	/** 64 hex digits. Without it, `URL.sha256` is asked for. */
	readonly sha256?: string;
	/** Whether it takes the place of a file that has its name; default true. */
	readonly replace?: boolean;
	/** Of the catalogue, where it comes from there: kept for whoever goes on after a restart. */
	readonly entry?: CatalogOrigin;
	readonly signal?: AbortSignal;
	readonly onProgress?: (progress: DownloadProgress) => void;
	/** It is tried again because of this. */
	readonly onRetry?: (error: ImportError) => void;
	/** It is whole, and about to get its name. */
	readonly onWhole?: (stamp: FileStamp, checksum: Checksum) => Promise<void>;
	/** Milliseconds without a byte after which a connection counts as dead; default 30,000. */
	readonly stallMs?: number;
	/** Milliseconds before the first further attempt; each waits twice as long, up to a minute. Default 1000. */
	readonly backoffMs?: number;
	/** Attempts in a row that get no further, before it is given up; default 6. */
	readonly attempts?: number;
	readonly limits?: UnpackLimits;
}

export interface Checksum {
	readonly sha256: string;
	/** Whether somebody vouched for it. */
	readonly isChecked: boolean;
}

export interface Downloaded extends Checksum {
	readonly path: string;
	readonly bytes: number;
}

/**
 * See the head of this file.
 *
 * @throws ImportError; then nothing is left behind, unless the signal's reason is a ClosedError: the server stops, and the next
 * one goes on with what is there.
 */
export async function download(options: DownloadOptions): Promise<Downloaded> {
	const url = parseAddress(options.url);
	const download = new Download(url, options);
	return download.run();
}

const SHA256 = /^[0-9a-f]{64}$/i;
const LONGEST_BACKOFF_MS = 60_000;

class Download {
	readonly #url: URL;
	readonly #options: DownloadOptions;
	readonly #name: string;
	readonly #partial: PartialFile;

	constructor(url: URL, options: DownloadOptions) {
		this.#url = url;
		this.#options = options;
		this.#name = checkedImageName(options.name ?? nameOfAddress(url));
		this.#partial = new PartialFile(options.folder, this.#name);
		if (options.sha256 !== undefined && !SHA256.test(options.sha256)) {
			throw new ImportError("download-checksum", "A SHA-256 has 64 hexadecimal digits.");
		}
	}

	async run(): Promise<Downloaded> {
		try {
			const sha256 = (this.#options.sha256 ?? (await this.#findChecksum()))?.toLowerCase();
			await this.#fetchAll(sha256);
			return await this.#check(sha256);
		} catch (error) {
			if (!(this.#options.signal?.reason instanceof ClosedError)) await this.#partial.remove();
			throw this.#asImportError(error);
		}
	}

	/** Tries until the file is whole, as long as the attempts get further: a server that always cuts at the same place brings nothing. */
	async #fetchAll(sha256: string | undefined): Promise<void> {
		const { attempts = 6, backoffMs = 1000, signal } = this.#options;
		let most = await this.#partial.size();
		for (let failures = 0; ; ) {
			try {
				if (await this.#fetchOnce(sha256)) return;
			} catch (error) {
				if (!(error instanceof ImportError) || !isTransient(error)) throw error;
				const size = await this.#partial.size();
				failures = size > most ? 1 : failures + 1;
				most = Math.max(most, size);
				if (failures >= attempts) throw error;
				this.#options.onRetry?.(error);
				await sleep(Math.min(backoffMs * 2 ** (failures - 1), LONGEST_BACKOFF_MS), undefined, signal && { signal });
			}
		}
	}

	/** One connection; true when the file is whole. A part that does not fit the file any more is dropped: false. */
	async #fetchOnce(sha256: string | undefined): Promise<boolean> {
		const { signal, stallMs = STALL_MS } = this.#options;
		const watchdog = new Watchdog(this.#url, signal, stallMs);
		try {
			const { there, total: whole, validator } = await this.#whatIsThere();
			if (there > 0 && there === whole) return true;
			const range = there > 0 ? { range: `bytes=${there}-`, "if-range": validator } : {};
			const answer = await request(this.#url, range, watchdog.signal, sha256 !== undefined);
			const isPart = answer.status === 206 && startOf(answer) === there;
			const goesOn = there > 0 && isPart && isSameFile(answer, validator, whole);
			if (there > 0 && !goesOn && /^(206|416)$/.test(String(answer.status))) {
				answer.body.destroy();
				await this.#partial.begin(this.#notes(sha256));
				return false;
			}
			checkStatus(answer, this.#url);
			const from = goesOn ? there : 0;
			const total = totalOf(answer, from);
			if (!goesOn) await this.#partial.begin({ ...this.#notes(sha256), ...versionOf(answer, total) });
			await this.#receive(answer, from, total, watchdog);
			return true;
		} finally {
			watchdog.stop();
		}
	}

	#notes(sha256: string | undefined): PartialNotes {
		const { replace, entry } = this.#options;
		return {
			url: this.#url.href,
			...(sha256 !== undefined && { sha256 }),
			...(replace !== undefined && { replace }),
			...(entry !== undefined && { entry }),
		};
	}

	/** What an earlier attempt has fetched of the same file; 0 when it is not known whether the file is still the same. */
	async #whatIsThere() {
		const notes = await this.#partial.notes();
		const { validator = "", total } = notes ?? {};
		const there = notes?.url === this.#url.href && validator !== "" ? await this.#partial.size() : 0;
		return { there, total, validator };
	}

	async #receive({ body }: Answer, from: number, total: number | undefined, watchdog: Watchdog): Promise<void> {
		const { folder, limits, onProgress } = this.#options;
		const guard = new LimitGuard(folder, limits);
		if (total !== undefined) guard.begin(total - from, total);
		const file = await fs.promises.open(this.#partial.path, "r+");
		let bytes = from;
		try {
			for await (const chunk of body as AsyncIterable<Buffer>) {
				watchdog.feed();
				guard.check(bytes + chunk.length, bytes - from, bytes);
				await writeAll(file, chunk, bytes);
				bytes += chunk.length;
				onProgress?.({ bytes, total });
			}
		} catch (error) {
			watchdog.signal.throwIfAborted();
			throw error instanceof ImportError || isDiskError(error) ? error : unreachable(this.#url, error);
		} finally {
			body.destroy();
			await file.close();
		}
		if (total !== undefined && bytes !== total)
			throw unreachable(this.#url, new Error(`it sent ${bytes} of ${total} bytes`));
	}

	/** Reads the file once more: what counts is what is on the disk, also of a part that an earlier run fetched. */
	async #check(expected: string | undefined): Promise<Downloaded> {
		const sha256 = await sumOfFile(this.#partial.path, this.#options.signal);
		if (expected !== undefined && sha256 !== expected) {
			throw new ImportError(
				"download-checksum",
				`${this.#name} has another checksum than it should have: got ${sha256}, expected ${expected}.`,
				{
					hint: "Download it again; if that does not help, the server has another file, or the checksum is of another one.",
				},
			);
		}
		const checksum = { sha256, isChecked: expected !== undefined };
		const { replace = true, signal, onWhole } = this.#options;
		const bytes = await this.#partial.size();
		const note = async (stamp: FileStamp) => onWhole?.(stamp, checksum);
		return { path: await this.#partial.finish({ replace, note, signal }), bytes, ...checksum };
	}

	#findChecksum(): Promise<string | undefined> {
		const { signal, stallMs = STALL_MS } = this.#options;
		return findChecksum(this.#url, signal, stallMs);
	}

	#asImportError(error: unknown): unknown {
		if (this.#options.signal?.aborted) return new ImportError("import-cancelled", "The download was cancelled.");
		return asFolderError(this.#options.folder, error);
	}
}

function isTransient({ code }: ImportError): boolean {
	return /^download-(unreachable|stalled)$/.test(code);
}

function isDiskError(error: unknown): boolean {
	return /^(ENOSPC|EDQUOT|EIO|EROFS|EACCES)$/.test(systemCode(error) ?? "");
}

function checkStatus({ status, body }: Answer, url: URL): void {
	if (status === 200 || status === 206) return;
	body.destroy();
	if (status === 404 || status === 410) {
		throw new ImportError(
			"download-not-found",
			`There is nothing at ${withoutSecrets(url)}: the server says ${status}.`,
			{
				hint: "Check the address.",
			},
		);
	}
	// 408, 429 and the 5xx are about now, not about the file.
	if (status === 408 || status === 429 || status >= 500) throw unreachable(url, new Error(`it answers ${status}`));
	throw new ImportError("download-refused", `${url.host} does not give it: it answers ${status}.`);
}

/** `Content-Range: bytes 1000-1999/2000`. */
function startOf({ headers }: Answer): number | undefined {
	const start = /^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1];
	return start === undefined ? undefined : Number(start);
}

function totalOf({ headers }: Answer, from: number): number | undefined {
	const length = headers["content-length"];
	return length !== undefined && /^\d{1,15}$/.test(length) ? from + Number(length) : undefined;
}

/** RFC 9110, 13.1.5: a weak entity tag must not be used in If-Range. */
function validatorOf({ headers }: Answer): string | undefined {
	const { etag } = headers;
	return etag?.startsWith('"') ? etag : headers["last-modified"];
}

function versionOf(answer: Answer, total: number | undefined): Pick<PartialNotes, "validator" | "total"> {
	const validator = validatorOf(answer);
	return { ...(validator !== undefined && { validator }), ...(total !== undefined && { total }) };
}

/** Servers that do not know If-Range send a part of whatever the file is now. */
function isSameFile(answer: Answer, validator: string, total: number | undefined): boolean {
	const whole = /\/(\d+)$/.exec(answer.headers["content-range"] ?? "")?.[1];
	const isSameSize = total === undefined || whole === undefined || Number(whole) === total;
	return isSameSize && (validatorOf(answer) ?? validator) === validator;
}
