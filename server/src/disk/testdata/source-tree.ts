/** A directory full of what real roots have and what readers get wrong, made with Node alone and without root rights. */
import {
	closeSync,
	linkSync,
	mkdirSync,
	openSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import { runTool } from "./tools.ts";

export interface SourceTreeOptions {
	/** Bytes of the longest symbolic link; it must fit a block. */
	readonly longestLink?: number;
	/** Adds a sparse file of more than 4 GiB; default true. */
	readonly huge?: boolean;
	/** Sparse files end with a hole; default true. */
	readonly holeAtEnd?: boolean;
}

/** Bytes that differ from place to place, the same in every run. */
export function patternBytes(length: number, seed: number): Buffer {
	const bytes = Buffer.alloc(length);
	let state = seed >>> 0 || 1;
	for (let at = 0; at < length; at++) {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		bytes[at] = state >>> 24;
	}
	return bytes;
}

/** Fills `root`, which is made. */
export function makeSourceTree(root: string, options: SourceTreeOptions = {}): void {
	mkdirSync(root, { recursive: true });
	const at = (...names: string[]) => join(root, ...names);
	for (const size of [0, 1, 59, 60, 61, 130, 1023, 1024, 1025, 4096, 70_000]) {
		writeFileSync(at(`size-${size}`), patternBytes(size, size + 1));
	}
	writeFileSync(at("large"), patternBytes(3_000_000, 7));
	mkdirSync(at("empty"));
	mkdirSync(at("a", "b", "c", "d"), { recursive: true });
	writeFileSync(at("a", "b", "c", "d", "deep"), "deep\n");
	mkdirSync(at("names"));
	writeFileSync(at("names", "n".repeat(255)), "255");
	writeFileSync(at("names", "Straße-日本語-😀"), "utf-8");
	writeFileSync(at("names", "with space\nand newline"), "odd");
	for (const length of [1, 59, 60, 61, 200, options.longestLink ?? 1000]) {
		symlinkSync("t".repeat(length), at("names", `link-${length}`));
	}
	linkSync(at("large"), at("a", "hard-link"));
	runTool("mkfifo", [at("fifo")]);
	const tail = options.holeAtEnd === false ? 0 : 100_000;
	sparse(at("sparse"), [0, 1_000_000, 40_000_000], tail);
	if (options.huge !== false) sparse(at("huge"), [0, 4_294_967_296 + 12_345], tail);
	// Each piece is an extent of its own: with 1k blocks the tree of extents has three levels.
	const pieces = Array.from({ length: 1500 }, (_, number) => number * 8192);
	sparse(at("fragmented"), pieces, 0);
	mkdirSync(at("some"));
	for (let number = 0; number < 300; number++) writeFileSync(at("some", `file-${number}`), String(number));
	utimesSync(at("size-1"), 1, 1);
}

/** Some bytes at each offset, holes between, and a hole of `tail` bytes at the end. */
function sparse(path: string, offsets: readonly number[], tail: number): void {
	const file = openSync(path, "w");
	for (const offset of offsets) writeSync(file, `data at ${offset}`, offset);
	closeSync(file);
	if (tail > 0) truncateSync(path, Math.max(...offsets) + tail);
}
