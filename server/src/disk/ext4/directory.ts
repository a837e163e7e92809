/**
 * Directory blocks (`struct ext4_dir_entry_2`). A hashed directory (htree) keeps its index in entries that say "unused",
 * so reading all blocks in order is right for every kind of directory.
 */
import type { DirectoryEntry } from "../../base/index.ts";
import { malformed } from "./errors.ts";

/** A directory in memory. The cookie of an entry is its ordinal on the disk, from 1 on: the image never changes. */
export interface Directory {
	readonly entries: readonly DirectoryEntry[];
	readonly inoByName: ReadonlyMap<string, number>;
	/** What `..` names; undefined when there is no such entry. */
	readonly parent: number | undefined;
}

/** Keeps what a directory holds within what a machine can: a hostile one must not fill the memory. */
const MAX_ENTRIES = 4_000_000;

/** Collects entries, block after block, into a `Directory`. */
export class DirectoryBuilder {
	readonly #ino: number;
	readonly #inodesCount: number;
	readonly #entries: DirectoryEntry[] = [];
	readonly #inoByName = new Map<string, number>();
	#parent: number | undefined;

	constructor(ino: number, inodesCount: number, parent?: number) {
		this.#ino = ino;
		this.#inodesCount = inodesCount;
		this.#parent = parent;
	}

	/**
	 * Takes in the entries of bytes [from, to), which they must fill.
	 *
	 * @throws MalformedError.
	 */
	addBlock(bytes: Buffer, from: number, to: number, place: string): void {
		for (let at = from; at < to; ) {
			if (at + 8 > to) throw malformed(place, `an entry at offset ${at} has ${to - at} bytes, it needs 8`);
			const length = recordLength(bytes, at, to - from);
			const nameLength = bytes.readUInt8(at + 6);
			if (length < 8 + nameLength || length % 4 !== 0 || at + length > to) {
				throw malformed(
					place,
					`rec_len at offset ${at} is ${length}, expected a multiple of 4 from ${8 + nameLength} to ${to - at}`,
				);
			}
			const ino = bytes.readUInt32LE(at);
			if (ino !== 0) this.#add(ino, bytes.toString("latin1", at + 8, at + 8 + nameLength), place);
			at += length;
		}
	}

	#add(ino: number, name: string, place: string): void {
		if (ino > this.#inodesCount) {
			throw malformed(place, `${JSON.stringify(name)} names inode ${ino}, there are ${this.#inodesCount}`);
		}
		if (name === ".") return;
		if (name === "..") {
			this.#parent ??= ino;
			return;
		}
		if (name === "" || name.includes("/") || name.includes("\0")) {
			throw malformed(place, `${JSON.stringify(name)} cannot be a file's name`);
		}
		if (this.#inoByName.has(name)) throw malformed(place, `${JSON.stringify(name)} is there twice`);
		if (this.#entries.length === MAX_ENTRIES) {
			throw malformed(place, `inode ${this.#ino} has more than ${MAX_ENTRIES} entries`);
		}
		this.#inoByName.set(name, ino);
		this.#entries.push({ name, ino, cookie: this.#entries.length + 1 });
	}

	finish(): Directory {
		return { entries: this.#entries, inoByName: this.#inoByName, parent: this.#parent };
	}
}

/** With 64k blocks a length of 65,536 does not fit its 16 bits: it is written as 65,535 or 0. */
function recordLength(bytes: Buffer, at: number, blockSize: number): number {
	const length = bytes.readUInt16LE(at + 4);
	if (blockSize < 65_536) return length;
	return length === 65_535 || length === 0 ? blockSize : (length & 65_532) | ((length & 3) << 16);
}
