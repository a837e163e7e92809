/**
 * A cache that forgets what was not used lately. Two generations: what is asked for lives in the young one; when that is
 * full it becomes the old one, and what was in the old one is gone. A hit costs one look into a Map and no list keeping.
 */
export class BoundedCache<V> {
	readonly #limit: number;
	readonly #weigh: (value: V) => number;
	#young = new Map<number, V>();
	#old = new Map<number, V>();
	#weight = 0;

	/** @param limit the weight of one generation; at most twice that is kept, and always the latest value. */
	constructor(limit: number, weigh: (value: V) => number = () => 1) {
		this.#limit = limit;
		this.#weigh = weigh;
	}

	get(key: number): V | undefined {
		const young = this.#young.get(key);
		if (young !== undefined) return young;
		const old = this.#old.get(key);
		if (old !== undefined) this.set(key, old);
		return old;
	}

	set(key: number, value: V): void {
		if (this.#weight >= this.#limit) {
			this.#old = this.#young;
			this.#young = new Map();
			this.#weight = 0;
		}
		this.#young.set(key, value);
		this.#weight += this.#weigh(value);
	}

	/** A value that is in the cache became heavier. */
	grew(by: number): void {
		this.#weight += by;
	}

	delete(key: number): void {
		this.#young.delete(key);
		this.#old.delete(key);
	}
}
