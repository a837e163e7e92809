/** Reads a file in large pieces, one ahead of what is being sent, so that no block waits for the disk. */
import { ExternalError } from "../../base/index.ts";
import type { TftpFile } from "./port.ts";

/** Bytes per read: small enough for a hundred Pis at once, large enough that reads do not count. */
export const PIECE_SIZE = 64 * 1024;

interface Piece {
	readonly index: number;
	/** Undefined until it is read. */
	bytes: Buffer | undefined;
}

/**
 * The pieces of a file around the place that is being sent: the one before (a block may begin in it), the current one and
 * the next. `onReady` is called when a piece that `copy` had asked for in vain is there.
 */
export class ReadAhead {
	readonly #file: TftpFile;
	readonly #onReady: () => void;
	readonly #onError: (error: unknown) => void;
	#pieces: Piece[] = [];

	constructor(file: TftpFile, onReady: () => void, onError: (error: unknown) => void) {
		this.#file = file;
		this.#onReady = onReady;
		this.#onError = onError;
	}

	/**
	 * Copies `length` bytes from `offset` into `target` at `at`; the range lies inside of the file and spans no more than
	 * two pieces. Going back is allowed, and costs reading again.
	 *
	 * @returns false when the bytes are still being read.
	 */
	copy(offset: number, length: number, target: Buffer, at: number): boolean {
		const first = Math.floor(offset / PIECE_SIZE);
		const last = Math.floor((offset + Math.max(length, 1) - 1) / PIECE_SIZE);
		this.#want(first, last + 1);
		if (this.#bytes(first) === undefined || this.#bytes(last) === undefined) return false;
		let done = 0;
		for (let index = first; index <= last; index++) {
			const from = offset + done - index * PIECE_SIZE;
			done += this.#bytes(index)?.copy(target, at + done, from, Math.min(from + length - done, PIECE_SIZE)) ?? 0;
		}
		return true;
	}

	#bytes(index: number): Buffer | undefined {
		return this.#pieces.find((piece) => piece.index === index)?.bytes;
	}

	/** Begins to read the pieces from `first` to `last` that are not there and drops those before. */
	#want(first: number, last: number): void {
		const known = this.#pieces;
		if (known[0]?.index === first && known.at(-1)?.index === last) return;
		this.#pieces = known.filter((piece) => piece.index >= first);
		for (const { index } of known) if (index < first) this.#file.release?.(index * PIECE_SIZE);
		for (let index = first; index <= last; index++) {
			if (!this.#pieces.some((piece) => piece.index === index)) this.#read(index);
		}
		this.#pieces.sort((a, b) => a.index - b.index);
	}

	#read(index: number): void {
		const offset = index * PIECE_SIZE;
		const length = Math.min(PIECE_SIZE, this.#file.size - offset);
		if (length <= 0) {
			this.#pieces.push({ index, bytes: Buffer.alloc(0) });
			return;
		}
		const piece: Piece = { index, bytes: undefined };
		this.#pieces.push(piece);
		void this.#load(piece, offset, length);
	}

	async #load(piece: Piece, offset: number, length: number): Promise<void> {
		try {
			this.#arrived(piece, await this.#file.read(offset, length), length);
		} catch (error) {
			this.#onError(error);
		}
	}

	#arrived(piece: Piece, bytes: Uint8Array, expected: number): void {
		if (bytes.length !== expected) {
			const place = piece.index * PIECE_SIZE;
			const message = `tftp: the file has changed: got ${bytes.length} bytes at offset ${place}, expected ${expected}`;
			throw new ExternalError("file-changed", message);
		}
		piece.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.#onReady();
	}
}
