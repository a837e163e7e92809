/** The names in requests, before anybody looks for a file. */

/**
 * Brings a name into one form: no slash at the ends, none doubled. A Pi 5 asks for `7bf18f79//config.txt` and goes by the
 * answer.
 *
 * @returns undefined for a name that leaves the tree with `..`, holds a NUL, or names nothing.
 */
export function normaliseName(name: string): string | undefined {
	// Looked for before slashes are collapsed, so that no collapsing can make a `..` out of what was none.
	if (name.includes("\0")) return undefined;
	const parts = name.split("/");
	if (parts.includes("..")) return undefined;
	const path = parts.filter((part) => part !== "" && part !== ".").join("/");
	return path === "" ? undefined : path;
}
