/** Random operations on two trees that must behave the same, for tests. */
import assert from "node:assert/strict";
import { type Attributes, FileError, type FileErrorCode } from "../../base/index.ts";
import { contentOf, pattern } from "../compliance-source.ts";
import { list } from "../compliance-tools.ts";
import type { FileTree, WritableFileTree } from "../tree.ts";

/** Mulberry32: numbers from 0 to below 1 that a seed decides. */
export function randomNumbers(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

const NAMES = ["a", "b", "c", "d", "e", "f", "g"];

/** A place in both trees: a directory, and a name that may or may not be in it. */
interface Place {
	readonly path: readonly string[];
	readonly name: string;
}

/** One operation, chosen, to be done on each tree. Gives what there is to compare. */
type Operation = (tree: WritableFileTree) => unknown;

/** Chooses operations on a small set of names, so that they meet often. */
export class RandomOperations {
	readonly #random: () => number;

	constructor(random: () => number) {
		this.#random = random;
	}

	chance(probability: number): boolean {
		return this.#random() < probability;
	}

	/** @param model where names are looked up that shall exist. */
	next(model: FileTree): { readonly text: string; readonly run: Operation } {
		const at = this.#place(model);
		const to = this.#place(model);
		const file = { mode: this.#below(0o10000), uid: this.#below(3), gid: this.#below(3) };
		const kinds: Record<string, [weight: number, run: Operation]> = {
			create: [10, on(at, (tree, directory) => tree.getattr(tree.create(directory, at.name, file)).mode)],
			mkdir: [6, on(at, (tree, directory) => tree.getattr(tree.mkdir(directory, at.name, file)).nlink)],
			symlink: [3, on(at, (tree, directory) => void tree.symlink(directory, at.name, Buffer.from("over/there"), file))],
			mknod: [2, on(at, (tree, directory) => void tree.mknod(directory, at.name, "fifo", 1, 2, file))],
			link: [6, (tree) => tree.link(inoOf(tree, at), directoryOf(tree, to.path), to.name)],
			remove: [7, on(at, (tree, directory) => tree.remove(directory, at.name))],
			rmdir: [5, on(at, (tree, directory) => tree.rmdir(directory, at.name))],
			rename: [12, on(at, (tree, from) => tree.rename(from, at.name, directoryOf(tree, to.path), to.name))],
			write: [16, this.#write(at)],
			truncate: [8, this.#truncate(at)],
			setattr: [4, (tree) => tree.setattr(inoOf(tree, at), { mode: file.mode, mtime: { sec: file.uid, nsec: 5 } })],
			chown: [3, (tree) => tree.setattr(inoOf(tree, at), { uid: file.uid })],
			read: [5, (tree) => contentOf(tree, inoOf(tree, at))],
			readlink: [1, (tree) => tree.readlink(inoOf(tree, at))],
		};
		const kind = this.#weighted(Object.entries(kinds).map(([name, [weight]]) => [name, weight]));
		const run = kinds[kind]?.[1];
		assert.ok(run !== undefined);
		return { text: `${kind} ${[...at.path, at.name].join("/")} ${[...to.path, to.name].join("/")}`, run };
	}

	#below(limit: number): number {
		return Math.floor(this.#random() * limit);
	}

	#weighted(choices: readonly (readonly [string, number])[]): string {
		let left = this.#random() * choices.reduce((sum, [, weight]) => sum + weight, 0);
		for (const [name, weight] of choices) {
			left -= weight;
			if (left < 0) return name;
		}
		return choices[0]?.[0] ?? "";
	}

	/** Walks down the tree at random; mostly a name that is there. */
	#place(model: FileTree): Place {
		const path: string[] = [];
		let directory = model.root;
		for (;;) {
			const entries = list(model, directory);
			const chosen = entries[this.#below(entries.length)];
			if (chosen === undefined || this.chance(0.35)) return { path, name: NAMES[this.#below(NAMES.length)] ?? "a" };
			const isDirectory = model.getattr(chosen.ino).type === "directory";
			if (!isDirectory || path.length >= 4 || this.chance(0.3)) return { path, name: chosen.name };
			path.push(chosen.name);
			directory = chosen.ino;
		}
	}

	#offset(): number {
		const [offset, spread] = [this.#below(12) * 4096, this.chance(0.5) ? 0 : this.#below(4096)];
		return offset + spread;
	}

	#write(at: Place): Operation {
		const data = pattern(this.chance(0.2) ? 4096 * this.#below(9) : this.#below(9000), this.#below(256));
		const offset = this.#offset();
		return (tree) => tree.write(inoOf(tree, at), offset, data);
	}

	#truncate(at: Place): Operation {
		const size = this.chance(0.2) ? 0 : this.#offset();
		return (tree) => tree.setattr(inoOf(tree, at), { size });
	}
}

function on(at: Place, run: (tree: WritableFileTree, directory: number) => unknown): Operation {
	return (tree) => run(tree, directoryOf(tree, at.path));
}

function directoryOf(tree: FileTree, path: readonly string[]): number {
	return path.reduce((at, name) => tree.lookup(at, name), tree.root);
}

function inoOf(tree: FileTree, { path, name }: Place): number {
	return tree.lookup(directoryOf(tree, path), name);
}

/** What an operation gives, or the code of its error. */
export function outcome(run: () => unknown): unknown {
	try {
		return run();
	} catch (error) {
		if (error instanceof FileError) return error.code satisfies FileErrorCode;
		throw error;
	}
}

/** Asserts that two trees hold the same: names, links, attributes that a model can know, and every byte. */
export function assertSameTrees(actual: FileTree, expected: FileTree): void {
	const inos = new Map<number, number>();
	const walk = (a: number, b: number, path: string) => {
		assert.deepEqual(known(actual.getattr(a)), known(expected.getattr(b)), path);
		assert.equal(inos.get(a) ?? b, b, `${path} has the inode of another file`);
		inos.set(a, b);
		const { type } = expected.getattr(b);
		if (type === "file") assert.ok(contentOf(actual, a).equals(contentOf(expected, b)), path);
		if (type === "symlink") assert.deepEqual(actual.readlink(a), expected.readlink(b), path);
		if (type === "directory") walkDirectory(a, b, path);
	};
	const walkDirectory = (a: number, b: number, path: string) => {
		const children = new Map(list(expected, b).map(({ name, ino }) => [name, ino]));
		const listed = list(actual, a, 3);
		assert.deepEqual(listed.map(({ name }) => name).sort(), [...children.keys()].sort(), path);
		for (const { name, ino } of listed) {
			assert.equal(actual.lookup(a, name), ino, `${path}/${name}`);
			if (actual.getattr(ino).type === "directory") assert.equal(actual.parent(ino), a, `${path}/${name}`);
			walk(ino, children.get(name) ?? 0, `${path}/${name}`);
		}
	};
	walk(actual.root, expected.root, "");
	assert.equal(new Set(inos.values()).size, inos.size, "two inodes for one file");
}

function known({ type, mode, nlink, uid, gid, size, major, minor }: Attributes) {
	return { type, mode, nlink, uid, gid, major, minor, size: type === "directory" ? 0 : size };
}
