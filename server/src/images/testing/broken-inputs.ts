/** Files that people take for images, made by the real programs; and what is said of each. */
import fs from "node:fs";
import path from "node:path";
import { runTool } from "../../disk/testdata/index.ts";
import { fill, makePiImage, PI_ROOT } from "../../vfs/image/testing/images.ts";

export interface BrokenInput {
	/** Makes it. @param file in the folder of the images. @param work for what it is made of. */
	readonly make: (file: string, work: string) => void;
	/** What the sentence of the finding has to say. */
	readonly says: RegExp;
}

const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);

/** Packs an image and cuts the result in the middle. */
function cut(program: string, ...args: string[]): BrokenInput["make"] {
	return (file, work) => fs.writeFileSync(file, half(runTool(program, [...args, image(work)])));
}

function image(work: string): string {
	const place = path.join(work, "whole.img");
	if (!fs.existsSync(place)) makePiImage(work, { name: "whole.img" });
	return place;
}

/** A tree for tar, one for all. */
function tree(work: string): string {
	const place = path.join(work, "tree");
	if (fs.existsSync(place)) return place;
	fs.mkdirSync(path.join(place, "inside/usr"), { recursive: true });
	fs.writeFileSync(path.join(place, "secret"), "x".repeat(5000));
	fs.writeFileSync(path.join(place, "inside/usr/file"), "y".repeat(5000));
	fs.mkdirSync(path.join(place, "inside/etc"));
	return place;
}

/** Packs `tree/inside`, where GNU tar has to be told to leave names as they are. */
function tar(names: readonly string[], more: readonly string[] = []): BrokenInput["make"] {
	return (file, work) => {
		const place = path.join(tree(work), "inside");
		const all = ["--numeric-owner", ...more, "-P", "-C", place, "-cf", file];
		runTool("tar", [...all, ...names.map((name) => name.replace("WORK", work))]);
	};
}

function zip(file: string, images: readonly string[], ...options: string[]): void {
	fs.rmSync(file, { force: true });
	runTool("zip", ["-1qj", ...options, file, ...images]);
}

function zip64(change: (bytes: Buffer) => void): BrokenInput["make"] {
	return (file, work) => {
		zip(file, [image(work)], "-fz");
		const bytes = fs.readFileSync(file);
		change(bytes);
		fs.writeFileSync(file, bytes);
	};
}

const END64_LOCATOR = Buffer.from("PK\x06\x07", "latin1");

function x86(file: string, work: string): void {
	const elf = Buffer.alloc(4096);
	// A program of 64 bits, little endian, of the ABI of System V, an executable for x86-64.
	elf.write("\x7fELF\x02\x01\x01", 0, "latin1");
	elf.writeUInt16LE(2, 16);
	elf.writeUInt16LE(0x3e, 18);
	const program = elf.toString("latin1");
	const root = { ...PI_ROOT, "usr/bin/bash": program, "bin/sh": program, "usr/lib/systemd/systemd": program };
	const made = makePiImage(work, { name: "x86.img", root, boot: { "EFI/BOOT/BOOTX64.EFI": "MZ" } });
	fs.renameSync(made, file);
}

/** By the name of the file. */
export const BROKEN_INPUTS: Readonly<Record<string, BrokenInput>> = {
	"cut-xz.img.xz": { make: cut("xz", "-0c"), says: /cut-xz\.img\.xz is damaged or incomplete: xz: .*end/ },
	"cut-gzip.img.gz": { make: cut("gzip", "-1c"), says: /cut-gzip\.img\.gz is damaged or incomplete: gzip: .*end/ },
	"cut-zstd.img.zst": { make: cut("zstd", "-1qc"), says: /cut-zstd\.img\.zst is damaged or incomplete: zstd: / },
	"cut-zip.zip": {
		make: (file, work) => {
			zip(file, [image(work)]);
			fs.writeFileSync(file, half(fs.readFileSync(file)));
		},
		says: /cut-zip\.zip is damaged or incomplete: zip: no directory at its end: the archive is cut off/,
	},
	"cut-tar.tar": {
		make: (file, work) => {
			tar(["."])(file, work);
			fs.truncateSync(file, 4000);
		},
		says: /the archive is cut off inside of .*file/,
	},
	"cut-packed-tar.tar.gz": {
		make: (file, work) => {
			tar(["."], ["-z"])(file, work);
			fs.writeFileSync(file, half(fs.readFileSync(file)));
		},
		says: /cut-packed-tar\.tar\.gz is damaged or incomplete/,
	},
	"out.tar": { make: tar(["../secret"]), says: /\.\.\/secret leads out of the tree/ },
	"absolute.tar": { make: tar(["WORK/tree/secret"]), says: /\/tree\/secret is an absolute name/ },
	"link-out.tar": {
		make: (file, work) => {
			fs.rmSync(path.join(tree(work), "inside/other"), { force: true });
			fs.linkSync(path.join(work, "tree/secret"), path.join(work, "tree/inside/other"));
			// The first of the two names is taken out: what is left names it still.
			tar(["../secret", "other"])(file, work);
			fs.writeFileSync(file, fs.readFileSync(file).subarray(512 + 5120));
		},
		says: /\.\.\/secret leads out of the tree/,
	},
	"one-folder.tar": { make: tar(["usr"]), says: /No system that can be read is in it/ },
	"two.zip": {
		make: (file, work) => {
			fs.copyFileSync(image(work), path.join(work, "other.img"));
			zip(file, [path.join(work, "other.img"), image(work)]);
		},
		says: /the archive holds 2 images: /,
	},
	"none.zip": {
		make: (file, work) => {
			fs.mkdirSync(path.join(work, "void"));
			runTool("sh", ["-c", `cd '${work}' && zip -qr '${file}' void`]);
		},
		says: /the archive holds no file/,
	},
	"encrypted.zip": { make: (file, work) => zip(file, [image(work)], "-P", "secret"), says: /whole\.img is encrypted/ },
	"zip64-outside.zip": {
		make: zip64((bytes) => void bytes.writeBigUInt64LE(1n << 40n, bytes.lastIndexOf(END64_LOCATOR) + 8)),
		says: /zip64-outside\.zip is damaged or incomplete: zip: /,
	},
	"zip64-large.zip": {
		make: zip64((bytes) => void bytes.fill(0xff, bytes.lastIndexOf(END64_LOCATOR) + 8).subarray(0)),
		says: /zip64-large\.zip is damaged or incomplete: zip: /,
	},
	"x86.img": { make: x86, says: /compiled for amd64, which no Raspberry Pi runs/ },
	"notes.img": { make: (file) => fs.writeFileSync(file, "my notes\n".repeat(50)), says: /It is a text file/ },
	"page.img": { make: (file) => fs.writeFileSync(file, "<!DOCTYPE html><html>404"), says: /It is a web page/ },
	"pointer.img": {
		make: (file) => fs.writeFileSync(file, "version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
		says: /only a pointer to the file, as Git LFS has it/,
	},
	"machine.img": { make: (file) => fs.writeFileSync(file, "QFI\xfb", "latin1"), says: /virtual machine \(QCOW2\)/ },
	"empty.img": { make: (file) => fs.writeFileSync(file, ""), says: /The file is empty/ },
	"zeros.img": { make: (file) => fs.writeFileSync(file, Buffer.alloc(1 << 20)), says: /nothing but zeros/ },
	"noise.img": { make: (file) => fs.writeFileSync(file, Buffer.alloc(1 << 20, 0xfe)), says: /No system/ },
	"no-root": {
		make: (file) => void fill(file, { "usr/bin/sh": "", "lib/x": "" }),
		says: /no root file system: there is no etc/,
	},
};
