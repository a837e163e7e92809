/** Partition tables and file systems with parts of their metadata changed. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
	ExtFileSystem,
	FatFileSystem,
	readPartitions,
	recognise,
	SliceSource,
} from "../../../server/src/disk/index.ts";
import {
	entriesOf,
	makeDiskImage,
	makeExtImage,
	makeFatImage,
	type ReadableTree,
	runTool,
	writeWithDebugfs,
} from "../../../server/src/disk/testdata/index.ts";
import { openImageTrees } from "../../../server/src/vfs/index.ts";
import { attempt, withoutParticulars } from "../outcome.ts";
import { diskTarget, Patient } from "./patient.ts";

const target = Buffer.alloc(70_000);

/** Asks everything of a tree, of a bounded number of its files: a broken one may contain itself. */
function walk(tree: ReadableTree & { xattrs?(ino: number): unknown; statfs(): unknown }, seen: Set<string>): void {
	attempt(seen, () => tree.statfs());
	const queue = [tree.root];
	const known = new Set<number>();
	for (let ino = queue.pop(); ino !== undefined && known.size < 60; ino = queue.pop()) {
		if (known.has(ino)) continue;
		known.add(ino);
		const at = ino;
		const attributes = attempt(seen, () => tree.getattr(at));
		if (attributes === undefined) continue;
		if (attributes.type === "symlink") attempt(seen, () => tree.readlink(at));
		if (attributes.type === "file") readEnds(tree, at, attributes.size, seen);
		attempt(seen, () => tree.xattrs?.(at));
		if (attributes.type !== "directory") continue;
		attempt(seen, () => tree.parent(at));
		for (const { ino: child, name, cookie } of attempt(seen, () => entriesOf(tree, at)) ?? []) {
			if (cookie < 1 || name === "" || name.includes("/"))
				throw new Error(`an entry ${JSON.stringify(name)}, ${cookie}`);
			queue.push(child);
		}
	}
}

function readEnds(tree: ReadableTree, ino: number, size: number, seen: Set<string>): void {
	attempt(seen, () => tree.read(ino, 0, target));
	attempt(seen, () => tree.read(ino, Math.max(0, size - 10), target.subarray(0, 4096)));
	attempt(seen, () => tree.read(ino, Math.floor(size / 2), target.subarray(0, 4096)));
}

/** What the root of each image holds: several levels, long names, a file with holes and more blocks than fit an inode. */
export function makeSource(dir: string): string {
	const source = join(dir, "source");
	mkdirSync(join(source, "sub", "subsub"), { recursive: true });
	for (let each = 0; each < 24; each++)
		writeFileSync(join(source, "sub", `a file with number ${each}`), "x".repeat(90));
	writeFileSync(join(source, "file"), Buffer.alloc(300_000, FILLING));
	const sparse = join(source, "sparse");
	writeFileSync(sparse, "a");
	truncateSync(sparse, 600_000);
	return source;
}

/** What files are filled with, so that a block of theirs can be told from metadata. */
const FILLING = 7;

export function isMetadata(block: Buffer): boolean {
	return block[100] !== FILLING && block.some((byte) => byte !== 0);
}

const EXT_VARIANTS = [
	{ type: "ext2", features: "^metadata_csum" },
	{ type: "ext4", features: "^metadata_csum,^has_journal" },
	{ type: "ext4", features: "^metadata_csum,^has_journal,^64bit,^flex_bg,meta_bg,^resize_inode" },
	{ type: "ext4", features: "^metadata_csum,^has_journal,inline_data,ea_inode,large_dir" },
	{ type: "ext4", features: "^metadata_csum,^has_journal,bigalloc", extra: ["-C", "4096"] },
	{ type: "ext4", features: "^has_journal" },
] as const;

const EXT_COMMANDS = [
	`ea_set file user.name ${"v".repeat(300)}`,
	"symlink slow ".concat("t".repeat(100)),
	"symlink fast t",
	"mknod null c 1 3",
];

export const ext = diskTarget(
	"ext",
	(dir) => {
		const sourceDir = makeSource(dir);
		return EXT_VARIANTS.map((variant) => {
			const extra = ["-N", "64", "-m", "0", ...("extra" in variant ? variant.extra : [])];
			const { type, features } = variant;
			const image = makeExtImage(dir, {
				size: "2M",
				sourceDir,
				blockSize: 1024,
				type,
				features,
				extra,
				commands: EXT_COMMANDS,
			});
			return new Patient(readFileSync(image), 1024, isMetadata);
		});
	},
	(source, seen) => {
		const tree = attempt(seen, () => ExtFileSystem.open(source, { fsid: 1 }));
		if (tree === undefined) return;
		for (const finding of tree.findings) seen.add(withoutParticulars(finding));
		walk(tree, seen);
	},
	// A directory is read in pieces, a block may have 64 KiB, a value of an attribute too.
	{ allowance: 1 << 20, shortRuns: 700 },
);

export const journal = diskTarget(
	"journal",
	(dir) => {
		const sourceDir = makeSource(dir);
		const content = join(dir, "content");
		writeFileSync(content, Buffer.alloc(4096, 9));
		return ["", "-c", "-v 3"].map((checksums) => {
			const image = makeExtImage(dir, {
				size: "6M",
				sourceDir,
				blockSize: 1024,
				features: "^metadata_csum",
				extra: ["-J", "size=1"],
			});
			const log = [
				`jo ${checksums}`,
				`jw -b 4000,4001,4002,4003 ${content}`,
				"jw -r 4001,4002",
				`jw -b 4001 ${content}`,
				"jc",
			];
			writeWithDebugfs(image, log);
			const bytes = readFileSync(image);
			const start = bytes.indexOf(Buffer.from("c03b3998", "hex")) / 1024;
			return new Patient(bytes, 1024, (_block, at) => at >= start && at < start + 14);
		});
	},
	(source, seen) => {
		const tree = attempt(seen, () => ExtFileSystem.open(source, { fsid: 1 }));
		for (const finding of tree?.findings ?? []) seen.add(withoutParticulars(finding));
	},
	{ shortRuns: 300 },
);

export const fat = diskTarget(
	"fat",
	(dir) => {
		const sourceDir = makeSource(dir);
		const shapes = [
			{ bits: 12, sizeKiB: 2800, sectorsPerCluster: 2 },
			{ bits: 16, sizeKiB: 6000, sectorsPerCluster: 1 },
			{ bits: 32, sizeKiB: 34_000, sectorsPerCluster: 1 },
		] as const;
		return shapes.map(
			(shape) => new Patient(readFileSync(makeFatImage(dir, { ...shape, sourceDir })), 512, isMetadata),
		);
	},
	(source, seen) => {
		const tree = attempt(seen, () => FatFileSystem.open(source, { fsid: 1 }));
		if (tree !== undefined) walk(tree, seen);
	},
	// A directory may have 65,536 entries of 32 bytes, and a run of its clusters is read in one piece.
	{ allowance: (2 << 20) + 65_536, shortRuns: 700 },
);

function sfdisk(dir: string, script: string): Buffer {
	const path = join(dir, "sfdisk.img");
	writeFileSync(path, "");
	truncateSync(path, 8 << 20);
	runTool("sfdisk", ["-q", path], script);
	return readFileSync(path);
}

const LOGICAL =
	"label: dos\nsize=1MiB,type=c\nsize=5MiB,type=f\nx5: size=500KiB,type=83\nx6: size=500KiB,type=82\nx7: size=500KiB,type=83\n";

export const partitions = diskTarget(
	"partitions",
	(dir) => {
		const boot = makeFatImage(dir, { sizeKiB: 1024 });
		const root = makeExtImage(dir, { size: "1M", features: "^metadata_csum", extra: ["-N", "16"] });
		const disks: Buffer[] = (["mbr", "gpt"] as const).map((table) =>
			readFileSync(makeDiskImage(dir, { boot, root, table })),
		);
		disks.push(sfdisk(dir, LOGICAL), readFileSync(boot), readFileSync(root));
		return disks.map(
			(bytes) =>
				new Patient(
					bytes,
					512,
					(block, at) => (at < 4 || at > bytes.length / 512 - 4 || block[510] === 0x55) && isMetadata(block),
				),
		);
	},
	(source, seen) => {
		const table = attempt(seen, () => readPartitions(source));
		for (const finding of table?.findings ?? []) seen.add(withoutParticulars(finding));
		for (const { start, size } of table?.partitions ?? []) {
			attempt(seen, () => seen.add(recognise(new SliceSource(source, start, size))));
		}
		for (const finding of openImageTrees(source).findings) seen.add(withoutParticulars(finding));
	},
	{ allowance: 2 << 20, shortRuns: 1000 },
);
