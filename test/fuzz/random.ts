/** A generator of numbers that gives the same ones for the same seed, everywhere: whatever a fuzzer finds can be found again. */
export class Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** Any 32 bits (mulberry32). */
	u32(): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let mixed = this.#state;
		mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return (mixed ^ (mixed >>> 14)) >>> 0;
	}

	/** 0 to `bound` - 1; 0 where there is no other. */
	below(bound: number): number {
		return bound <= 1 ? 0 : Math.floor((this.u32() / 0x1_0000_0000) * bound);
	}

	/** True once in `times`. */
	oneIn(times: number): boolean {
		return this.below(times) === 0;
	}

	/** @throws RangeError when there is nothing to choose from. */
	pick<T>(list: readonly T[]): T {
		const value = list[this.below(list.length)];
		if (value === undefined) throw new RangeError("nothing to choose from");
		return value;
	}

	bytes(count: number): Buffer {
		return Buffer.from(Array.from({ length: count }, () => this.below(256)));
	}
}
