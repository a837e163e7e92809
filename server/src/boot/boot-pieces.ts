/**
 * Pieces of boot files in memory. A crowd of Pis that is switched on together asks for the same kernel within the same
 * seconds: each piece is read from the image once, and all transfers send from the same memory.
 */
import { FileError, whenReady } from "../base/index.ts";
import type { FileTree } from "../vfs/index.ts";
import { PIECE_SIZE } from "../wire/tftp/index.ts";

/** The kernel, the initramfs and the firmware of one model fit in. */
const MOST_BYTES = 32 << 20;

/** Bytes of a buffer: what a transfer reads at once. */
const MEMORY = PIECE_SIZE;

/** Buffers that are kept while nobody fetches anything: what one Pi needs. */
const MOST_FREE_AT_REST = 4;

/** What is needed of a tree to compare its files. */
export type Described = Pick<FileTree, "getattr">;

/** Whether what a device sees is still the image's own file, which is the same for all. @throws BlockFault */
export function isOfImage(ino: number, seen: Described, image: Described): boolean {
	if (seen === image) return true;
	const current = seen.getattr(ino);
	try {
		const { size, ctime } = image.getattr(ino);
		// Whatever a device changes gets a new ctime.
		return current.size === size && current.ctime.sec === ctime.sec && current.ctime.nsec === ctime.nsec;
	} catch (error) {
		if (error instanceof FileError) return false;
		throw error;
	}
}

/** What is needed of a tree to read its files. */
export type Readable = Pick<FileTree, "read">;

/** @throws BlockFault; FileError EIO when the file has become shorter. */
export function readPiece(tree: Readable, ino: number, offset: number, target: Buffer): Buffer {
	const bytes = tree.read(ino, offset, target);
	if (bytes === 0) throw new FileError("EIO", `the file ends at ${offset}`);
	return target.subarray(0, bytes);
}

interface Piece {
	readonly key: string;
	readonly length: number;
	readonly memory: Buffer;
	readonly bytes: Promise<Buffer>;
	/** Transfers that send from it. */
	users: number;
}

/** A transfer's view of a file that all share. */
export interface SharedFile {
	read(offset: number, length: number): Promise<Buffer>;
	/** The bytes from `offset` on are no longer looked at. */
	release(offset: number): void;
	close(): void;
}

/** Keeps what was read last for as long as several transfers run; a Pi that is alone needs nothing twice. */
export class BootPieces {
	/** Those that were asked for longest ago come first. */
	readonly #pieces = new Map<string, Piece>();
	/** Memory to use again: that of fresh buffers is made, and cleared away, at the price of a collection each megabyte. */
	#free: Buffer[] = [];
	readonly #mostBytes: number;
	#heldBytes = 0;
	#transfers = 0;

	constructor(mostBytes = MOST_BYTES) {
		this.#mostBytes = mostBytes;
	}

	/** Bytes of pieces that are kept, or on their way. */
	get bytes(): number {
		return this.#heldBytes;
	}

	/**
	 * Opens a file that never changes, to be read in pieces.
	 *
	 * @param volume a name for the tree that no other tree has.
	 */
	open(volume: string, tree: Readable, ino: number): SharedFile {
		const used = new Map<number, Piece>();
		this.#transfers++;
		return {
			read: (offset, length) => {
				const key = `${volume} ${ino} ${offset} ${length}`;
				const piece = this.#piece(key, length, (memory) => whenReady(() => readPiece(tree, ino, offset, memory)));
				this.#release(used.get(offset));
				used.set(offset, piece);
				return piece.bytes;
			},
			release: (offset) => {
				this.#release(used.get(offset));
				used.delete(offset);
			},
			close: () => {
				this.#transfers--;
				for (const piece of used.values()) this.#release(piece);
				if (this.#transfers === 0) this.#rest();
			},
		};
	}

	#piece(key: string, length: number, read: (memory: Buffer) => Promise<Buffer>): Piece {
		const known = this.#pieces.get(key);
		const piece = known ?? this.#newPiece(key, length, read);
		// Said again, it is the last in the order.
		this.#pieces.delete(key);
		this.#pieces.set(key, piece);
		piece.users++;
		return piece;
	}

	#newPiece(key: string, length: number, read: (memory: Buffer) => Promise<Buffer>): Piece {
		this.#heldBytes += length;
		this.#makeRoom();
		const memory = this.#memory(length);
		const piece: Piece = { key, length, memory, bytes: read(memory.subarray(0, length)), users: 0 };
		piece.bytes.catch(() => this.#forget(piece));
		return piece;
	}

	#memory(length: number): Buffer {
		if (length > MEMORY) return Buffer.allocUnsafeSlow(length);
		return this.#free.pop() ?? Buffer.allocUnsafeSlow(MEMORY);
	}

	#makeRoom(): void {
		for (const piece of this.#pieces.values()) {
			if (this.#heldBytes <= this.#mostBytes) return;
			this.#drop(piece);
		}
	}

	#release(piece: Piece | undefined): void {
		if (piece === undefined) return;
		piece.users--;
		const isKept = this.#pieces.get(piece.key) === piece;
		if (isKept && this.#transfers < 2) this.#drop(piece);
		else if (!isKept) this.#reuse(piece);
	}

	#drop(piece: Piece): void {
		this.#forget(piece);
		this.#reuse(piece);
	}

	#forget(piece: Piece): void {
		if (this.#pieces.get(piece.key) !== piece) return;
		this.#pieces.delete(piece.key);
		this.#heldBytes -= piece.length;
	}

	/** While a piece is still being read, or sent from, its memory is not free. */
	#reuse(piece: Piece): void {
		if (piece.users > 0 || piece.memory.length !== MEMORY) return;
		const isFree = () => {
			if (this.#free.length < this.#mostFree()) this.#free.push(piece.memory);
		};
		piece.bytes.then(isFree, isFree);
	}

	#mostFree(): number {
		return this.#transfers === 0 ? MOST_FREE_AT_REST : MOST_BYTES / MEMORY;
	}

	/** Nobody fetches anything: what a crowd has left behind goes. */
	#rest(): void {
		for (const piece of this.#pieces.values()) this.#drop(piece);
		this.#free.length = Math.min(this.#free.length, MOST_FREE_AT_REST);
	}
}
