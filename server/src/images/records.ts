/** What is remembered of images, so that their ids outlive renamings and restarts. */
import path from "node:path";
import type { FoundFile } from "./found.ts";

export interface ImageRecord {
	/** Made once from the first name. */
	readonly id: string;
	readonly firstName: string;
	/** The file's name now. */
	readonly name: string;
	/** Absolute: of the file, or of the folder that holds this one image. */
	readonly path: string;
	/** Decimal: device and inode numbers of some file systems do not fit a number. */
	readonly dev: string;
	readonly ino: string;
	readonly superblockIdentity: string;
	/** Milliseconds since 1970. */
	readonly createdAt: number;
}

/** The record of an image that was not known. @param createdAt milliseconds since 1970. */
export function newRecord(id: string, { name, place, stamp }: FoundFile, createdAt: number): ImageRecord {
	const { dev, ino } = stamp;
	const seen = { name, path: place, dev: String(dev), ino: String(ino) };
	return { id, firstName: name, ...seen, superblockIdentity: "", createdAt };
}

/** The record of an image as it was seen now. @param superblock undefined where that is not known. */
export function seenRecord(
	record: ImageRecord,
	{ name, place, stamp }: FoundFile,
	superblock: string | undefined,
): ImageRecord {
	const now = { name, path: place, dev: String(stamp.dev), ino: String(stamp.ino) };
	return { ...record, ...now, superblockIdentity: superblock ?? record.superblockIdentity };
}

/** Where the records are kept. Durable when a promise resolves. */
export interface ImageRecords {
	list(): Promise<ImageRecord[]>;
	/** Inserts the record, or replaces the one with its id. */
	save(record: ImageRecord): Promise<void>;
	remove(id: string): Promise<void>;
}

/** Records that are gone with the process, for tests. */
export class MemoryImageRecords implements ImageRecords {
	readonly #records = new Map<string, ImageRecord>();

	async list(): Promise<ImageRecord[]> {
		return [...this.#records.values()];
	}

	async save(record: ImageRecord): Promise<void> {
		this.#records.set(record.id, record);
	}

	async remove(id: string): Promise<void> {
		this.#records.delete(id);
	}
}

/**
 * An id out of a file's name: lower-case letters, digits, dots, dashes and underscores, with a number behind it where the
 * plain one is taken.
 */
export function makeImageId(fileName: string, isTaken: (id: string) => boolean): string {
	const plain = fileName
		.replace(/(\.(img|tar))?(\.(xz|gz|zst|bz2|zip|tgz|txz))?$/i, "")
		.normalize("NFKD")
		.replace(/\p{M}/gu, "")
		.toLowerCase()
		.replace(/[^a-z0-9._]+/g, "-")
		.replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
		.slice(0, 100);
	const base = plain === "" ? "image" : plain;
	let id = base;
	for (let count = 2; isTaken(id); count++) id = `${base}-${count}`;
	return id;
}

/** Ids of files that are about to come: what is shown of a download has the id that its image will have. */
export class ReservedIds {
	readonly #byPath = new Map<string, string>();
	readonly #isTaken: (id: string) => boolean;

	constructor(isTaken: (id: string) => boolean) {
		this.#isTaken = isTaken;
	}

	/** Reserves an id for a file, or gives the one that is. */
	of(file: string, name = path.basename(file)): string {
		const known = this.#byPath.get(file);
		if (known !== undefined) return known;
		const reserved = new Set(this.#byPath.values());
		const id = makeImageId(name, (other) => reserved.has(other) || this.#isTaken(other));
		this.#byPath.set(file, id);
		return id;
	}

	/** The file has come: gives its id, which is reserved no longer. */
	take(file: string, name: string): string {
		const id = this.of(file, name);
		this.release(file);
		return id;
	}

	release(file: string): void {
		this.#byPath.delete(file);
	}
}
