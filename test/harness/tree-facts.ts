/** Compares two trees by what `test/fixtures/treefacts.c` prints of them. */

/** What a file is, apart from its name. */
export interface FileFacts {
	/** Type and mode as octal digits. */
	readonly mode: string;
	readonly owner: string;
	readonly links: string;
	readonly size: string;
	/** Seconds since 1970. */
	readonly mtime: string;
	readonly device: string;
	readonly ino: string;
	/** The target of a symbolic link, a checksum of a regular file's bytes. */
	readonly content: string;
}

export type TreeFacts = ReadonlyMap<string, FileFacts>;

const DIRECTORY = /^4....$/;

function readLine(line: string): [path: string, facts: FileFacts] {
	const match = /^([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|(.*)\|(\.(?:\/.*)?)$/.exec(line);
	if (match === null) throw new Error(`no line of treefacts: ${line}`);
	const [, mode = "", owner = "", links = "", size = "", mtime = "", device = "", ino = "", content = "", path = ""] =
		match;
	return [path, { mode, owner, links, size, mtime, device, ino, content }];
}

/** @param text what the program printed. */
export function readTreeFacts(text: string): TreeFacts {
	const lines = text.split("\n").filter((line) => line !== "");
	return new Map(lines.map(readLine));
}

/** In what two files differ; empty when they are equal. What a directory's size means is the file system's own affair. */
export function differences(one: FileFacts | undefined, other: FileFacts | undefined): string[] {
	if (one === undefined || other === undefined) return ["existence"];
	const what = ["mode", "owner", "links", "mtime", "device", "content"] as const;
	const found: string[] = what.filter((each) => one[each] !== other[each]);
	if (!DIRECTORY.test(one.mode) && one.size !== other.size) found.push("size");
	return found;
}

/** The names of each file that has several, sorted. */
export function hardLinks(tree: TreeFacts): string[] {
	const byIno = Map.groupBy(tree, ([, facts]) => facts.ino);
	const groups = [...byIno.values()].filter((names) => names.length > 1);
	const sorted = groups.map((names) => names.map(([path]) => path).sort());
	return sorted.map((names) => names.join(" = ")).sort();
}
