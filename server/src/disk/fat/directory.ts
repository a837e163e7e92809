/** Directory entries: 32 bytes each, long names in entries of their own before the 8.3 one. */
import type { DirectoryEntry } from "../../base/index.ts";
import { nameFromUtf8 } from "../../base/index.ts";
import { malformed } from "./boot-sector.ts";
import { LongName } from "./long-name.ts";
import { foldName, isUsableName, shortName, volumeLabel } from "./names.ts";

export const ENTRY_SIZE = 32;
/** DIR_Attr. */
export const ATTR = { READ_ONLY: 0x01, VOLUME_ID: 0x08, DIRECTORY: 0x10, LONG_NAME: 0x0f } as const;

const LONG_NAME_MASK = 0x3f;
const DELETED = 0xe5;
const END = 0x00;
const MAX_NAME = 255;
const DOT = ".          ";
const DOT_DOT = "..         ";

export interface FatDirectory {
	/** In the order of the disk; a cookie is the ordinal of an entry, from 1 on. */
	readonly entries: readonly DirectoryEntry[];
	/** By folded name: the long and the 8.3 name of each. */
	readonly inoByName: ReadonlyMap<string, number>;
	/** The directories in it, by first cluster. */
	readonly subdirectories: ReadonlyMap<number, number>;
	/** The first cluster of what `..` names, 0 for the root; undefined when there is no such entry. */
	readonly parentCluster: number | undefined;
	/** The volume label, when this directory holds one. */
	readonly label: string | undefined;
	/** Bytes that the directory takes. */
	readonly size: number;
}

/** The first cluster of a directory entry. DIR_FstClusHI means something else on FAT12 and FAT16. */
export function firstCluster(entry: Buffer, is32: boolean): number {
	return entry.readUInt16LE(26) + (is32 ? entry.readUInt16LE(20) * 0x1_0000 : 0);
}

/** Takes in the pieces of a directory in order. */
export class FatDirectoryBuilder {
	readonly #place: string;
	readonly #is32: boolean;
	readonly #longName = new LongName();
	readonly #entries: DirectoryEntry[] = [];
	readonly #byLongName = new Map<string, number>();
	readonly #byShortName = new Map<string, number>();
	readonly #subdirectories = new Map<number, number>();
	#parentCluster: number | undefined;
	#label: string | undefined;
	#size = 0;
	#ended = false;

	constructor(place: string, is32: boolean) {
		this.#place = place;
		this.#is32 = is32;
	}

	/** @param position byte of the file system where these entries are: it gives them their inode numbers. */
	add(bytes: Buffer, position: number): void {
		this.#size += bytes.length;
		for (let at = 0; at + ENTRY_SIZE <= bytes.length && !this.#ended; at += ENTRY_SIZE) {
			this.#entry(bytes.subarray(at, at + ENTRY_SIZE), (position + at) / ENTRY_SIZE);
		}
	}

	#entry(entry: Buffer, ino: number): void {
		const first = entry.readUInt8(0);
		const attributes = entry.readUInt8(11);
		if (first === END) {
			this.#ended = true;
		} else if (first === DELETED) {
			this.#longName.reset();
		} else if ((attributes & LONG_NAME_MASK) === ATTR.LONG_NAME) {
			this.#longName.add(entry);
		} else if (attributes & ATTR.VOLUME_ID) {
			this.#longName.reset();
			this.#label ??= volumeLabel(entry);
		} else {
			this.#file(entry, attributes, ino);
		}
	}

	#file(entry: Buffer, attributes: number, ino: number): void {
		const raw = entry.toString("latin1", 0, 11);
		const long = this.#longName.take(entry);
		if (raw === DOT) return;
		if (raw === DOT_DOT) {
			this.#parentCluster ??= firstCluster(entry, this.#is32);
			return;
		}
		const short = shortName(entry);
		const name = long !== undefined && isUsable(long) ? long : short;
		if (!isUsable(name)) throw malformed(this.#place, `${JSON.stringify(name)} cannot be a file's name`);
		this.#keep(nameFromUtf8(name), nameFromUtf8(short), ino);
		if (attributes & ATTR.DIRECTORY) this.#subdirectories.set(firstCluster(entry, this.#is32), ino);
	}

	#keep(name: string, short: string, ino: number): void {
		const folded = foldName(name);
		if (this.#byLongName.has(folded)) throw malformed(this.#place, `${JSON.stringify(name)} is there twice`);
		this.#byLongName.set(folded, ino);
		const foldedShort = foldName(short);
		if (!this.#byShortName.has(foldedShort)) this.#byShortName.set(foldedShort, ino);
		this.#entries.push({ name, ino, cookie: this.#entries.length + 1 });
	}

	finish(): FatDirectory {
		return {
			entries: this.#entries,
			// A name that one file is called by goes before the short name that another one has on the side.
			inoByName: new Map([...this.#byShortName, ...this.#byLongName]),
			subdirectories: this.#subdirectories,
			parentCluster: this.#parentCluster,
			label: this.#label,
			size: this.#size,
		};
	}
}

function isUsable(text: string): boolean {
	return isUsableName(text) && Buffer.byteLength(text) <= MAX_NAME;
}
