/** A block map in typed arrays, searched by halving: for files whose runs are all known at once. */
import type { BlockMap, Run } from "./block-map.ts";
import { HOLE } from "./block-map.ts";

/** One behind the last block that a file can have. */
const END = 0x1_0000_0000;

/** Collects runs in ascending order. */
export class RunMapBuilder {
	readonly #blockSize: number;
	readonly #logical: number[] = [];
	readonly #position: number[] = [];
	readonly #count: number[] = [];

	/** @param blockSize bytes of a block. */
	constructor(blockSize: number) {
		this.#blockSize = blockSize;
	}

	/** The file's blocks from `logical` on are at byte `position` on. A run that continues the last one joins it. */
	add(logical: number, position: number, count: number): void {
		const last = this.#logical.length - 1;
		const lastCount = this.#count[last] ?? 0;
		const joins =
			this.#logical[last] === logical - lastCount && this.#position[last] === position - lastCount * this.#blockSize;
		if (last >= 0 && joins) {
			this.#count[last] = lastCount + count;
			return;
		}
		this.#logical.push(logical);
		this.#position.push(position);
		this.#count.push(count);
	}

	finish(): BlockMap {
		return new RunMap(this.#blockSize, this.#logical, this.#position, this.#count);
	}
}

class RunMap implements BlockMap {
	readonly #blockSize: number;
	readonly #logical: Float64Array;
	readonly #position: Float64Array;
	readonly #count: Float64Array;

	constructor(blockSize: number, logical: readonly number[], position: readonly number[], count: readonly number[]) {
		this.#blockSize = blockSize;
		this.#logical = Float64Array.from(logical);
		this.#position = Float64Array.from(position);
		this.#count = Float64Array.from(count);
	}

	get weight(): number {
		return 3 * this.#logical.length + 24;
	}

	find(logical: number, run: Run): void {
		const at = this.#lastAtOrBefore(logical);
		const past = at < 0 ? 0 : logical - (this.#logical[at] ?? 0);
		const count = at < 0 ? 0 : (this.#count[at] ?? 0);
		if (past < count) {
			run.position = (this.#position[at] ?? 0) + past * this.#blockSize;
			run.count = count - past;
		} else {
			run.position = HOLE;
			run.count = Math.max(1, (this.#logical[at + 1] ?? END) - logical);
		}
	}

	/** Index of the last run that begins at or before this block; -1: none. */
	#lastAtOrBefore(logical: number): number {
		let low = -1;
		let high = this.#logical.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if ((this.#logical[middle] ?? END) <= logical) low = middle;
			else high = middle - 1;
		}
		return low;
	}
}
