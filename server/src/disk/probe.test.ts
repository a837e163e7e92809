/** File systems that we do not read, made by their own tools, and the names that people are told. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { FileSource } from "./block/file.ts";
import { MemorySource } from "./block/memory.ts";
import { readPartitions } from "./partitions.ts";
import { adviceOn, type FileSystemKind, recognise } from "./probe.ts";
import { runTool } from "./testdata/index.ts";

const dir = mkdtempSync(join(tmpdir(), "disk-probe-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const image = join(dir, "image");
const files = join(dir, "files");
mkdirSync(files);
writeFileSync(join(files, "file"), "text");

const LUKS = ["-q", "luksFormat", "--pbkdf-force-iterations", "1000", "--key-file", "-", "--type"];

/** What is made, how many mebibytes it needs, and with which command. */
const MADE: readonly (readonly [kind: FileSystemKind, mebibytes: number, program: string, args: readonly string[]])[] =
	[
		["btrfs", 120, "mkfs.btrfs", ["-q", image]],
		["erofs", 0, "mkfs.erofs", ["--quiet", image, files]],
		["exfat", 8, "mkfs.exfat", [image]],
		["f2fs", 60, "mkfs.f2fs", ["-q", image]],
		["iso9660", 0, "genisoimage", ["-quiet", "-o", image, files]],
		["luks", 20, "cryptsetup", [...LUKS, "luks1", image]],
		["luks", 20, "cryptsetup", [...LUKS, "luks2", "--pbkdf", "pbkdf2", image]],
		["ntfs", 8, "mkntfs", ["-F", "-q", "-Q", image]],
		["squashfs", 0, "mksquashfs", [files, image, "-quiet", "-no-progress"]],
		["swap", 1, "mkswap", ["-q", image]],
		["swap", 1, "mkswap", ["-q", "-p", "16384", image]],
		["xfs", 320, "mkfs.xfs", ["-q", image]],
	];

/** Whose tools want a block device and the kernel's help: by their magic, where their documentation has it. */
const BY_HAND: readonly (readonly [kind: FileSystemKind, offset: number, hex: string])[] = [
	["lvm2", 512, Buffer.from("LABELONE").toString("hex")],
	["mdraid", 4096, "fc4e2ba9"],
	["mdraid", 0, "fc4e2ba9"],
	["zfs", 0x20000, "0cb1ba0000000000"],
	["zfs", 0x20000 + 5 * 1024, "0000000000bab10c"],
	["bcachefs", 4096 + 24, "c68573f64e1a45ca8265f57f48ba6d81"],
	["swap", 65_526, Buffer.from("SWAPSPACE2").toString("hex")],
];

describe("what is on a partition", () => {
	for (const [kind, mebibytes, program, args] of MADE) {
		it(`is told: ${kind}, made by ${program} ${args.filter((word) => /^(luks\d|\d+)$/.test(word)).join(" ")}`, () => {
			rmSync(image, { force: true });
			if (mebibytes > 0) {
				writeFileSync(image, "");
				truncateSync(image, mebibytes * 1024 * 1024);
			}
			runTool(program, args, "a passphrase");
			const source = FileSource.open(image);
			assert.equal(recognise(source), kind);
			assert.equal(readPartitions(source).kind, "none");
			source.close();
		});
	}

	it("is told by its magic where no tool makes it in a file", () => {
		for (const [kind, offset, hex] of BY_HAND) {
			const bytes = Buffer.alloc(300_000);
			bytes.write(hex, offset, "hex");
			assert.equal(recognise(new MemorySource(bytes)), kind, hex);
		}
	});

	it("is what holds the others, when an older file system shines through", () => {
		const bytes = Buffer.alloc(100_000);
		bytes.write("53ef", 1024 + 0x38, "hex");
		assert.equal(recognise(new MemorySource(bytes)), "ext");
		bytes.write("fc4e2ba9", 4096, "hex");
		assert.equal(recognise(new MemorySource(bytes)), "mdraid");
	});

	it("has a name and an advice for people, unless it is read, swap or unknown", () => {
		const kinds = [...MADE, ...BY_HAND].map(([kind]) => kind);
		for (const kind of kinds) {
			const words = adviceOn(kind);
			assert.equal(words === undefined, kind === "swap", kind);
			assert.match(words?.advice ?? "Nothing to do.", /^[A-Z].*\.$/);
		}
		for (const kind of ["ext", "fat", "unknown"] as const) assert.equal(adviceOn(kind), undefined);
	});
});
