/**
 * The pool: one file of 4 KiB blocks that holds what the files of a layer were written with. Which blocks are free is not
 * stored: it is what no run names. So blocks that a transaction took and never committed are free again after a crash.
 *
 * Blocks that a transaction freed may be used again only when the rows that freed them are on the disk; until then a power
 * cut brings the old rows back, and they would show another file's bytes.
 */
import {
	closeSync,
	fdatasync,
	fdatasyncSync,
	constants as flags,
	fstatSync,
	ftruncateSync,
	openSync,
	readSync,
	writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { FileError, MalformedError } from "../../base/index.ts";
import { FreeExtents } from "./free-extents.ts";
import type { Run } from "./rows.ts";
import type { Extent } from "./run-map.ts";
import { fileErrorFrom } from "./system-errors.ts";

/** Bytes per block. */
export const BLOCK = 4096;

/** The pool's end is given back to the host when so many blocks are free there. */
const SHRINK_BLOCKS = 1024;

const sync = promisify(fdatasync);

export class Pool {
	readonly #fd: number;
	#quotaBlocks: number;
	readonly #free = new FreeExtents();
	/** Freed by committed transactions, since the last sync began. */
	#pending: Extent[] = [];
	/** By the transaction that runs. */
	#allocated: Extent[] = [];
	#freed: Extent[] = [];
	/** The first block that was never used. */
	#end = 0;
	#used = 0;
	/** Something was written since the last sync began. */
	#dirty = true;
	#tookUsedBlocks = false;
	/** Counts what changed, so that one can tell whether something did. */
	changes = 0;

	private constructor(fd: number, quotaBytes: number) {
		this.#fd = fd;
		this.#quotaBlocks = Math.floor(quotaBytes / BLOCK);
	}

	/**
	 * @param runs all that is in use, in the order of the pool.
	 * @throws MalformedError when two runs overlap.
	 */
	static open(path: string, runs: Iterable<Run>, quotaBytes: number): Pool {
		const pool = new Pool(openSync(path, flags.O_RDWR | flags.O_CREAT, 0o600), quotaBytes);
		try {
			pool.#load(runs);
		} catch (error) {
			closeSync(pool.#fd);
			throw error;
		}
		return pool;
	}

	/** Since the last sync began, blocks were taken that had been another file's. */
	get tookUsedBlocks(): boolean {
		return this.#tookUsedBlocks;
	}

	set quotaBytes(bytes: number) {
		this.#quotaBlocks = Math.floor(bytes / BLOCK);
	}

	get usedBlocks(): number {
		return this.#used;
	}

	/** Blocks that can be used without growing the file. */
	get freeBlocks(): number {
		return this.#free.blocks;
	}

	/** Fills `target` from a byte offset in a block on. @throws FileError EIO. */
	read(block: number, within: number, target: Uint8Array): void {
		const position = block * BLOCK + within;
		for (let done = 0; done < target.length; ) {
			const count = this.#io(() => readSync(this.#fd, target, done, target.length - done, position + done));
			if (count === 0) throw new FileError("EIO", `the pool ends before byte ${position + target.length}`);
			done += count;
		}
	}

	/** @throws FileError ENOSPC, EDQUOT, EIO. */
	write(block: number, within: number, data: Uint8Array): void {
		const position = block * BLOCK + within;
		this.#dirty = true;
		this.changes++;
		for (let done = 0; done < data.length; ) {
			done += this.#io(() => writeSync(this.#fd, data, done, data.length - done, position + done));
		}
	}

	/**
	 * Takes blocks; each must be written whole before the transaction ends.
	 *
	 * @throws FileError EDQUOT when the layer may not have so many.
	 */
	allocate(count: number): Extent[] {
		if (this.#used + count > this.#quotaBlocks) {
			throw new FileError(
				"EDQUOT",
				`${this.#used} blocks used, ${count} more exceed the quota of ${this.#quotaBlocks}`,
			);
		}
		const extents: Extent[] = [];
		for (let left = count; left > 0; ) {
			const used = this.#free.take(left);
			if (used !== undefined) this.#tookUsedBlocks = true;
			const extent = used ?? this.#grow(left);
			extents.push(extent);
			left -= extent.count;
		}
		this.#allocated.push(...extents);
		this.#used += count;
		this.changes++;
		return extents;
	}

	free(extents: readonly Extent[]): void {
		for (const extent of extents) {
			this.#freed.push(extent);
			this.#used -= extent.count;
		}
		this.changes++;
	}

	/** The transaction took effect. */
	committed(): void {
		for (const extent of this.#freed) this.#pending.push(extent);
		this.#freed = [];
		this.#allocated = [];
	}

	/** The transaction did not happen: what it took was never anybody's. */
	rolledBack(): void {
		for (const extent of this.#allocated) {
			this.#free.add(extent);
			this.#used -= extent.count;
		}
		for (const extent of this.#freed) this.#used += extent.count;
		this.#freed = [];
		this.#allocated = [];
	}

	/**
	 * Brings what was written to the disk. What was freed before may be used again once the rows are there too: call what
	 * this gives when they are.
	 */
	async sync(): Promise<() => void> {
		const pending = this.#pending;
		this.#pending = [];
		if (this.#dirty) {
			const tookUsedBlocks = this.#tookUsedBlocks;
			this.#dirty = false;
			this.#tookUsedBlocks = false;
			await sync(this.#fd).catch((error: unknown) => {
				this.#dirty = true;
				this.#tookUsedBlocks ||= tookUsedBlocks;
				this.#pending = pending.concat(this.#pending);
				throw fileErrorFrom(error);
			});
		}
		return () => {
			for (const extent of pending) this.#free.add(extent);
			this.#shrink();
		};
	}

	syncNow(): void {
		fdatasyncSync(this.#fd);
	}

	close(): void {
		closeSync(this.#fd);
	}

	#load(runs: Iterable<Run>): void {
		for (const { pool, count } of runs) {
			if (pool < this.#end) throw new MalformedError("layer", `layer: two runs name block ${pool} of the pool`);
			if (pool > this.#end) this.#pending.push({ start: this.#end, count: pool - this.#end });
			this.#end = pool + count;
			this.#used += count;
		}
		const blocks = Math.ceil(fstatSync(this.#fd).size / BLOCK);
		// A power cut can leave rows of writes that nobody committed, without their blocks: they read as zeros.
		if (blocks < this.#end) ftruncateSync(this.#fd, this.#end * BLOCK);
		if (blocks > this.#end) this.#pending.push({ start: this.#end, count: blocks - this.#end });
		this.#end = Math.max(this.#end, blocks);
	}

	#grow(count: number): Extent {
		const start = this.#end;
		this.#end += count;
		return { start, count };
	}

	#shrink(): void {
		const tail = this.#free.takeTail(this.#end);
		if (tail === undefined) return;
		if (tail.count < SHRINK_BLOCKS) this.#free.add(tail);
		else {
			ftruncateSync(this.#fd, tail.start * BLOCK);
			this.#end = tail.start;
		}
	}

	#io(operation: () => number): number {
		try {
			return operation();
		} catch (error) {
			throw fileErrorFrom(error);
		}
	}
}
