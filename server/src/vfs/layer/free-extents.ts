/** Free blocks as extents in order, neighbours joined. */
import type { Extent } from "./run-map.ts";

/** How many extents are looked at for one that is long enough. */
const FIT_SEARCH = 64;

export class FreeExtents {
	readonly #extents: { start: number; count: number }[] = [];
	#blocks = 0;

	/** Blocks in all. */
	get blocks(): number {
		return this.#blocks;
	}

	add({ start, count }: Extent): void {
		if (count === 0) return;
		this.#blocks += count;
		const index = this.#indexOf(start);
		const before = this.#extents[index - 1];
		const after = this.#extents[index];
		const joinsBefore = before !== undefined && before.start + before.count === start;
		const joinsAfter = after !== undefined && start + count === after.start;
		if (joinsBefore && joinsAfter) {
			before.count += count + after.count;
			this.#extents.splice(index, 1);
		} else if (joinsBefore) before.count += count;
		else if (joinsAfter) {
			after.start = start;
			after.count += count;
		} else this.#extents.splice(index, 0, { start, count });
	}

	/** Takes up to `count` blocks, in one piece if one of the first extents has them. Undefined when nothing is free. */
	take(count: number): Extent | undefined {
		const index = this.#extents.slice(0, FIT_SEARCH).findIndex((extent) => extent.count >= count);
		const extent = this.#extents[Math.max(0, index)];
		if (extent === undefined) return undefined;
		const taken = { start: extent.start, count: Math.min(count, extent.count) };
		extent.start += taken.count;
		extent.count -= taken.count;
		this.#blocks -= taken.count;
		if (extent.count === 0) this.#extents.splice(Math.max(0, index), 1);
		return taken;
	}

	/** Takes out the extent that ends at block `end`. */
	takeTail(end: number): Extent | undefined {
		const last = this.#extents.at(-1);
		if (last === undefined || last.start + last.count !== end) return undefined;
		this.#extents.pop();
		this.#blocks -= last.count;
		return last;
	}

	/** The index of the first extent that begins at `start` or behind it. */
	#indexOf(start: number): number {
		let low = 0;
		let high = this.#extents.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#extents[middle]?.start ?? 0) < start) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
