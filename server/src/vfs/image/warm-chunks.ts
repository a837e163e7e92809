/**
 * Which chunks of a file are likely in the page cache, because they were read lately. Bounded by a count and by an age:
 * what was read longer ago may have been pushed out since, and reading it could wait for a slow disk.
 */
export class WarmChunks {
	readonly #limit: number;
	readonly #milliseconds: number;
	readonly #chunks = new Map<number, { at: number; again: boolean }>();

	/**
	 * @param limit chunks to remember at most.
	 * @param milliseconds after which an untouched chunk counts as cold.
	 */
	constructor(limit: number, milliseconds: number) {
		this.#limit = limit;
		this.#milliseconds = milliseconds;
	}

	/** Whether the chunk is warm; if so, it stays warm from now on. */
	touch(chunk: number, now: number): boolean {
		const entry = this.#chunks.get(chunk);
		if (entry === undefined) return false;
		if (now - entry.at > this.#milliseconds) {
			this.#chunks.delete(chunk);
			return false;
		}
		entry.at = now;
		entry.again = true;
		return true;
	}

	/** Whether the chunk is warm, without touching it. */
	has(chunk: number, now: number): boolean {
		const entry = this.#chunks.get(chunk);
		return entry !== undefined && now - entry.at <= this.#milliseconds;
	}

	add(chunk: number, now: number): void {
		if (!this.#chunks.has(chunk) && this.#chunks.size >= this.#limit) this.#evict();
		this.#chunks.set(chunk, { at: now, again: false });
	}

	/** Second chance: what was touched since it was last looked at goes to the end of the queue, once. */
	#evict(): void {
		for (const [chunk, entry] of this.#chunks) {
			this.#chunks.delete(chunk);
			if (!entry.again) return;
			entry.again = false;
			this.#chunks.set(chunk, entry);
		}
	}
}
