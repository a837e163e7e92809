/**
 * Pieces of boot files in memory. A crowd of Pis that is switched on together asks for the same kernel within the same
 * seconds: each piece is read from the image once, and all transfers send from the same memory.
 */
import { FileError, whenReady } from "../base/index.ts";
import type { FileTree } from "../vfs/index.ts";

/** The kernel, the initramfs and the firmware of one model fit in. */
const MOST_BYTES = 32 << 20;

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
export function readPiece(tree: Readable, ino: number, offset: number, length: number): Buffer {
	const piece = Buffer.allocUnsafeSlow(length);
	const bytes = tree.read(ino, offset, piece);
	if (bytes === 0) throw new FileError("EIO", `the file ends at ${offset}`);
	return piece.subarray(0, bytes);
}

interface Piece {
	readonly bytes: Promise<Buffer>;
	readonly length: number;
}

/** Keeps what was read last, for as long as any transfer runs. */
export class BootPieces {
	/** Those that were asked for longest ago come first. */
	readonly #pieces = new Map<string, Piece>();
	readonly #mostBytes: number;
	#heldBytes = 0;
	#users = 0;

	constructor(mostBytes = MOST_BYTES) {
		this.#mostBytes = mostBytes;
	}

	/** Bytes that are kept, or on their way. */
	get bytes(): number {
		return this.#heldBytes;
	}

	/** A transfer begins that will read. */
	enter(): void {
		this.#users++;
	}

	/** It has ended. */
	leave(): void {
		if (--this.#users > 0) return;
		this.#pieces.clear();
		this.#heldBytes = 0;
	}

	/**
	 * Reads a piece of a file that never changes.
	 *
	 * @param volume a name for the tree that no other tree has.
	 * @throws what reading throws, a BlockFault apart.
	 */
	read(volume: string, tree: Readable, ino: number, offset: number, length: number): Promise<Buffer> {
		const key = `${volume} ${ino} ${offset} ${length}`;
		const known = this.#pieces.get(key);
		if (known !== undefined) this.#pieces.delete(key);
		else this.#makeRoom(length);
		const piece = known ?? { length, bytes: whenReady(() => readPiece(tree, ino, offset, length)) };
		this.#pieces.set(key, piece);
		if (known === undefined) piece.bytes.catch(() => this.#drop(key, piece));
		return piece.bytes;
	}

	#makeRoom(length: number): void {
		this.#heldBytes += length;
		for (const [key, piece] of this.#pieces) {
			if (this.#heldBytes <= this.#mostBytes) return;
			this.#drop(key, piece);
		}
	}

	#drop(key: string, piece: Piece): void {
		if (this.#pieces.get(key) !== piece) return;
		this.#pieces.delete(key);
		this.#heldBytes -= piece.length;
	}
}
