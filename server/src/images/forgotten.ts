/** Files of the folder that a person does not want to see as images any more. One that changes is a new file. */
import type { FoundFile } from "./found.ts";

/** Where the marks are kept. */
export interface ForgottenMarks {
	get(): readonly string[];
	/** Durable when it resolves. */
	set(marks: readonly string[]): Promise<void>;
}

/** Marks that are gone with the process. */
export class MemoryMarks implements ForgottenMarks {
	#marks: readonly string[] = [];

	get(): readonly string[] {
		return this.#marks;
	}

	async set(marks: readonly string[]): Promise<void> {
		this.#marks = marks;
	}
}

/** See the head of this file. */
export class ForgottenFiles {
	readonly #kept: ForgottenMarks;

	constructor(kept: ForgottenMarks) {
		this.#kept = kept;
	}

	/** Those that are not forgotten. Marks of files that have gone are dropped: a file that comes back is wanted again. */
	async without(found: readonly FoundFile[]): Promise<FoundFile[]> {
		const marks = this.#kept.get();
		if (marks.length === 0) return [...found];
		const forgotten = new Set(marks);
		const present = new Set(found.map(markOf));
		const left = marks.filter((mark) => present.has(mark));
		if (left.length < marks.length) await this.#kept.set(left);
		return found.filter((file) => !forgotten.has(markOf(file)));
	}

	async forget(file: FoundFile): Promise<void> {
		await this.#kept.set([...new Set([...this.#kept.get(), markOf(file)])]);
	}

	/** A file at this place is wanted again. False when it was not forgotten. */
	async recall(path: string): Promise<boolean> {
		const marks = this.#kept.get();
		const left = marks.filter((mark) => pathOf(mark) !== path);
		if (left.length < marks.length) await this.#kept.set(left);
		return left.length < marks.length;
	}
}

function markOf({ place, stamp }: FoundFile): string {
	return `${stamp.ino} ${stamp.size} ${stamp.mtimeNs} ${place}`;
}

function pathOf(mark: string): string {
	return mark.split(" ").slice(3).join(" ");
}
