import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ExternalError, errorText, systemCode } from "../../base/index.ts";
import type { BlockSource } from "./source.ts";
import { checkRange } from "./source.ts";

function external(what: string, error: unknown): ExternalError {
	return new ExternalError(systemCode(error) ?? "io", `${what}: ${errorText(error)}`, { cause: error });
}

/** A plain file, read when asked; it blocks while the disk works, so it is for tests and tools. */
export class FileSource implements BlockSource {
	readonly size: number;
	readonly #path: string;
	#descriptor: number | undefined;

	/** @throws ExternalError when the file cannot be opened. */
	static open(path: string): FileSource {
		try {
			return new FileSource(path, openSync(path, "r"));
		} catch (error) {
			throw external(`cannot open ${path}`, error);
		}
	}

	private constructor(path: string, descriptor: number) {
		this.#path = path;
		this.#descriptor = descriptor;
		this.size = fstatSync(descriptor).size;
	}

	read(offset: number, target: Uint8Array): void {
		checkRange(offset, target.length, this.size);
		const descriptor = this.#descriptor;
		if (descriptor === undefined) throw new ExternalError("closed", `${this.#path} is closed`);
		for (let done = 0; done < target.length; ) {
			const count = this.#readSome(descriptor, target, done, offset + done);
			if (count === 0)
				throw new ExternalError("io", `${this.#path} became shorter: no bytes at offset ${offset + done}`);
			done += count;
		}
	}

	#readSome(descriptor: number, target: Uint8Array, done: number, position: number): number {
		try {
			return readSync(descriptor, target, done, target.length - done, position);
		} catch (error) {
			throw external(`cannot read ${this.#path} at offset ${position}`, error);
		}
	}

	/** Safe to call twice. */
	close(): void {
		if (this.#descriptor === undefined) return;
		closeSync(this.#descriptor);
		this.#descriptor = undefined;
	}
}
