/** The corpus: a text file per target with an input in hex on each line, and behind `#` why it is there. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Bytes of text that one target's file has at most; inputs that once failed are kept in any case. */
const LARGEST_FILE = 16 * 1024;
const LONGEST_LINE = 2048;

export interface KeptInput {
	readonly input: Buffer;
	readonly why: string;
}

function pathOf(target: string): string {
	return fileURLToPath(new URL(`./corpus/${target}.hex`, import.meta.url));
}

export function readCorpus(target: string): KeptInput[] {
	const path = pathOf(target);
	if (!existsSync(path)) return [];
	const lines = readFileSync(path, "latin1").split("\n");
	return lines.filter((line) => /^[0-9a-f]*( #|$)/.test(line) && line !== "").map(parseLine);
}

function parseLine(line: string): KeptInput {
	const [hex = "", why = ""] = line.split(" # ", 2);
	return { input: Buffer.from(hex, "hex"), why };
}

const FAILED = "failed: ";

/** Adds inputs as long as there is room. */
export function addToCorpus(target: string, more: readonly KeptInput[]): void {
	const known = readCorpus(target);
	const hexes = new Set(known.map(({ input }) => input.toString("hex")));
	const kept = [...known];
	let size = known.reduce((sum, each) => sum + toLine(each).length + 1, 0);
	for (const each of more) {
		const line = toLine(each);
		const fits = line.length <= LONGEST_LINE && size + line.length < LARGEST_FILE;
		if (hexes.has(each.input.toString("hex")) || (!fits && !each.why.startsWith(FAILED))) continue;
		hexes.add(each.input.toString("hex"));
		kept.push(each);
		size += line.length + 1;
	}
	if (kept.length > known.length) writeFileSync(pathOf(target), `${kept.map(toLine).join("\n")}\n`, "latin1");
}

function toLine({ input, why }: KeptInput): string {
	return why === "" ? input.toString("hex") : `${input.toString("hex")} # ${why}`;
}

/** The reason for an input that is kept because it failed. */
export function failedBecause(reason: string): string {
	return `${FAILED}${reason.replace(/[^\x20-\x7e]/g, "?").slice(0, 100)}`;
}
