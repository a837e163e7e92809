/**
 * The maps of sparse files: which bytes of the file the archive holds. GNU tar has had four ways to write them: in the header
 * (typeflag `S`), as records of pax (0.0 and 0.1), and in front of the data (1.0).
 */
import { MalformedError } from "../../base/index.ts";
import { BLOCK, numberField } from "./header.ts";
import { type PaxRecords, wholeNumber } from "./pax.ts";

/** A run of a file's bytes, and where in the archive it is. */
export interface SparseRun {
	readonly offset: number;
	readonly length: number;
	readonly position: number;
}

export interface SparseFile {
	readonly size: number;
	/** Ascending, without overlaps; what is between them is zeros. */
	readonly runs: readonly SparseRun[];
}

/** Reads the archive's bytes; they may not be there yet. */
export type ReadAt = (position: number, length: number) => Buffer;

/** More than any file on a Pi's card has. */
const MOST_RUNS = 1 << 20;

const LONGEST_NUMBER = 20;

/** A header of type `S`: four runs at 386, the size at 483; where 482 says so, 21 more in each block that follows. */
export function readHeaderMap(header: Buffer, at: number, packedSize: number, readAt: ReadAt) {
	const pairs: number[] = [];
	let isExtended = collect(header, 386, 4, at, pairs) && header[482] !== 0;
	let next = at + BLOCK;
	while (isExtended) {
		const block = readAt(next, BLOCK);
		isExtended = collect(block, 0, 21, next, pairs) && block[504] !== 0;
		next += BLOCK;
	}
	const size = numberField(header.subarray(483, 495), at + 483);
	return { data: next, end: next + packedSize, file: checkedMap(pairs, size, next, packedSize) };
}

/** Appends the pairs of a block; false when there is an empty one, which ends them. */
function collect(block: Buffer, from: number, count: number, at: number, pairs: number[]): boolean {
	for (let pair = from; pair < from + count * 24; pair += 24) {
		if (block[pair] === 0) return false;
		for (const field of [pair, pair + 12]) pairs.push(numberField(block.subarray(field, field + 12), at + field));
		checkCount(pairs.length / 2);
	}
	return true;
}

/** What pax records say of a sparse member whose data is at `data`; undefined when it is none. */
export function readPaxMap(
	records: PaxRecords,
	data: number,
	packedSize: number,
	readAt: ReadAt,
): SparseFile | undefined {
	const last = new Map(records);
	const size = wholeNumber("GNU.sparse.realsize", last.get("GNU.sparse.realsize") ?? last.get("GNU.sparse.size"));
	if (size === undefined) return undefined;
	if (last.get("GNU.sparse.major") === "1") return mapInData(size, data, packedSize, readAt);
	const list = last.get("GNU.sparse.map")?.split(",");
	const texts =
		list ?? records.filter(([key]) => /^GNU\.sparse\.(offset|numbytes)$/.test(key)).map(([, value]) => value);
	const pairs = texts.filter((value) => value !== "").map((value) => wholeNumber("GNU.sparse.map", value));
	checkCount(pairs.length / 2);
	return checkedMap(pairs, size, data, packedSize);
}

/** 1.0: decimal numbers, a line each, the first of which says how many pairs follow; padded to a whole block. */
function mapInData(size: number, data: number, packedSize: number, readAt: ReadAt): SparseFile {
	const lines = new Lines(data, data + packedSize, readAt);
	const count = lines.next();
	checkCount(count);
	const pairs = Array.from({ length: 2 * count }, () => lines.next());
	const mapBytes = Math.ceil((lines.position - data) / BLOCK) * BLOCK;
	return checkedMap(pairs, size, data + mapBytes, packedSize - mapBytes);
}

/** Numbers, a line each, from a place in the archive on. */
class Lines {
	position: number;
	readonly #end: number;
	readonly #readAt: ReadAt;
	#block: Buffer = Buffer.alloc(0);
	#blockAt = 0;

	constructor(position: number, end: number, readAt: ReadAt) {
		this.position = position;
		this.#end = end;
		this.#readAt = readAt;
	}

	next(): number {
		let text = "";
		for (let byte = this.#byte(); byte !== "\n"; byte = this.#byte()) {
			text += byte;
			if (text.length > LONGEST_NUMBER) break;
		}
		return wholeNumber("the map of a sparse file", text);
	}

	#byte(): string {
		if (this.position >= this.#end) throw new MalformedError("tar", "tar: the map of a sparse file is cut off");
		if (this.position >= this.#blockAt + this.#block.length) {
			this.#block = this.#readAt(this.position, Math.min(BLOCK, this.#end - this.position));
			this.#blockAt = this.position;
		}
		const at = this.position++ - this.#blockAt;
		return this.#block.toString("latin1", at, at + 1);
	}
}

function checkCount(count: number): void {
	if (count > MOST_RUNS) throw new MalformedError("tar", `tar: a sparse file of ${count} pieces, at most ${MOST_RUNS}`);
}

/** Pairs of offset and length, as runs over the bytes from `data` on. */
function checkedMap(pairs: readonly number[], size: number, data: number, packedSize: number): SparseFile {
	const runs: SparseRun[] = [];
	let end = 0;
	let used = 0;
	for (let at = 0; at + 1 < pairs.length; at += 2) {
		const offset = pairs[at] ?? 0;
		const length = pairs[at + 1] ?? 0;
		if (offset < end || length < 0 || offset + length > size || used + length > packedSize) {
			throw new MalformedError("tar", `tar: the map of a sparse file has ${length} bytes at ${offset} of ${size}`);
		}
		if (length > 0) runs.push({ offset, length, position: data + used });
		end = offset + length;
		used += length;
	}
	return { size, runs };
}
