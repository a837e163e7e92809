/** Files with checksums, as `sha256sum` and the BSDs write them. */
import path from "node:path";

/** A checksum alone, or a single line of another name: a file that lies beside one image need not name it. */
const ALONE = /^([0-9a-f]{64})(?:\s|$)/i;
/** `sha256sum`: two blanks, or a blank and a star; names with a backslash are escaped, and no image's. */
const GNU = /^([0-9a-f]{64}) [ *](.+)$/i;
const BSD = /^SHA256 ?\((.+)\) ?= ?([0-9a-f]{64})$/i;

/**
 * The SHA-256 of a file out of a list of them, in lower case; undefined when the list does not tell it.
 *
 * @param isOfOne whether the list was made for this file alone: then its only line counts, whatever name stands there.
 */
export function checksumIn(text: string, name: string, isOfOne: boolean): string | undefined {
	const lines = text
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "" && !line.startsWith("#"));
	const [only] = lines;
	const known = lines.map(parseLine).find((line) => line !== undefined && path.basename(line.name) === name);
	const sum = known?.sum ?? (isOfOne && lines.length === 1 && only !== undefined ? sumOf(only) : undefined);
	return sum?.toLowerCase();
}

function parseLine(line: string): { readonly sum: string; readonly name: string } | undefined {
	const [, sum, name] = GNU.exec(line) ?? [];
	if (sum !== undefined && name !== undefined) return { sum, name };
	const [, ofName, bsdSum] = BSD.exec(line) ?? [];
	return ofName === undefined || bsdSum === undefined ? undefined : { sum: bsdSum, name: ofName };
}

function sumOf(line: string): string | undefined {
	return ALONE.exec(line)?.[1] ?? BSD.exec(line)?.[2];
}
