/**
 * A bounded cache that costs one `Map.get` for what is in use: what was not asked for since half of the bound went by is
 * dropped. (Two generations: a hit in the older one moves to the younger; when the younger is full it becomes the older.)
 */
export class GenerationCache<K, V> {
	readonly #bound: number;
	#young = new Map<K, V>();
	#old = new Map<K, V>();
	#youngCost = 0;
	readonly #cost: (value: V) => number;

	/**
	 * @param bound the sum of the costs that is kept; one value may be larger.
	 * @param cost what a value counts, 1 unless told.
	 */
	constructor(bound: number, cost: (value: V) => number = () => 1) {
		this.#bound = bound / 2;
		this.#cost = cost;
	}

	get(key: K): V | undefined {
		const value = this.#young.get(key);
		return value === undefined ? this.#revive(key) : value;
	}

	#revive(key: K): V | undefined {
		const value = this.#old.get(key);
		if (value !== undefined) {
			this.#old.delete(key);
			this.set(key, value);
		}
		return value;
	}

	set(key: K, value: V): void {
		if (this.#youngCost >= this.#bound) {
			this.#old = this.#young;
			this.#young = new Map();
			this.#youngCost = 0;
		}
		this.#young.set(key, value);
		this.#youngCost += this.#cost(value);
	}
}
