/**
 * What is in a kernel, found while its bytes pass by in pieces: it is never in memory whole. Unpacking is done by the thread
 * pool, so that a server that finds a new image goes on answering.
 */
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, gunzipSync } from "node:zlib";
import { systemCode, whenReady } from "../base/index.ts";
import type { FileTree } from "../vfs/index.ts";

export interface ScannedKernel {
	readonly bits: 32 | 64 | undefined;
	/** As `uname -r` says it. */
	readonly version: string | undefined;
	/** The text of the configuration, where the kernel has it inside (CONFIG_IKCONFIG=y). */
	readonly config: string | undefined;
}

/** Bytes that are read, and unpacked, in one go. */
const PIECE = 64 * 1024;
/** No kernel for a Pi has more: they have 30 to 60 MB unpacked. */
const MAX_UNPACKED = 96 * 1024 * 1024;
/** A configuration has about 250 kB, packed 60 kB. */
const MAX_CONFIG = 4 * 1024 * 1024;

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);
/** How far into a zImage its packed part begins at the latest; what lies before it is the code that unpacks. */
const MAX_UNPACKER = 256 * 1024;
/** Documentation/arch/arm64/booting.rst: `u32 magic = 0x644d5241; /* "ARM\x64" *\/` at offset 56. */
const ARM64_MAGIC = Buffer.from("ARM\x64", "latin1");
/** arch/arm/boot/compressed/head.S: `.word 0x016f2818` at offset 36. */
const ZIMAGE_MAGIC = Buffer.from([0x18, 0x28, 0x6f, 0x01]);

/**
 * Reads a kernel as it runs: `kernel8.img` is often the gzip of an arm64 `Image`; a 32-bit `zImage` carries a gzip inside.
 * What is packed in another way stays as it is, and tells nothing.
 *
 * @throws what the tree throws, a `BlockFault` apart.
 */
export async function scanKernel(tree: FileTree, ino: number): Promise<ScannedKernel> {
	const head = await whenReady(() => readPiece(tree, ino, 0, MAX_UNPACKER));
	const at = head.indexOf(GZIP_MAGIC);
	const unpacked = at === -1 || isArm64(head) ? undefined : await scanPacked(tree, ino, at);
	const { arm64, version, config } = unpacked ?? (await scanPlain(tree, ino));
	const bits = head.subarray(36, 40).equals(ZIMAGE_MAGIC) ? 32 : undefined;
	return { bits: arm64 ? 64 : bits, version, config };
}

function readPiece(tree: FileTree, ino: number, offset: number, length: number): Buffer {
	const piece = Buffer.allocUnsafe(Math.min(length, Math.max(0, tree.getattr(ino).size - offset)));
	return piece.subarray(0, tree.read(ino, offset, piece));
}

async function* piecesOf(tree: FileTree, ino: number, from: number, until: () => boolean): AsyncGenerator<Buffer> {
	for (let offset = from; !until(); offset += PIECE) {
		const piece = await whenReady(() => readPiece(tree, ino, offset, PIECE));
		yield piece;
		if (piece.length < PIECE) return;
	}
}

async function scanPlain(tree: FileTree, ino: number): Promise<KernelScanner> {
	const scanner = new KernelScanner();
	for await (const piece of piecesOf(tree, ino, 0, () => scanner.isComplete)) scanner.push(piece);
	return scanner;
}

/** Undefined for bytes that are no gzip after all, which is what a chance match of its magic is. */
async function scanPacked(tree: FileTree, ino: number, from: number): Promise<KernelScanner | undefined> {
	const scanner = new KernelScanner();
	const pieces = piecesOf(tree, ino, from, () => scanner.isComplete || scanner.seen > MAX_UNPACKED);
	// What follows a gzip inside of a zImage is not an error, nor is a kernel that was cut.
	const gunzip = createGunzip({ chunkSize: PIECE, finishFlush: constants.Z_SYNC_FLUSH });
	try {
		await pipeline(pieces, gunzip, async (unpacked: AsyncIterable<Buffer>) => {
			for await (const piece of unpacked) scanner.push(piece);
		});
	} catch (error) {
		if (!systemCode(error)?.startsWith("Z_")) throw error;
		return undefined;
	}
	return scanner.seen > MAX_UNPACKED ? undefined : scanner;
}

/** What may stand across the border of two pieces is shorter. */
const OVERLAP = 128;
const VERSION_WORDS = "Linux version ";
const CONFIG_START = "IKCFG_ST";
const CONFIG_END = "IKCFG_ED";

/** Looks at pieces of a kernel that is not packed, in their order. */
export class KernelScanner {
	arm64 = false;
	version: string | undefined;
	config: string | undefined;
	/** Bytes so far. */
	seen = 0;
	#tail: Buffer = Buffer.alloc(0);
	/** The packed configuration as far as it has come; null when it cannot be one. */
	#packedConfig: Buffer | null | undefined;

	/** Nothing is left to be found. */
	get isComplete(): boolean {
		return this.version !== undefined && this.config !== undefined;
	}

	push(piece: Buffer): void {
		const border = Buffer.concat([this.#tail, piece.subarray(0, OVERLAP)]);
		if (this.seen === this.#tail.length) this.arm64 = isArm64(border);
		this.seen += piece.length;
		this.version ??= findVersion(border) ?? findVersion(piece);
		this.#lookForConfig(border, piece);
		this.#tail = Buffer.concat([this.#tail, piece.subarray(-OVERLAP)]).subarray(-OVERLAP);
	}

	/** kernel/configs.c: the gzip of .config stands between the words IKCFG_ST and IKCFG_ED. */
	#lookForConfig(border: Buffer, piece: Buffer): void {
		if (this.#packedConfig === null) return;
		if (this.#packedConfig !== undefined) {
			this.#goOnWithConfig(this.#packedConfig, piece);
			return;
		}
		const from = this.#tail.length;
		const across = border.indexOf(CONFIG_START);
		const at = across === -1 ? piece.indexOf(CONFIG_START) : across - from;
		if (across === -1 && at === -1) return;
		const behind = at + CONFIG_START.length;
		this.#goOnWithConfig(Buffer.from(border.subarray(from + behind, from)), piece.subarray(Math.max(0, behind)));
	}

	#goOnWithConfig(before: Buffer, piece: Buffer): void {
		const bytes = Buffer.concat([before, piece]);
		const end = bytes.indexOf(CONFIG_END, Math.max(0, before.length - CONFIG_END.length));
		if (end === -1) this.#packedConfig = bytes.length > MAX_CONFIG ? null : bytes;
		else {
			this.#packedConfig = null;
			this.config = end > MAX_CONFIG ? undefined : unpackConfig(bytes.subarray(0, end));
		}
	}
}

function isArm64(head: Buffer): boolean {
	return head.subarray(56, 60).equals(ARM64_MAGIC);
}

/** `linux_banner`: "Linux version 6.12.47+rpt-rpi-v8 (...". The same words stand in format strings, before a `%`. */
function findVersion(window: Buffer): string | undefined {
	for (let at = window.indexOf(VERSION_WORDS); at !== -1; at = window.indexOf(VERSION_WORDS, at + 1)) {
		const start = at + VERSION_WORDS.length;
		const match = /^\d[\x21-\x7e]{0,63}(?= )/.exec(window.toString("latin1", start, start + 65));
		if (match !== null) return match[0];
	}
	return undefined;
}

/** Undefined for what only looks like a configuration. */
function unpackConfig(bytes: Buffer): string | undefined {
	try {
		const options = { maxOutputLength: MAX_CONFIG, finishFlush: constants.Z_SYNC_FLUSH };
		return gunzipSync(bytes, options).toString("latin1");
	} catch {
		return undefined;
	}
}
