/** Tells by its first bytes how a file is packed. Names lie: a `.img` may be an archive that somebody renamed. */

export type Packing = "gzip" | "xz" | "zstd" | "zip" | "bzip2";

interface Magic {
	readonly packing: Packing;
	/** One character per byte. */
	readonly bytes: string;
}

const MAGICS: readonly Magic[] = [
	{ packing: "xz", bytes: "\xfd7zXZ\0" },
	{ packing: "zstd", bytes: "\x28\xb5\x2f\xfd" },
	{ packing: "zip", bytes: "PK\x03\x04" },
	// RFC 1952: ID1, ID2, and the only compression method that there is.
	{ packing: "gzip", bytes: "\x1f\x8b\x08" },
	{ packing: "bzip2", bytes: "BZh" },
];

/** The bytes that `recognisePacking` looks at. */
export const PACKING_HEAD_BYTES = 6;

/** How a file that begins with `head` is packed; undefined when it is not, or in a way that nobody here knows. */
export function recognisePacking(head: Uint8Array): Packing | undefined {
	if (isSkippableFrame(head)) return "zstd";
	const text = Buffer.from(head.subarray(0, PACKING_HEAD_BYTES)).toString("latin1");
	return MAGICS.find(({ bytes }) => text.startsWith(bytes))?.packing;
}

/** RFC 8878, 3.1.2: magic numbers 0x184D2A50 to 0x184D2A5F, little endian. What `pzstd` makes begins with one. */
function isSkippableFrame(head: Uint8Array): boolean {
	const [low = 0, ...high] = head.subarray(0, 4);
	return low >= 0x50 && low <= 0x5f && Buffer.from(high).toString("hex") === "2a4d18";
}
