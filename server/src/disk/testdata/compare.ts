/** Holds a reader's tree against the directory that its image was made from. */
import assert from "node:assert/strict";
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Attributes, DirectoryEntry } from "../../base/index.ts";
import { nameToUtf8 } from "../../base/index.ts";

/** What is asked of a file tree here. */
export interface ReadableTree {
	readonly root: number;
	getattr(ino: number): Attributes;
	lookup(directory: number, name: string): number;
	parent(directory: number): number;
	readlink(ino: number): Buffer;
	read(ino: number, offset: number, target: Uint8Array): number;
	readdir(directory: number, cookie: number, visit: (entry: DirectoryEntry) => boolean): boolean;
}

export function entriesOf(tree: ReadableTree, directory: number): DirectoryEntry[] {
	const entries: DirectoryEntry[] = [];
	tree.readdir(directory, 0, (entry) => {
		entries.push(entry);
		return true;
	});
	return entries;
}

/** Follows a path of names. */
export function find(tree: ReadableTree, path: string): number {
	const names = path.split("/").filter((name) => name !== "");
	return names.reduce((ino, name) => tree.lookup(ino, Buffer.from(name).toString("latin1")), tree.root);
}

/** All bytes of a file; for small ones. */
export function contentOf(tree: ReadableTree, ino: number): Buffer {
	const bytes = Buffer.alloc(tree.getattr(ino).size);
	assert.equal(tree.read(ino, 0, bytes), bytes.length);
	return bytes;
}

export interface CompareOptions {
	/** Names in the image's root that the directory does not have. */
	readonly ignore?: readonly string[];
	/** FAT has neither owners, nor modes, nor links: only names, kinds and bytes are compared. */
	readonly plain?: boolean;
}

/** @throws AssertionError for the first difference. */
export function assertSameTree(tree: ReadableTree, sourceDir: string, options: CompareOptions = {}): void {
	const ignored = new Set(options.ignore ?? []);
	const entries = entriesOf(tree, tree.root).filter(({ name }) => !ignored.has(name));
	compareDirectory(tree, tree.root, entries, sourceDir, options.plain === true);
}

function compareDirectory(
	tree: ReadableTree,
	directory: number,
	entries: readonly DirectoryEntry[],
	sourceDir: string,
	plain: boolean,
): void {
	assert.deepEqual(entries.map(({ name }) => nameToUtf8(name)).sort(), readdirSync(sourceDir).sort(), sourceDir);
	for (const { name, ino } of entries) {
		const path = join(sourceDir, nameToUtf8(name));
		assert.equal(tree.lookup(directory, name), ino, path);
		compareFile(tree, ino, path, plain);
		if (tree.getattr(ino).type !== "directory") continue;
		assert.equal(tree.parent(ino), directory, path);
		compareDirectory(tree, ino, entriesOf(tree, ino), path, plain);
	}
}

function compareFile(tree: ReadableTree, ino: number, path: string, plain: boolean): void {
	const got = tree.getattr(ino);
	const real = lstatSync(path, { bigint: true });
	assert.equal(got.type, typeOf(path), path);
	assert.equal(
		got.mtime.sec,
		plain ? Number(real.mtimeNs / 2_000_000_000n) * 2 : Number(real.mtimeNs / 1_000_000_000n),
	);
	if (!plain) {
		assert.equal(got.mode, got.type === "symlink" ? 0o777 : Number(real.mode & 0o7777n), path);
		assert.deepEqual([got.uid, got.gid], [Number(real.uid), Number(real.gid)], path);
		if (got.type !== "directory") assert.equal(got.nlink, Number(real.nlink), path);
	}
	if (got.type === "symlink") assert.deepEqual(tree.readlink(ino), readlinkSync(path, "buffer"), path);
	if (got.type === "file") {
		assert.equal(got.size, Number(real.size), path);
		compareBytes(tree, ino, path, got.size);
	}
}

function typeOf(path: string): Attributes["type"] {
	const stat = lstatSync(path);
	if (stat.isDirectory()) return "directory";
	if (stat.isSymbolicLink()) return "symlink";
	if (stat.isFIFO()) return "fifo";
	return "file";
}

const CHUNK = 1_000_003;
/** Of a large file the start, the middle and the end are compared. */
const WHOLE = 16 * CHUNK;

function compareBytes(tree: ReadableTree, ino: number, path: string, size: number): void {
	const file = openSync(path, "r");
	const expected = Buffer.alloc(CHUNK);
	const got = Buffer.alloc(CHUNK);
	const step = size <= WHOLE ? CHUNK : Math.floor((size - CHUNK) / 8);
	for (let offset = 0; offset <= size; offset += step) {
		const length = readSync(file, expected, 0, CHUNK, offset);
		assert.equal(tree.read(ino, offset, got), length, `${path} at ${offset}`);
		assert.ok(expected.subarray(0, length).equals(got.subarray(0, length)), `${path} at ${offset}`);
	}
	closeSync(file);
}
