/** What was said last of each of those who come again and again, so that they do not fill the log. */

/** Of more than these it is forgotten, and said once more. */
const KEPT = 1000;

export class Said {
	readonly #last = new Map<string, string>();

	/** Whether this is something else than what was said last of `whom`. */
	isNew(whom: string, sentence: string): boolean {
		if (this.#last.get(whom) === sentence) return false;
		if (this.#last.size >= KEPT) this.#last.clear();
		this.#last.set(whom, sentence);
		return true;
	}
}
