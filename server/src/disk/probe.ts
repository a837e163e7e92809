/** Tells file systems by their magic numbers. */
import type { BlockSource } from "./block/source.ts";
import { readBytes } from "./block/source.ts";
import { isFatBootSector } from "./fat/boot-sector.ts";

export type FileSystemKind =
	| "ext"
	| "fat"
	| "f2fs"
	| "btrfs"
	| "squashfs"
	| "xfs"
	| "ntfs"
	| "luks"
	| "swap"
	| "unknown";

interface Magic {
	readonly kind: FileSystemKind;
	readonly offset: number;
	/** One character per byte. */
	readonly bytes: string;
}

/** Swap's stands at the end of the first page, whose size is the machine's: 4 KiB, on a Pi 5 16 KiB. */
const SWAP: readonly Magic[] = [4096, 16_384, 65_536].flatMap((page) =>
	["SWAPSPACE2", "SWAP-SPACE"].map((bytes): Magic => ({ kind: "swap", offset: page - 10, bytes })),
);

const MAGICS: readonly Magic[] = [
	{ kind: "luks", offset: 0, bytes: "LUKS\xba\xbe" },
	{ kind: "squashfs", offset: 0, bytes: "hsqs" },
	{ kind: "xfs", offset: 0, bytes: "XFSB" },
	{ kind: "ntfs", offset: 3, bytes: "NTFS    " },
	{ kind: "f2fs", offset: 1024, bytes: "\x10\x20\xf5\xf2" },
	{ kind: "btrfs", offset: 0x10040, bytes: "_BHRfS_M" },
	{ kind: "ext", offset: 1024 + 0x38, bytes: "\x53\xef" },
	...SWAP,
];

/** Tells what is on a partition. It reads nothing but the magic numbers: the file system may still be broken. */
export function recognise(source: BlockSource): FileSystemKind {
	const found = MAGICS.find((magic) => hasMagic(source, magic));
	if (found !== undefined) return found.kind;
	return source.size >= 512 && isFatBootSector(readBytes(source, 0, 512)) ? "fat" : "unknown";
}

function hasMagic(source: BlockSource, { offset, bytes }: Magic): boolean {
	if (source.size < offset + bytes.length) return false;
	return readBytes(source, offset, bytes.length).toString("latin1") === bytes;
}
