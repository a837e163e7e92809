/** Whether a public SSH key is whole: a part of a line is copied easily, and lets nobody in. */

/** @param line that ends with a key's type, its blob, and perhaps a comment. */
export function isWholeKey(line: string): boolean {
	const [, type = "", blob = ""] = /^(?:.* )?((?:ssh|ecdsa|sk)-\S+) ([A-Za-z0-9+/]+={0,2})(?: .*)?$/.exec(line) ?? [];
	const [first, ...others] = partsOf(blob) ?? [];
	return first !== undefined && others.length > 0 && first === type;
}

/** RFC 4253, 6.6: strings, each a length of 32 bits and its bytes; undefined where one is cut off. */
function partsOf(blob: string): string[] | undefined {
	const bytes = decoded(blob);
	if (bytes === undefined) return undefined;
	const parts: string[] = [];
	for (let at = 0; at < bytes.length; ) {
		const end = at + 4 + lengthAt(bytes, at);
		if (end > bytes.length) return undefined;
		parts.push(bytes.slice(at + 4, end));
		at = end;
	}
	return parts;
}

/** One character for each byte. */
function decoded(blob: string): string | undefined {
	try {
		return atob(blob);
	} catch (error) {
		if (error instanceof DOMException) return undefined;
		throw error;
	}
}

/** NaN where the bytes end before it, which is beyond every end. */
function lengthAt(bytes: string, at: number): number {
	const value = [0, 1, 2, 3].reduce((sum, index) => sum * 256 + bytes.charCodeAt(at + index), 0);
	return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}
