import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pythonLack } from "./inspect-python.ts";
import { type Entries, makeTree } from "./testing/tree.ts";

const PROGRAM = { text: "#!", mode: 0o755 };

/** As `python3 -> python3.N`, with these modules. */
function python(minor: number, ...modules: string[]): Entries {
	const files = modules.map((module) => [`/usr/lib/python3.${minor}/${module}`, ""]);
	const link = { "/usr/bin/python3": { link: `python3.${minor}` }, [`/usr/bin/python3.${minor}`]: PROGRAM };
	return { ...link, [`/usr/lib/python3.${minor}`]: { directory: true }, ...Object.fromEntries(files) };
}

const WHOLE = ["ctypes/__init__.py", "http/server.py", "json/__init__.py"];

describe("the agent's Python", () => {
	const cases: [string, Entries, RegExp | undefined][] = [
		["is one with the standard library", python(11, ...WHOLE), undefined],
		["may be compiled", python(12, ...WHOLE.map((name) => `${name}c`)), undefined],
		["may be a program of which no more is known", { "/usr/bin/python3": PROGRAM }, undefined],
		["may have an older one beside it", { ...python(11, ...WHOLE), "/usr/lib/python3.7/os.py": "" }, undefined],
		["is missing", { "/usr/bin/perl": PROGRAM }, /^There is no python3$/],
		[
			"is missing where its link leads nowhere",
			{ "/usr/bin/python3": { link: "python3.11" } },
			/^There is no python3$/,
		],
		["is too old", python(7, ...WHOLE), /^The image has Python 3\.7, which is older than 3\.9$/],
		["lacks a part", python(11, "json/__init__.py", "os.py"), /^The image's Python comes without ctypes, http$/],
	];
	for (const [what, entries, expected] of cases) {
		it(what, () => {
			const lack = pythonLack(makeTree(entries));
			if (expected === undefined) assert.equal(lack, undefined);
			else assert.match(lack ?? "", expected);
		});
	}
});
