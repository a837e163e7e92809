/**
 * The tests that every tree must pass: POSIX semantics of every method, as an NFS client relies on them. Not part of the
 * room's door: tests import this file itself.
 */
import { describe } from "node:test";
import { testNames } from "./compliance-names.ts";
import { testReading } from "./compliance-read.ts";
import { fullSource, type SourceEntry } from "./compliance-source.ts";
import { testWriting } from "./compliance-write.ts";
import type { FileTree, WritableFileTree } from "./tree.ts";

/** A tree under test. */
export interface Subject<T extends FileTree> {
	/** Holds the source, and nothing else but `lost+found`. */
	readonly tree: T;
	/** Called when the test is over. */
	readonly close?: () => void;
}

/** Registers the tests of a tree that can be read. `open` is called for each test; it may give the same tree. */
export function readingSuite(
	name: string,
	open: () => Subject<FileTree>,
	source: readonly SourceEntry[] = fullSource,
): void {
	describe(`${name}: reading`, () => testReading(open, source));
}

/** Registers the tests of a tree that can be changed, reading included. `open` must give a fresh tree each time. */
export function complianceSuite(
	name: string,
	open: () => Subject<WritableFileTree>,
	source: readonly SourceEntry[] = fullSource,
): void {
	readingSuite(name, open, source);
	describe(`${name}: writing`, () => testWriting(open));
	describe(`${name}: names`, () => testNames(open));
}
