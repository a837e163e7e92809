/** Takes runs in rising order and passes on those that touch as one: a free stretch is not cut at the borders of groups. */
export class RunJoiner {
	readonly #pass: (start: number, end: number) => void;
	#start = 0;
	#end = 0;

	constructor(pass: (start: number, end: number) => void) {
		this.#pass = pass;
	}

	add(start: number, end: number): void {
		if (start !== this.#end) {
			this.finish();
			this.#start = start;
		}
		this.#end = end;
	}

	/** Passes on what was kept back. */
	finish(): void {
		if (this.#end > this.#start) this.#pass(this.#start, this.#end);
		this.#start = this.#end;
	}
}
