/**
 * Where the files of the folder came from. Known of a file by what it is, not by its name: renamed, it keeps its origin; replaced
 * by hand, the new one has none but the folder.
 */
import fs from "node:fs";
import { errorText, type Logger, systemCode } from "../base/index.ts";
import type { FileStamp } from "../vfs/index.ts";
import type { FoundFile } from "./found.ts";

/** What the catalogue says of an image besides its address. */
export interface CatalogOrigin {
	readonly id: string;
	readonly name: string;
	/** Of what comes out when it is unpacked. */
	readonly unpackedBytes?: number;
	readonly unpackedSha256?: string;
}

/** How a file came in. */
export interface Arrived {
	readonly kind: "download" | "catalog" | "upload";
	/** Milliseconds since 1970. */
	readonly at: number;
	/** Without what lets one in there. */
	readonly url?: string;
	readonly entry?: CatalogOrigin;
	/** Of the file as it came. */
	readonly sha256?: string;
	/** Whether somebody had said before what that has to be. */
	readonly isChecked?: boolean;
}

/** `path`: a link to a file elsewhere. `folder`: somebody put it there. */
export type ImageOrigin = Arrived | { readonly kind: "folder" } | { readonly kind: "path"; readonly path: string };

/** A stamp, and what is known of the file that has it. */
export interface OriginNote {
	readonly mark: string;
	readonly arrived?: Arrived;
	/** Of one that somebody put there, where it was asked for. */
	readonly sha256?: string;
}

/** Where the notes are kept. */
export interface KeptOrigins {
	get(): readonly OriginNote[];
	/** Durable when it resolves. */
	set(notes: readonly OriginNote[]): Promise<void>;
}

/** Notes that are gone with the process. */
export class MemoryOrigins implements KeptOrigins {
	#notes: readonly OriginNote[] = [];

	get(): readonly OriginNote[] {
		return this.#notes;
	}

	async set(notes: readonly OriginNote[]): Promise<void> {
		this.#notes = notes;
	}
}

/** The oldest go: more images than this nobody has, and what is lost is a line of text. */
const MOST_NOTES = 500;

/** See the head of this file. */
export class ImageOrigins {
	readonly #kept: KeptOrigins;
	readonly #log: Logger;
	/** By mark: what could not be kept, as on a full disk, holds until the end of the process. */
	readonly #unkept = new Map<string, OriginNote>();
	/** One change after the other: each writes all of them. Never rejects. */
	#last: Promise<void> = Promise.resolve();

	constructor(kept: KeptOrigins, log: Logger) {
		this.#kept = kept;
		this.#log = log;
	}

	of({ path, place, stamp }: FoundFile): ImageOrigin {
		return this.arrived(stamp) ?? linkOrigin(place) ?? linkOrigin(path) ?? { kind: "folder" };
	}

	/** How the file with this stamp came, if not by hand. */
	arrived(stamp: FileStamp): Arrived | undefined {
		return this.#find(stamp)?.arrived;
	}

	/** The checksum of the file with this stamp, where it was ever computed. */
	sumOf(stamp: FileStamp): string | undefined {
		const note = this.#find(stamp);
		return note?.sha256 ?? note?.arrived?.sha256;
	}

	#find(stamp: FileStamp): OriginNote | undefined {
		const mark = markOf(stamp);
		return this.#unkept.get(mark) ?? this.#kept.get().findLast((note) => note.mark === mark);
	}

	/** What has to come out of the file when it is unpacked, as the catalogue said. */
	promised(stamp: FileStamp): { readonly bytes: number | undefined; readonly sha256: string | undefined } | undefined {
		const entry = this.arrived(stamp)?.entry;
		return entry && { bytes: entry.unpackedBytes, sha256: entry.unpackedSha256 };
	}

	/** Durable when it resolves, unless the log says why not: no image is given up for it. */
	note(stamp: FileStamp, arrived: Arrived): Promise<void> {
		return this.#save({ mark: markOf(stamp), arrived });
	}

	/** As `note`. */
	noteSum(stamp: FileStamp, sha256: string): Promise<void> {
		const { arrived } = this.#find(stamp) ?? {};
		return this.#save({ mark: markOf(stamp), sha256, ...(arrived !== undefined && { arrived }) });
	}

	#save(note: OriginNote): Promise<void> {
		this.#unkept.set(note.mark, note);
		for (const mark of [...this.#unkept.keys()].slice(0, -MOST_NOTES)) this.#unkept.delete(mark);
		this.#last = this.#last.then(() => this.#keep(note));
		return this.#last;
	}

	async #keep(note: OriginNote): Promise<void> {
		const others = this.#kept.get().filter(({ mark }) => mark !== note.mark);
		try {
			await this.#kept.set([...others, note].slice(-MOST_NOTES));
			if (this.#unkept.get(note.mark) === note) this.#unkept.delete(note.mark);
		} catch (error) {
			this.#log.warn(`where an image came from is forgotten at the next start: ${errorText(error)}`);
		}
	}
}

/** What a file is, as far as it can be told without reading it. */
export function markOf({ ino, size, mtimeNs }: FileStamp): string {
	return `${ino} ${size} ${mtimeNs}`;
}

function linkOrigin(file: string): ImageOrigin | undefined {
	try {
		return { kind: "path", path: fs.readlinkSync(file) };
	} catch (error) {
		// EINVAL: it is no link.
		if (systemCode(error) === undefined) throw error;
		return undefined;
	}
}

/** Undefined for what cannot be believed. */
export function parseCatalogOrigin(value: unknown): CatalogOrigin | undefined {
	if (typeof value !== "object" || value === null || !("id" in value && "name" in value)) return undefined;
	const { id, name } = value;
	if (typeof id !== "string" || typeof name !== "string") return undefined;
	const bytes = "unpackedBytes" in value ? value.unpackedBytes : undefined;
	const sha256 = "unpackedSha256" in value ? value.unpackedSha256 : undefined;
	return {
		id,
		name,
		...(typeof bytes === "number" && Number.isSafeInteger(bytes) && { unpackedBytes: bytes }),
		...(typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) && { unpackedSha256: sha256 }),
	};
}
