/**
 * The bytes of the files of a volume: blocks in the pool where something was written, the base where it shows through,
 * zeros elsewhere. The bytes of a block of the pool that lie behind the end of its file are zeros, always.
 */
import { FileError } from "../../base/index.ts";
import type { LayerDatabase } from "./database.ts";
import { BLOCK, type Pool } from "./pool.ts";
import type { LayerNode } from "./rows.ts";
import type { Volume } from "./volume.ts";

const COPY_BLOCKS = 256;

export class Content {
	readonly #volume: Volume;
	readonly #db: LayerDatabase;
	readonly #pool: Pool;

	constructor(volume: Volume, db: LayerDatabase, pool: Pool) {
		this.#volume = volume;
		this.#db = db;
		this.#pool = pool;
	}

	/** As `FileTree.read`. */
	read(node: LayerNode, offset: number, target: Uint8Array): number {
		const length = Math.max(0, Math.min(target.length, node.size - offset));
		if (length === 0) return 0;
		const first = Math.floor(offset / BLOCK);
		const count = Math.ceil((offset + length) / BLOCK) - first;
		this.#volume.runs(node.ino).forEach(first, count, (start, blocks, pool) => {
			const from = Math.max(offset, start * BLOCK);
			const to = Math.min(offset + length, (start + blocks) * BLOCK);
			const piece = target.subarray(from - offset, to - offset);
			if (pool !== undefined) this.#pool.read(pool, from - start * BLOCK, piece);
			else this.#readBelow(node, from, piece);
		});
		return length;
	}

	/** Writes bytes and makes the file longer when they reach behind its end. */
	write(node: LayerNode, offset: number, data: Uint8Array): void {
		const end = offset + data.length;
		const first = Math.floor(offset / BLOCK);
		const pieces: { start: number; count: number; pool: number | undefined }[] = [];
		this.#volume.runs(node.ino).forEach(first, Math.ceil(end / BLOCK) - first, (start, count, pool) => {
			pieces.push({ start, count, pool });
		});
		// What can fail comes first, because bytes that were overwritten do not come back when the transaction is undone.
		for (const { start, count, pool } of pieces) {
			if (pool === undefined) this.#fill(node, start, count, offset, data);
		}
		for (const { start, count, pool } of pieces) {
			if (pool !== undefined) this.#overwrite(start, count, pool, offset, data);
		}
		node.size = Math.max(node.size, end);
	}

	/** Cuts the file, or extends it with a hole. */
	truncate(node: LayerNode, size: number): void {
		if (size < node.size) this.#cut(node, size);
		node.size = size;
	}

	/** Copies everything that shows through from the base, so that the base no longer matters. */
	copyWhole(node: LayerNode): void {
		const buffer = Buffer.allocUnsafe(COPY_BLOCKS * BLOCK);
		const { through } = node;
		for (let offset = 0; offset < through; offset += buffer.length) {
			const piece = buffer.subarray(0, Math.min(buffer.length, through - offset));
			this.read(node, offset, piece);
			this.write(node, offset, piece);
		}
		node.through = 0;
		node.baseUsed = 0;
	}

	/** Gives all blocks of a file that is removed back to the pool. */
	drop(node: LayerNode): void {
		if (node.type === "file") this.#cutBlocks(node, 0);
	}

	/** Blocks that a write of these bytes would take from the pool. */
	missingBlocks(ino: number, offset: number, length: number): number {
		const first = Math.floor(offset / BLOCK);
		let missing = 0;
		this.#volume.runs(ino).forEach(first, Math.ceil((offset + length) / BLOCK) - first, (_start, count, pool) => {
			if (pool === undefined) missing += count;
		});
		return missing;
	}

	#readBelow(node: LayerNode, offset: number, target: Uint8Array): void {
		const length = Math.max(0, Math.min(target.length, node.through - offset));
		const got = length === 0 ? 0 : this.#volume.base.read(node.ino, offset, target.subarray(0, length));
		target.fill(0, got);
	}

	#overwrite(start: number, count: number, pool: number, offset: number, data: Uint8Array): void {
		const from = Math.max(offset, start * BLOCK);
		const to = Math.min(offset + data.length, (start + count) * BLOCK);
		this.#pool.write(pool, from - start * BLOCK, data.subarray(from - offset, to - offset));
	}

	/** Writes to blocks that are not in the pool yet. */
	#fill(node: LayerNode, start: number, count: number, offset: number, data: Uint8Array): void {
		let at = start;
		for (const extent of this.#pool.allocate(count)) {
			this.#writeNew(node, at, extent.start, extent.count, offset, data);
			this.#addRun(node, at, extent.start, extent.count);
			at += extent.count;
		}
	}

	/** Writes new blocks whole: what `data` leaves of the first and the last of them comes from below. */
	#writeNew(node: LayerNode, start: number, pool: number, count: number, offset: number, data: Uint8Array): void {
		const dataEnd = offset + data.length;
		for (let at = start; at < start + count; ) {
			const from = at * BLOCK;
			const isWhole = from >= offset && from + BLOCK <= dataEnd;
			const whole = isWhole ? Math.min(start + count - at, Math.floor((dataEnd - from) / BLOCK)) : 1;
			const bytes = isWhole
				? data.subarray(from - offset, from - offset + whole * BLOCK)
				: this.#mixedBlock(node, from, offset, data);
			this.#pool.write(pool + at - start, 0, bytes);
			at += whole;
		}
	}

	#mixedBlock(node: LayerNode, from: number, offset: number, data: Uint8Array): Buffer {
		const block = Buffer.allocUnsafe(BLOCK);
		this.#readBelow(node, from, block);
		const begin = Math.max(offset, from);
		const end = Math.min(offset + data.length, from + BLOCK);
		block.set(data.subarray(begin - offset, end - offset), begin - from);
		return block;
	}

	#addRun(node: LayerNode, start: number, pool: number, count: number): void {
		this.#db.putRun(this.#volume.fsid, node.ino, this.#volume.changeRuns(node.ino).add(start, pool, count));
		node.blocks += count;
	}

	#cut(node: LayerNode, size: number): void {
		const within = size % BLOCK;
		const last = (size - within) / BLOCK;
		const tail = within > 0 ? this.#headOfBlock(node.ino, last, within) : undefined;
		const keepsTail = within > 0 && tail === undefined;
		this.#cutBlocks(node, keepsTail ? last + 1 : last);
		// The cut block goes to a new place: zeros written over the old one could not be undone with the transaction.
		if (tail !== undefined) this.#fill(node, last, 1, last * BLOCK, tail);
		if (size < node.through) {
			node.through = size;
			node.baseUsed = Math.min(node.baseUsed, Math.ceil(size / BLOCK) * BLOCK);
		}
	}

	/** A block with its first `length` bytes and zeros behind them, if it is in the pool. */
	#headOfBlock(ino: number, block: number, length: number): Buffer | undefined {
		const pool = this.#volume.runs(ino).find(block);
		if (pool === undefined) return undefined;
		const bytes = Buffer.alloc(BLOCK);
		this.#pool.read(pool, 0, bytes.subarray(0, length));
		return bytes;
	}

	#cutBlocks(node: LayerNode, from: number): void {
		const { freed, shortened } = this.#volume.changeRuns(node.ino).cut(from);
		if (freed.length === 0) return;
		this.#db.deleteRuns(this.#volume.fsid, node.ino, from);
		if (shortened !== undefined) this.#db.putRun(this.#volume.fsid, node.ino, shortened);
		for (const extent of freed) node.blocks -= extent.count;
		this.#pool.free(freed);
		if (node.blocks < 0) throw new FileError("EIO", `inode ${node.ino} has more runs than blocks`);
	}
}
