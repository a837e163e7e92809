/** Counts of what happened since the start, for figures that others draw curves of. */

export type TallyLabels = Readonly<Record<string, string>>;

export interface TallySample {
	readonly labels: TallyLabels;
	readonly value: number;
}

/** One count, told apart by labels whose values are few: never names or addresses from outside. */
export class Tally {
	readonly #samples = new Map<string, { readonly labels: TallyLabels; value: number }>();

	add(labels: TallyLabels = {}, amount = 1): void {
		this.of(labels).value += amount;
	}

	/** The one with these labels, for those who count by the ten thousand in a second. */
	of(labels: TallyLabels): { value: number } {
		const key = Object.values(labels).join("\0");
		const sample = this.#samples.get(key) ?? { labels, value: 0 };
		this.#samples.set(key, sample);
		return sample;
	}

	list(): readonly TallySample[] {
		return [...this.#samples.values()];
	}
}
