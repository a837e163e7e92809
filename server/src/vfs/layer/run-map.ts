/** Which blocks of a file lie where in the pool: runs in the order of the file, that do not overlap. */
import type { Run } from "./rows.ts";

/** Blocks of the pool, or of a file. */
export interface Extent {
	readonly start: number;
	readonly count: number;
}

export class RunMap {
	readonly #runs: Run[];

	constructor(runs: Iterable<Run> = []) {
		this.#runs = [...runs];
	}

	get length(): number {
		return this.#runs.length;
	}

	/** The block of the pool that holds this block of the file. */
	find(block: number): number | undefined {
		const run = this.#runs[this.#indexBehind(block)];
		return run === undefined || run.start > block ? undefined : run.pool + block - run.start;
	}

	/**
	 * Gives the pieces that blocks `first` to `first + count` fall into, in order: the block of the pool where a piece
	 * lies, or undefined for one that is not in the pool.
	 */
	forEach(first: number, count: number, piece: (start: number, count: number, pool: number | undefined) => void): void {
		const end = first + count;
		let at = first;
		for (let index = this.#indexBehind(first); at < end; index++) {
			const run = this.#runs[index];
			const start = run === undefined ? end : Math.min(run.start, end);
			if (start > at) piece(at, start - at, undefined);
			if (run === undefined || run.start >= end) return;
			at = Math.max(at, run.start);
			const stop = Math.min(run.start + run.count, end);
			piece(at, stop - at, run.pool + at - run.start);
			at = stop;
		}
	}

	/**
	 * Adds blocks that were not in the pool so far, to the run before them where they continue it.
	 *
	 * @returns the run that is new or longer.
	 */
	add(start: number, pool: number, count: number): Run {
		const index = this.#indexBehind(start);
		const before = this.#runs[index - 1];
		if (before !== undefined && before.start + before.count === start && before.pool + before.count === pool) {
			before.count += count;
			return before;
		}
		const run = { start, pool, count };
		this.#runs.splice(index, 0, run);
		return run;
	}

	/**
	 * Takes out all blocks from `from` on.
	 *
	 * @returns the extents of the pool that are no longer used, and the run that became shorter.
	 */
	cut(from: number): { freed: Extent[]; shortened: Run | undefined } {
		const index = this.#indexBehind(from);
		const run = this.#runs[index];
		const freed: Extent[] = [];
		let shortened: Run | undefined;
		if (run !== undefined && run.start < from) {
			const keep = from - run.start;
			freed.push({ start: run.pool + keep, count: run.count - keep });
			run.count = keep;
			shortened = run;
		}
		for (const gone of this.#runs.splice(shortened === undefined ? index : index + 1)) {
			freed.push({ start: gone.pool, count: gone.count });
		}
		return { freed, shortened };
	}

	/** The index of the first run that ends behind `block`. */
	#indexBehind(block: number): number {
		let low = 0;
		let high = this.#runs.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const run = this.#runs[middle];
			if (run !== undefined && run.start + run.count <= block) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
