/** What the host's `lstat` says, in the words of the trees. */
import fs from "node:fs";
import type { FileTime, FileType } from "../../base/index.ts";

/** The file types in the upper bits of `st_mode`. */
const TYPES: Readonly<Record<number, FileType>> = {
	[fs.constants.S_IFREG]: "file",
	[fs.constants.S_IFDIR]: "directory",
	[fs.constants.S_IFLNK]: "symlink",
	[fs.constants.S_IFBLK]: "block",
	[fs.constants.S_IFCHR]: "character",
	[fs.constants.S_IFIFO]: "fifo",
	[fs.constants.S_IFSOCK]: "socket",
};

export function hostType(stats: fs.BigIntStats): FileType {
	return TYPES[Number(stats.mode) & fs.constants.S_IFMT] ?? "file";
}

const SECOND = 1_000_000_000n;

/** @param ns nanoseconds since 1970, possibly below zero. */
export function hostTime(ns: bigint): FileTime {
	const nsec = ((ns % SECOND) + SECOND) % SECOND;
	return { sec: Number((ns - nsec) / SECOND), nsec: Number(nsec) };
}

/** As `makedev` of glibc and of macOS put them together. */
export function deviceNumbers(rdev: bigint, platform: string): { readonly major: number; readonly minor: number } {
	if (platform === "darwin") return { major: Number((rdev >> 24n) & 0xffn), minor: Number(rdev & 0xff_ffffn) };
	const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xffff_f000n);
	const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffff_ff00n);
	return { major: Number(major), minor: Number(minor) };
}
