/** Tells what is on a partition by its magic numbers. */
import type { BlockSource } from "./block/source.ts";
import { readBytes } from "./block/source.ts";
import { isFatBootSector } from "./fat/boot-sector.ts";

export type FileSystemKind =
	| "ext"
	| "fat"
	| "bcachefs"
	| "btrfs"
	| "erofs"
	| "exfat"
	| "f2fs"
	| "iso9660"
	| "luks"
	| "lvm2"
	| "mdraid"
	| "ntfs"
	| "squashfs"
	| "swap"
	| "xfs"
	| "zfs"
	| "unknown";

interface Magic {
	readonly kind: FileSystemKind;
	/** Byte of the partition. */
	readonly offset: number;
	/** One character per byte. */
	readonly bytes: string;
}

function magic(kind: FileSystemKind, offset: number, bytes: string): Magic {
	return { kind, offset, bytes };
}

/** Swap's stands at the end of the first page, whose size is the machine's: 4 KiB, on a Pi 5 16 KiB. */
const SWAP = [4096, 16_384, 65_536].flatMap((page) =>
	["SWAPSPACE2", "SWAP-SPACE"].map((bytes) => magic("swap", page - 10, bytes)),
);

/** LVM2 labels one of the first four sectors. */
const LVM2 = [0, 1, 2, 3].map((sector) => magic("lvm2", 512 * sector, "LABELONE"));

const MD_MAGIC = "\xfc\x4e\x2b\xa9";

/** ZFS has a ring of uberblocks in each of its labels; a new pool has used the first ones at least. */
const ZFS = Array.from({ length: 32 }, (_, slot) => slot * 1024 + 0x20000).flatMap((offset) => [
	magic("zfs", offset, "\x0c\xb1\xba\0\0\0\0\0"),
	magic("zfs", offset, "\0\0\0\0\0\xba\xb1\x0c"),
]);

/** What holds other file systems comes first: below it may stand what an older one left behind. */
const MAGICS: readonly Magic[] = [
	magic("luks", 0, "LUKS\xba\xbe"),
	...LVM2,
	magic("mdraid", 4096, MD_MAGIC),
	magic("mdraid", 0, MD_MAGIC),
	magic("squashfs", 0, "hsqs"),
	magic("squashfs", 0, "sqsh"),
	magic("xfs", 0, "XFSB"),
	magic("ntfs", 3, "NTFS    "),
	magic("exfat", 3, "EXFAT   "),
	magic("f2fs", 1024, "\x10\x20\xf5\xf2"),
	magic("erofs", 1024, "\xe2\xe1\xf5\xe0"),
	magic("btrfs", 0x10040, "_BHRfS_M"),
	magic("bcachefs", 4096 + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"),
	magic("bcachefs", 4096 + 24, "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"),
	magic("ext", 1024 + 0x38, "\x53\xef"),
	...SWAP,
];

/** What stands so far inside that another file system may have it there by chance, or on purpose as a hybrid. */
const LATE_MAGICS: readonly Magic[] = [magic("iso9660", 32_769, "CD001"), ...ZFS];

/** Tells what is on a partition. It reads nothing but the magic numbers: the file system may still be broken. */
export function recognise(source: BlockSource): FileSystemKind {
	return find(source, MAGICS) ?? (isFat(source) ? "fat" : (find(source, LATE_MAGICS) ?? "unknown"));
}

function isFat(source: BlockSource): boolean {
	return source.size >= 512 && isFatBootSector(readBytes(source, 0, 512));
}

function find(source: BlockSource, magics: readonly Magic[]): FileSystemKind | undefined {
	return magics.find((each) => hasMagic(source, each))?.kind;
}

function hasMagic(source: BlockSource, { offset, bytes }: Magic): boolean {
	if (source.size < offset + bytes.length) return false;
	return readBytes(source, offset, bytes.length).toString("latin1") === bytes;
}

/** What people call it, and what to do about an image that has it for a root. */
const UNREADABLE: Partial<Record<FileSystemKind, readonly [name: string, advice: string]>> = {
	bcachefs: ["bcachefs", "Copy its files to ext4."],
	btrfs: ["Btrfs", "Copy its files to ext4."],
	erofs: ["EROFS", "Copy its files to ext4."],
	exfat: ["exFAT", "A Pi's boot volume must be FAT32."],
	f2fs: ["F2FS", "Copy its files to ext4."],
	iso9660: ["an ISO 9660 file system", "It is a CD image, which no Pi boots: use a disk image for the Raspberry Pi."],
	luks: ["an encrypted volume (LUKS)", "Without its key nobody can read it: use an image that is not encrypted."],
	lvm2: ["a physical volume of LVM", "Use an image with its root in a plain ext4 partition."],
	mdraid: ["a member of a Linux RAID", "Use an image with its root in a plain ext4 partition."],
	ntfs: ["NTFS", "Linux has no root on it: use an image with ext4."],
	squashfs: ["SquashFS", "Unpack it to ext4 (unsquashfs)."],
	xfs: ["XFS", "Copy its files to ext4."],
	zfs: ["ZFS", "Copy its files to ext4."],
};

/** Speaks of a file system that is not read here; undefined for what is, for swap, and for what is unknown. */
export function adviceOn(kind: FileSystemKind): { readonly name: string; readonly advice: string } | undefined {
	const found = UNREADABLE[kind];
	return found === undefined ? undefined : { name: found[0], advice: found[1] };
}
