/** What the compliance tests share. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { type DirectoryEntry, FileError, type FileErrorCode } from "../base/index.ts";
import type { Subject } from "./compliance.ts";
import type { FileTree } from "./tree.ts";

/** Registers a test on a tree that is closed behind it. */
export function onTree<T extends FileTree>(
	open: () => Subject<T>,
	name: string,
	run: (tree: T) => void | Promise<void>,
): void {
	it(name, async () => {
		const { tree, close } = open();
		try {
			await run(tree);
		} finally {
			close?.();
		}
	});
}

export function assertFails(code: FileErrorCode, run: () => unknown): void {
	assert.throws(run, (error) => {
		assert.ok(error instanceof FileError, `expected ${code}, got ${String(error)}`);
		assert.equal(error.code, code);
		return true;
	});
}

/** All entries of a directory, asked for `page` at a time as an NFS client does; `between` runs after each page. */
export function list(tree: FileTree, directory: number, page = Number.POSITIVE_INFINITY, between = () => {}) {
	const entries: DirectoryEntry[] = [];
	for (let cookie = 0; ; ) {
		const got: DirectoryEntry[] = [];
		const isAtEnd = tree.readdir(directory, cookie, (entry) => {
			if (got.length >= page) return false;
			got.push(entry);
			return true;
		});
		entries.push(...got);
		if (isAtEnd) return entries;
		cookie = got.at(-1)?.cookie ?? cookie;
		between();
	}
}

/** The names in a directory, sorted, without what mkfs puts there. */
export function names(tree: FileTree, directory: number): string[] {
	const all = list(tree, directory).map((entry) => entry.name);
	return all.filter((name) => name !== "lost+found").sort();
}
