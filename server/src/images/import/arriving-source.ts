/**
 * An image that is still being unpacked, as a disk: what has arrived is read, what has not is a `BlockFault` that ends when it has.
 * Blocks arrive in order, so the boot files at the front can be served while the rest is on its way.
 */
import fs from "node:fs";
import { BlockFault, ClosedError, ExternalError, errorText, MalformedError } from "../../base/index.ts";
import type { BlockSource } from "../../disk/index.ts";

interface Waiting {
	/** Bytes that must have arrived. */
	readonly need: number;
	readonly resolve: () => void;
}

export class ArrivingSource implements BlockSource {
	readonly size: number;
	readonly #fd: number;
	#arrived = 0;
	#failure: Error | undefined;
	#waiting: Waiting[] = [];

	/**
	 * @param path of the file that grows; it may be renamed meanwhile.
	 * @param size bytes that it will have, as the format of the packed file tells. @throws the operating system's error.
	 */
	constructor(path: string, size: number) {
		this.#fd = fs.openSync(path, "r");
		this.size = size;
	}

	/** All bytes before this one are there. */
	advance(bytes: number): void {
		this.#arrived = Math.max(this.#arrived, Math.min(bytes, this.size));
		const isMet = ({ need }: Waiting) => need <= this.#arrived;
		const met = this.#waiting.filter(isMet);
		this.#waiting = this.#waiting.filter((each) => !isMet(each));
		for (const { resolve } of met) resolve();
	}

	/** Nothing more will come: who waits for it, and who asks for it from now on, is told why. */
	fail(cause: unknown): void {
		this.#failure ??= new ExternalError("EIO", errorText(cause), { cause });
		for (const { resolve } of this.#waiting.splice(0)) resolve();
	}

	close(): void {
		this.#failure = new ClosedError("the image is closed");
		this.#arrived = 0;
		for (const { resolve } of this.#waiting.splice(0)) resolve();
		fs.closeSync(this.#fd);
	}

	/** @throws BlockFault; MalformedError (`image`) for a range outside; ExternalError when what is asked for will not come. */
	read(offset: number, target: Uint8Array): void {
		const end = offset + target.length;
		if (!Number.isSafeInteger(offset) || offset < 0 || end > this.size) {
			throw new MalformedError(
				"image",
				`image: ${target.length} bytes at offset ${offset} are not inside its ${this.size} bytes`,
			);
		}
		if (end > this.#arrived) this.#waitFor(end);
		for (let done = 0; done < target.length; ) {
			const bytes = fs.readSync(this.#fd, target, done, target.length - done, offset + done);
			// A hole at the end is not in the file yet: it gets its size last.
			if (bytes === 0) target.fill(0, done);
			done += bytes === 0 ? target.length - done : bytes;
		}
	}

	#waitFor(need: number): never {
		if (this.#failure !== undefined) throw this.#failure;
		throw new BlockFault(new Promise<void>((resolve) => this.#waiting.push({ need, resolve })));
	}
}
