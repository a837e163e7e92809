/** What the bytes of a build come from: a file, or a directory of the host. It stays what it was, or says that it did not. */
import { FileError } from "../../base/index.ts";

export interface BuildPart {
	/** False once it was changed. */
	readonly valid: boolean;
	/** @throws FileError EAGAIN when it was changed, ESTALE when it is closed. */
	enter(): void;
	/** Calls `action` once when it is changed; at once when it already is. */
	onInvalid(action: () => void): void;
	/** Looks for changes that no read has run into. */
	check(): Promise<void>;
	close(): Promise<void>;
}

/** The three states of every part, and who wants to know. */
export class PartState {
	readonly #what: string;
	readonly #actions: (() => void)[] = [];
	#state: "valid" | "changed" | "closed" = "valid";

	/** @param what the part, as the subject of a sentence. */
	constructor(what: string) {
		this.#what = what;
	}

	get valid(): boolean {
		return this.#state === "valid";
	}

	get isClosed(): boolean {
		return this.#state === "closed";
	}

	enter(): void {
		if (this.#state === "valid") return;
		throw this.#state === "closed" ? new FileError("ESTALE", "the image was closed") : this.changed();
	}

	/** The error that says so. */
	changed(): FileError {
		return new FileError("EAGAIN", `${this.#what} was changed while it was in use`);
	}

	onInvalid(action: () => void): void {
		if (this.#state === "changed") action();
		else this.#actions.push(action);
	}

	invalidate(): void {
		if (this.#state !== "valid") return;
		this.#state = "changed";
		for (const action of this.#actions.splice(0)) action();
	}

	close(): void {
		if (this.#state === "valid") this.#state = "closed";
		this.#actions.length = 0;
	}
}
