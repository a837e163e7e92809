/**
 * Uploads: `.ID.upload` in the images folder grows from its front, `.ID.upload.json` beside it says what it will be. Both
 * survive a restart; the bytes that are in the file are the bytes that have come. When it is whole it gets its name.
 */
import { createHash, type Hash, randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { ClosedError, errorText, type Logger, NetbootError, type Startable, systemCode } from "../../base/index.ts";
import type { FileStamp } from "../../vfs/index.ts";
import type { Arrived } from "../origins.ts";
import type { Arrivals } from "./arrivals.ts";
import type { ArrivalPlace } from "./downloads.ts";
import { sumOfFile } from "./file-sum.ts";
import { checkedImageName } from "./image-name.ts";
import { ImportError } from "./import-error.ts";
import { imageExists, isThere, land } from "./landing.ts";
import { asFolderError, LimitGuard, readable, type UnpackLimits } from "./limits.ts";
import { parseUpload, UPLOAD_FILE, type UploadNotes } from "./upload-notes.ts";
import { writeAll } from "./write-all.ts";

export interface UploadWish {
	readonly name: string;
	/** Bytes of the whole. */
	readonly size: number;
	/** Of the whole, 64 hex digits. */
	readonly sha256?: string | undefined;
	/** Whether it takes the place of a file that has its name. */
	readonly replace?: boolean | undefined;
	/** What the client knows the file by: it finds its own unfinished upload again. */
	readonly fingerprint?: string | undefined;
}

/** An upload as it is now. */
export interface Upload extends UploadNotes {
	readonly id: string;
	readonly imageId: string;
	/** Bytes that are there. */
	readonly offset: number;
}

/** What the bytes that are sent with it have to hash to. */
export interface Checksum {
	readonly algorithm: "sha1" | "sha256";
	readonly digest: Buffer;
}

export interface UploadsOptions {
	/** The images folder. */
	readonly folder: string;
	readonly arrivals: Arrivals;
	readonly place: ArrivalPlace;
	readonly log: Logger;
	/** Milliseconds since 1970. */
	readonly now: () => number;
	readonly limits?: UnpackLimits;
}

const MOST_OPEN = 32;
/** What nobody went on with for so long is dropped, in milliseconds. */
const LIFETIME = 7 * 86_400_000;
/** Uploads that have ended and can still be asked for: their last answer may have been lost. */
const MOST_FINISHED = 100;

interface Writer {
	/** Cuts the connection; what has come whole still gets its name. */
	readonly cut: () => void;
	/** Ends all of it. */
	readonly giveUp: AbortController;
	readonly ended: Promise<unknown>;
}

/** See the head of this file. */
export class Uploads implements Startable {
	readonly #options: UploadsOptions;
	readonly #open = new Map<string, Upload>();
	readonly #finished = new Map<string, Upload>();
	readonly #writers = new Map<string, Writer>();

	constructor(options: UploadsOptions) {
		this.#options = options;
	}

	/** Finds what the end of the server interrupted: it goes on when its client does. */
	async start(): Promise<void> {
		for (const name of await fs.promises.readdir(this.#options.folder)) {
			const id = UPLOAD_FILE.exec(name)?.[1];
			if (id !== undefined) await this.#takeUp(id);
		}
	}

	/** Ends the connections; what has come stays. */
	async stop(): Promise<void> {
		const writers = [...this.#writers.values()];
		for (const { giveUp } of writers) giveUp.abort(new ClosedError("the server stops"));
		await Promise.allSettled(writers.map(({ ended }) => ended));
		for (const { name } of this.#open.values()) this.#options.arrivals.names.release(name);
		this.#open.clear();
	}

	/** @throws ImportError for a name that is none or taken, for too large a file, when too many are open. */
	async create({ name: wish, size, sha256, replace = false, fingerprint }: UploadWish): Promise<Upload> {
		const { arrivals, folder, limits, now } = this.#options;
		const name = checkedImageName(wish);
		const target = path.join(folder, name);
		if (!replace && isThere(target)) throw imageExists(target);
		await this.#dropOld();
		if (this.#open.size >= MOST_OPEN) throw tooMany();
		new LimitGuard(folder, limits).begin(size, size);
		arrivals.names.claim(name, "upload");
		const id = randomBytes(12).toString("hex");
		const more = { ...(sha256 !== undefined && { sha256 }), ...(fingerprint !== undefined && { fingerprint }) };
		const upload = this.#register(id, { name, size, replace, createdAt: now(), ...more }, 0);
		try {
			await this.#writeDown(upload);
		} catch (error) {
			await this.#drop(upload);
			arrivals.end(upload.imageId);
			throw this.#asImportError(error);
		}
		return size === 0 ? this.#finish(upload, undefined) : upload;
	}

	/** The bytes first: notes without them are those of an upload that has ended. */
	async #writeDown({ id, imageId: _, offset: __, ...notes }: Upload): Promise<void> {
		await fs.promises.writeFile(this.#part(id), "", { flag: "wx", mode: 0o644 });
		await fs.promises.writeFile(`${this.#part(id)}.json`, JSON.stringify(notes), { flag: "wx" });
	}

	/** Those that are not finished, the oldest first. */
	list(): Upload[] {
		return [...this.#open.values()].sort((a, b) => a.createdAt - b.createdAt);
	}

	/** Also one that is finished, for a while. */
	get(id: string): Upload | undefined {
		return this.#open.get(id) ?? this.#finished.get(id);
	}

	/** The upload that an image is arriving by. */
	ofImage(imageId: string): Upload | undefined {
		return [...this.#open.values()].find((upload) => upload.imageId === imageId);
	}

	/**
	 * Takes in bytes. What came before the connection broke is kept, unless a checksum was to be checked. Whoever still sent to
	 * the same upload is cut off first: the connection of a client that has come back is dead.
	 *
	 * @throws ImportError, see its codes; after `upload-checksum` nothing of what was sent is there.
	 */
	async append(id: string, offset: number, body: Readable, checksum?: Checksum): Promise<Upload> {
		const former = this.#writers.get(id);
		former?.cut();
		await Promise.allSettled([former?.ended]);
		const upload = this.#open.get(id);
		if (upload === undefined) throw notFound(id);
		if (offset !== upload.offset) {
			const message = `The upload is at byte ${upload.offset}, what was sent begins at byte ${offset}.`;
			throw new ImportError("upload-offset", message, { hint: "Ask with HEAD where to go on." });
		}
		if (this.#writers.has(id)) throw new ImportError("upload-offset", "Somebody else goes on with this upload.");
		const giveUp = new AbortController();
		const cut = () => void body.destroy();
		giveUp.signal.addEventListener("abort", cut, { once: true });
		const ended = this.#takeIn(upload, body, checksum, giveUp.signal);
		this.#writers.set(id, { cut, giveUp, ended });
		return ended.finally(() => this.#writers.delete(id));
	}

	/** Gives an upload up. False when there is none, also when it got its name before it could be given up. */
	async remove(id: string): Promise<boolean> {
		const writer = this.#writers.get(id);
		writer?.giveUp.abort(givenUp());
		await Promise.allSettled([writer?.ended]);
		const upload = this.#open.get(id);
		if (upload === undefined) return false;
		await this.#drop(upload);
		this.#options.arrivals.end(upload.imageId);
		return true;
	}

	async #takeIn(upload: Upload, body: Readable, checksum: Checksum | undefined, signal: AbortSignal): Promise<Upload> {
		const written = await this.#write(upload, body, checksum);
		return written.offset === written.size ? this.#finish(written, signal) : written;
	}

	async #write(upload: Upload, body: Readable, checksum: Checksum | undefined): Promise<Upload> {
		const file = await fs.promises.open(this.#part(upload.id), "r+");
		const hash = checksum && createHash(checksum.algorithm);
		let kept = upload.offset;
		try {
			const { bytes, failure } = await this.#receive(upload, file, body, hash);
			const isWrong = checksum !== undefined && hash?.digest().equals(checksum.digest) !== true;
			if (isWrong) await file.truncate(upload.offset);
			else kept = bytes;
			await file.datasync();
			if (failure !== undefined) throw failure;
			if (isWrong) throw wrongChunk();
		} catch (error) {
			throw this.#asImportError(error);
		} finally {
			await file.close();
			this.#advance(upload, kept);
		}
		return this.#open.get(upload.id) ?? upload;
	}

	/** Writes until the body ends, breaks off, or is too much. */
	async #receive(upload: Upload, file: fs.promises.FileHandle, body: Readable, hash: Hash | undefined) {
		const guard = new LimitGuard(this.#options.folder, this.#options.limits);
		let bytes = upload.offset;
		try {
			guard.begin(upload.size - upload.offset, upload.size);
			for await (const chunk of body as AsyncIterable<Buffer>) {
				if (bytes + chunk.length > upload.size) throw tooLong(upload);
				guard.check(bytes + chunk.length, bytes - upload.offset, bytes);
				await writeAll(file, chunk, bytes);
				hash?.update(chunk);
				bytes += chunk.length;
				if (hash === undefined) this.#advance(upload, bytes);
			}
			return { bytes };
		} catch (error) {
			return { bytes, failure: isOurs(error) ? error : interrupted(upload, error) };
		}
	}

	#advance({ id, imageId, size }: Upload, offset: number): void {
		const upload = this.#open.get(id);
		if (upload === undefined) return;
		this.#open.set(id, { ...upload, offset });
		this.#options.arrivals.advance(imageId, offset, size);
	}

	async #finish(upload: Upload, signal: AbortSignal | undefined): Promise<Upload> {
		const { arrivals, folder, log, place } = this.#options;
		const { id, name, replace, sha256 } = upload;
		const note = (stamp: FileStamp) => place.noteArrival(stamp, this.#arrived(sha256));
		try {
			await this.#checkWhole(upload, signal);
			await land(this.#part(id), path.join(folder, name), { replace, note, signal });
		} catch (error) {
			// Whoever gave it up clears away; the server that is started next goes on.
			if (signal?.aborted) throw givenUp();
			await this.#drop(upload);
			const told = this.#asImportError(error);
			arrivals.fail(upload.imageId, told);
			log.warn(`the upload of ${name} came to nothing: ${errorText(told)}`);
			throw told;
		}
		log.info(`${name} is uploaded: ${readable(upload.size)}`);
		this.#finished.set(id, upload);
		for (const old of [...this.#finished.keys()].slice(0, -MOST_FINISHED)) this.#finished.delete(old);
		await this.#forgetFiles(upload);
		await place.refresh();
		await this.#drop(upload);
		arrivals.end(upload.imageId);
		return upload;
	}

	#arrived(sha256: string | undefined): Arrived {
		const at = this.#options.now();
		return { kind: "upload", at, ...(sha256 !== undefined && { sha256: sha256.toLowerCase(), isChecked: true }) };
	}

	async #checkWhole({ id, name, sha256 }: Upload, signal: AbortSignal | undefined): Promise<void> {
		if (sha256 === undefined) return;
		const got = await sumOfFile(this.#part(id), signal);
		if (got === sha256.toLowerCase()) return;
		const message = `${name} has another checksum than it should have: got ${got}, expected ${sha256}.`;
		throw new ImportError("upload-checksum", message, { hint: "Upload it again." });
	}

	async #takeUp(id: string): Promise<void> {
		const { arrivals, log, now } = this.#options;
		if (this.#open.has(id)) return;
		const notes = await this.#readNotes(id);
		const offset = await this.#sizeOf(id);
		const isOld = notes !== undefined && now() - notes.createdAt > LIFETIME;
		if (notes === undefined || offset === undefined || offset > notes.size || isOld) {
			await this.#forgetFiles({ id });
			if (isOld) log.info(`the upload of ${notes.name} is given up: nobody went on with it for seven days`);
			return;
		}
		arrivals.names.claim(notes.name, "upload");
		const upload = this.#register(id, notes, offset);
		log.info(`the upload of ${notes.name} was interrupted; it can go on after ${readable(offset)}`);
		const message = `It was interrupted when the server ended, and can go on after ${readable(offset)}.`;
		arrivals.remark(upload.imageId, { code: "import-resumed", severity: "info", message });
		if (offset < notes.size) return;
		// It was whole, and did not get its name: what is wrong with it is told.
		await this.#finish(upload, undefined).catch((error: unknown) => {
			if (!(error instanceof NetbootError)) throw error;
		});
	}

	#register(id: string, notes: UploadNotes, offset: number): Upload {
		const { arrivals, folder, place } = this.#options;
		const imageId = place.reserveId(path.join(folder, notes.name));
		const upload = { ...notes, id, imageId, offset };
		this.#open.set(id, upload);
		arrivals.begin({ id: imageId, name: notes.name, source: "upload", way: "upload", total: notes.size });
		arrivals.advance(imageId, offset, notes.size);
		return upload;
	}

	/** One that is not open any more has no files. */
	async #drop(upload: Upload): Promise<void> {
		if (this.#open.delete(upload.id)) this.#options.arrivals.names.release(upload.name);
		this.#options.place.releaseId(path.join(this.#options.folder, upload.name));
		await this.#forgetFiles(upload);
	}

	async #dropOld(): Promise<void> {
		const old = [...this.#open.values()].filter(({ createdAt }) => this.#options.now() - createdAt > LIFETIME);
		for (const { id } of old) await this.remove(id);
	}

	async #forgetFiles({ id }: { readonly id: string }): Promise<void> {
		await fs.promises.rm(this.#part(id), { force: true });
		await fs.promises.rm(`${this.#part(id)}.json`, { force: true });
	}

	async #readNotes(id: string): Promise<UploadNotes | undefined> {
		try {
			return parseUpload(await fs.promises.readFile(`${this.#part(id)}.json`, "utf8"));
		} catch (error) {
			if (systemCode(error) === "ENOENT") return undefined;
			throw error;
		}
	}

	async #sizeOf(id: string): Promise<number | undefined> {
		return fs.statSync(this.#part(id), { throwIfNoEntry: false })?.size;
	}

	#part(id: string): string {
		return path.join(this.#options.folder, `.${id}.upload`);
	}

	#asImportError(error: unknown): unknown {
		return asFolderError(this.#options.folder, error);
	}
}

/** Anything else is what became of the connection. */
function isOurs(error: unknown): boolean {
	return error instanceof ImportError || /^(ENOSPC|EDQUOT|EIO|EROFS|EBADF)$/.test(systemCode(error) ?? "");
}

function interrupted({ name }: Upload, cause: unknown): ImportError {
	return new ImportError("import-cancelled", `The connection ended before all of ${name} was there.`, { cause });
}

function givenUp(): ImportError {
	return new ImportError("import-cancelled", "The upload was given up.");
}

function tooMany(): ImportError {
	return new ImportError("import-too-many", `${MOST_OPEN} uploads are not finished.`, {
		hint: "Finish or remove some: they are images in the state importing.",
	});
}

function notFound(id: string): ImportError {
	return new ImportError("upload-not-found", `There is no upload ${id}.`, { hint: "Begin it anew." });
}

function tooLong({ name, size }: Upload): ImportError {
	return new ImportError("import-too-large", `More was sent of ${name} than the ${size} bytes that it should have.`);
}

function wrongChunk(): ImportError {
	return new ImportError("upload-checksum", "What came is not what was sent: its checksum is another one.", {
		hint: "Send it again.",
	});
}
