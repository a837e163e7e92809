/**
 * The walls of the server: a room is a folder of `server/src` (each folder of `wire` is one of its own), its only door is
 * its `index.ts`, and no two rooms need each other. Which room may import which is the linter's (biome.json).
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../server/src", import.meta.url));

interface Import {
	readonly from: string;
	readonly to: string;
}

/** Tests may look behind doors; so may what only tests use. */
const isForTests = (path: string) => /\.test\.ts$|(^|\/)(testing|testdata)\//.test(path);

function filesOf(folder: string): string[] {
	const entries = readdirSync(join(source, folder), { withFileTypes: true });
	return entries.flatMap((entry) => {
		const path = join(folder, entry.name);
		return entry.isDirectory() ? filesOf(path) : path.endsWith(".ts") ? [path] : [];
	});
}

/** Relative imports and re-exports, not those in comments. */
function importsOf(path: string): Import[] {
	const text = readFileSync(join(source, path), "utf8");
	const found = text.matchAll(/^(?!\s*(?:\*|\/[/*])).*\b(?:from|import)\s*\(?\s*"(\.[^"]+\.ts)"/gm);
	return [...found].map((match) => ({ from: path, to: join(dirname(path), match[1] ?? "") }));
}

/** The room that a file is in: `wire/nfs3`, `disk`; the assembly is what lies in no folder, in `app` and in `cli`. */
function roomOf(path: string): string {
	const [first = "", second = ""] = path.split(sep);
	if (!path.includes(sep) || first === "app" || first === "cli") return "assembly";
	return first === "wire" && second !== "index.ts" ? join(first, second) : first;
}

const files = filesOf("").filter((path) => !isForTests(path.replaceAll(sep, "/")));
const imports = files.flatMap(importsOf);
const between = imports.filter(({ from, to }) => roomOf(from) !== roomOf(to));

/** A path of rooms that leads back to its first one, or undefined. */
function findCycle(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
	const done = new Set<string>();
	const walk = (room: string, path: string[]): string[] | undefined => {
		if (path.includes(room)) return [...path.slice(path.indexOf(room)), room];
		if (done.has(room)) return undefined;
		for (const next of graph.get(room) ?? []) {
			const cycle = walk(next, [...path, room]);
			if (cycle !== undefined) return cycle;
		}
		done.add(room);
		return undefined;
	};
	return [...graph.keys()].map((room) => walk(room, [])).find((cycle) => cycle !== undefined);
}

function graphOf(edges: readonly (readonly [string, string])[]): Map<string, Set<string>> {
	const graph = new Map<string, Set<string>>();
	for (const [from, to] of edges) graph.set(from, (graph.get(from) ?? new Set()).add(to));
	return graph;
}

describe("the rooms of the server", () => {
	it("are found, with their imports", () => {
		assert.ok(files.length > 50, `${files.length} files`);
		assert.ok(between.some(({ from, to }) => roomOf(from) === "http" && to === join("base", "index.ts")));
		assert.ok(imports.some(({ from, to }) => from === join("base", "index.ts") && to === join("base", "bytes.ts")));
	});

	it("are entered by their doors only", () => {
		const doors = between.filter(({ from, to }) => roomOf(from) !== "assembly" || roomOf(to) !== "assembly");
		const bypassing = doors.filter(({ to }) => to !== join(roomOf(to), "index.ts"));
		assert.deepEqual(
			bypassing.map(({ from, to }) => `${from} imports ${to}`),
			[],
		);
	});

	it("do not need each other", () => {
		assert.equal(findCycle(graphOf(between.map(({ from, to }) => [roomOf(from), roomOf(to)] as const))), undefined);
	});
});

describe("the search for cycles", () => {
	it("finds one", () => {
		const edges = [
			["a", "b"],
			["b", "c"],
			["c", "b"],
			["x", "a"],
		] as const;
		assert.deepEqual(findCycle(graphOf(edges)), ["b", "c", "b"]);
		assert.equal(
			findCycle(
				graphOf([
					["a", "b"],
					["a", "c"],
					["b", "c"],
				]),
			),
			undefined,
		);
	});
});
