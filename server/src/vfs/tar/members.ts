/** The members of a tar, one after the other. What a format puts in front of a member is taken together with it. */
import { createHash } from "node:crypto";
import { type FileTime, MalformedError, UnsupportedError } from "../../base/index.ts";
import type { BlockSource } from "../../disk/index.ts";
import { BLOCK, isZeroBlock, parseHeader, type TarHeader } from "./header.ts";
import { extended, type PaxRecords, parsePax, paxFields } from "./pax.ts";
import { readHeaderMap, readPaxMap, type SparseFile } from "./sparse.ts";

export interface TarMember {
	readonly header: TarHeader;
	readonly mtime: FileTime;
	readonly atime: FileTime;
	readonly ctime: FileTime;
	/** Where its bytes begin. */
	readonly position: number;
	readonly sparse?: SparseFile;
}

/** Longer than any path; and than the extended attributes that a file can have. */
const LONGEST_NAME = 1 << 16;
const MOST_PAX_BYTES = 4 << 20;

/** Headers that may stand in front of one member. */
const MOST_IN_FRONT = 16;

/** Reads on where it was when a `BlockFault` came: every member is read in one step, or not at all. */
export class TarReader {
	readonly #source: BlockSource;
	readonly #hash = createHash("sha256");
	#next = 0;
	#globals: PaxRecords = [];
	/** Whether the archive has the end that the format demands. */
	hasEnd = false;

	constructor(source: BlockSource) {
		this.#source = source;
	}

	/** Names the archive by all of its headers. To be asked once, at the end. */
	identity(): string {
		return this.#hash.digest("hex").slice(0, 32);
	}

	/**
	 * The next member; undefined at the end.
	 *
	 * @throws BlockFault: call again. @throws MalformedError, UnsupportedError (`tar`).
	 */
	next(): TarMember | undefined {
		let at = this.#next;
		let globals = this.#globals;
		let records = globals;
		let longName: string | undefined;
		let longLink: string | undefined;
		for (let count = 0; count < MOST_IN_FRONT; count++) {
			if (at + BLOCK > this.#source.size) return undefined;
			const block = this.#read(at, BLOCK);
			if (isZeroBlock(block)) {
				this.hasEnd = true;
				return undefined;
			}
			const header = parseHeader(block, at);
			const data = at + BLOCK;
			const end = data + Math.ceil(header.size / BLOCK) * BLOCK;
			if (header.type === "x") records = [...records, ...parsePax(this.#content(header, data, MOST_PAX_BYTES))];
			else if (header.type === "g") {
				globals = [...globals, ...parsePax(this.#content(header, data, MOST_PAX_BYTES))].slice(-1000);
				records = globals;
			} else if (header.type === "L") longName = this.#text(header, data);
			else if (header.type === "K") longLink = this.#text(header, data);
			else if (header.type !== "V") {
				const names = {
					...(longName !== undefined && { name: longName }),
					...(longLink !== undefined && { linkName: longLink }),
				};
				const member = this.#member(block, at, { ...header, ...names }, records);
				this.#globals = globals;
				this.#hash.update(block);
				return member;
			}
			at = end;
		}
		throw new MalformedError("tar", `tar: more than ${MOST_IN_FRONT} extended headers in a row before byte ${at}`);
	}

	#member(block: Buffer, at: number, plain: TarHeader, records: PaxRecords): TarMember {
		const fields = paxFields(records);
		const header = extended(plain, fields);
		if (header.type === "M") throw new UnsupportedError("tar", "tar: a part of an archive of several volumes");
		const mtime = fields.mtime ?? { sec: header.mtime, nsec: 0 };
		const times = { mtime, atime: fields.atime ?? mtime, ctime: fields.ctime ?? mtime };
		const readAt = (position: number, length: number) => this.#read(position, length);
		const data = at + BLOCK;
		if (header.type === "S") {
			const { end, data: position, file } = readHeaderMap(block, at, header.size, readAt);
			this.#goTo(end, header);
			return { header, ...times, position, sparse: file };
		}
		// Links, devices, directories and FIFOs have none, whatever their size says.
		const hasData = !/^[1-6]$/.test(header.type);
		const sparse = hasData ? readPaxMap(records, data, header.size, readAt) : undefined;
		this.#goTo(hasData ? data + header.size : data, header);
		return { header, ...times, position: data, ...(sparse && { sparse }) };
	}

	#goTo(end: number, { name }: TarHeader): void {
		if (end > this.#source.size) {
			const where = `its end would be at byte ${end}, the archive's is at ${this.#source.size}`;
			throw new MalformedError("tar", `tar: the archive is cut off inside of ${name.slice(0, 200)}: ${where}`);
		}
		this.#next = Math.ceil(end / BLOCK) * BLOCK;
	}

	#content({ size }: TarHeader, data: number, most: number): Buffer {
		if (size > most) throw new MalformedError("tar", `tar: an extended header of ${size} bytes at byte ${data}`);
		return this.#read(data, size);
	}

	#text(header: TarHeader, data: number): string {
		return this.#content(header, data, LONGEST_NAME).toString("latin1").replace(/\0.*$/s, "");
	}

	#read(position: number, length: number): Buffer {
		if (position + length > this.#source.size)
			throw new MalformedError("tar", `tar: the archive ends before byte ${position + length}`);
		const bytes = Buffer.allocUnsafe(length);
		this.#source.read(position, bytes);
		return bytes;
	}
}
