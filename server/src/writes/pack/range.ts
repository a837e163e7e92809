/** The `Range` header of RFC 9110, as far as a reader of packs needs it: one range of bytes. */

export interface ByteRange {
	readonly start: number;
	/** The byte behind the last one. */
	readonly end: number;
}

/**
 * @returns the bytes that are asked for; `all` when the header is missing, of another unit, malformed or asks for several
 * ranges, which a server may ignore; `unsatisfiable` when they are not there.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | "all" | "unsatisfiable" {
	const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
	if (match === null) return "all";
	const [, first = "", last = ""] = match;
	if (first === "" && last === "") return "all";
	if (first === "")
		return last === "0" || size === 0 ? "unsatisfiable" : { start: Math.max(0, size - Number(last)), end: size };
	if (last !== "" && Number(last) < Number(first)) return "all";
	if (Number(first) >= size) return "unsatisfiable";
	return { start: Number(first), end: last === "" ? size : Math.min(Number(last) + 1, size) };
}
