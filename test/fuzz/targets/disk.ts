/**
 * Partition tables and file systems with parts of their metadata changed. An input does not hold an image but says what
 * is changed in one that the real tools have made: its first byte chooses the image, then each nine bytes are one change.
 *
 *     block(2) offset(2) operation(1) value(4)      block counts those of the image that are not empty
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkRange } from "../../../server/src/disk/block/source.ts";
import {
	type BlockSource,
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
import { number } from "../mutate.ts";
import { attempt, withoutParticulars } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { FuzzTarget } from "../target.ts";

const CHANGE_BYTES = 9;
const MAX_CHANGES = 40;

/** An image in memory that can be changed and is whole again afterwards. */
class Patient {
	readonly #bytes: Buffer;
	readonly #blockSize: number;
	/** Numbers of the blocks that are changed. */
	readonly #blocks: readonly number[];
	readonly #undo: { at: number; had: Buffer }[] = [];
	#size: number;

	/** @param isMetadata says which blocks are worth a change. */
	constructor(bytes: Buffer, blockSize: number, isMetadata: (block: Buffer, number: number) => boolean) {
		this.#bytes = bytes;
		this.#blockSize = blockSize;
		this.#size = bytes.length;
		const numbers = Array.from({ length: Math.floor(bytes.length / blockSize) }, (_, each) => each);
		this.#blocks = numbers.filter((each) => isMetadata(bytes.subarray(each * blockSize, (each + 1) * blockSize), each));
	}

	get blockCount(): number {
		return this.#blocks.length;
	}

	get blockSize(): number {
		return this.#blockSize;
	}

	#block(index: number): number {
		return this.#blocks[index % this.#blocks.length] ?? 0;
	}

	#write(at: number, bytes: Uint8Array): void {
		const room = this.#bytes.subarray(at, at + bytes.length);
		this.#undo.push({ at, had: Buffer.from(room) });
		room.set(bytes.subarray(0, room.length));
	}

	/** Makes the changes of an input. */
	change(input: Buffer): void {
		const end = Math.min(input.length, 1 + CHANGE_BYTES * MAX_CHANGES);
		for (let at = 1; at + CHANGE_BYTES <= end; at += CHANGE_BYTES) this.#apply(input.subarray(at, at + CHANGE_BYTES));
	}

	#apply(change: Buffer): void {
		const start = this.#block(change.readUInt16BE(0)) * this.#blockSize;
		const at = start + (change.readUInt16BE(2) % this.#blockSize);
		const value = change.readUInt32BE(5);
		const had = this.#bytes[at] ?? 0;
		switch (change.readUInt8(4) % 10) {
			case 0:
				this.#write(at, numberBytes(1, value));
				break;
			case 1:
				this.#write(at, numberBytes(2, value));
				break;
			case 2:
				this.#write(at, numberBytes(4, value));
				break;
			case 3:
				this.#write(at, numberBytes(4, value).reverse());
				break;
			case 4:
				this.#write(at, Buffer.of(had ^ (1 << (value % 8))));
				break;
			case 5:
				this.#write(at, Buffer.of((had + (value % 9) - 4) & 0xff));
				break;
			case 6:
				// A number that leads to another structure, or back to this one.
				this.#write(at, numberBytes(4, this.#block(value)));
				break;
			case 7: {
				const from = this.#block(value) * this.#blockSize;
				this.#write(start, Buffer.from(this.#bytes.subarray(from, from + this.#blockSize)));
				break;
			}
			case 8:
				this.#write(at, Buffer.alloc(Math.min(value % 4096, start + this.#blockSize - at)));
				break;
			default:
				this.#size = at;
		}
	}

	/** Takes all changes back. */
	heal(): void {
		for (let last = this.#undo.pop(); last !== undefined; last = this.#undo.pop()) this.#bytes.set(last.had, last.at);
		this.#size = this.#bytes.length;
	}

	/** The image as it is now, which may be read as often as any tree of its size needs. */
	source(): BlockSource {
		const bytes = this.#bytes;
		const size = this.#size;
		let reads = 0;
		return {
			size,
			read(offset, target) {
				if (++reads > MAX_READS) throw new Error(`more than ${MAX_READS} reads of an image of ${size} bytes`);
				checkRange(offset, target.length, size);
				target.set(bytes.subarray(offset, offset + target.length));
			},
		};
	}
}

const MAX_READS = 50_000;

/** Little endian. */
function numberBytes(width: number, value: number): Buffer {
	const bytes = Buffer.alloc(width);
	bytes.writeUIntLE(value % 2 ** (8 * width), 0, width);
	return bytes;
}

function changeOf(random: Random, patient: Patient): Buffer {
	const change = Buffer.alloc(CHANGE_BYTES);
	change.writeUInt16BE(random.below(patient.blockCount), 0);
	const at = random.below(patient.blockSize);
	change.writeUInt16BE(random.oneIn(4) ? at : at & ~3, 2);
	change.writeUInt8(random.pick([0, 0, 1, 1, 2, 2, 2, 3, 4, 5, 6, 6, 7, 8, 9]), 4);
	change.writeUInt32BE(number(random), 5);
	return change;
}

/** A target whose images are made when they are needed first. */
function diskTarget(
	name: string,
	make: (dir: string) => Patient[],
	run: (source: BlockSource, seen: Set<string>) => void,
	rest: Pick<FuzzTarget, "allowance" | "shortRuns">,
): FuzzTarget {
	let made: Patient[] | undefined;
	const patients = () => {
		made ??= inFolder(make);
		return made;
	};
	const patientOf = (input: Buffer) =>
		patients()[(input[0] ?? 0) % patients().length] ?? new Patient(Buffer.alloc(512), 512, () => true);
	return {
		name,
		...rest,
		longest: 1 + CHANGE_BYTES * MAX_CHANGES,
		seeds: () => patients().map((_, index) => Buffer.of(index)),
		mutate(random, input, other) {
			const isShared = input[0] === other[0];
			const changes = random.oneIn(3) && isShared ? [...cut(input), ...cut(other)] : cut(input);
			for (let count = random.below(4); count >= 0; count--) {
				if (random.oneIn(4) && changes.length > 0) changes.splice(random.below(changes.length), 1);
				else changes.push(changeOf(random, patientOf(input)));
			}
			return Buffer.concat([input.subarray(0, 1), ...changes.slice(-MAX_CHANGES)]);
		},
		run(input) {
			const patient = patientOf(input);
			const seen = new Set<string>();
			try {
				patient.change(input);
				run(patient.source(), seen);
			} finally {
				patient.heal();
			}
			return [...seen].join("\n");
		},
	};
}

function cut(input: Buffer): Buffer[] {
	const changes: Buffer[] = [];
	for (let at = 1; at + CHANGE_BYTES <= input.length; at += CHANGE_BYTES)
		changes.push(input.subarray(at, at + CHANGE_BYTES));
	return changes;
}

function inFolder<T>(make: (dir: string) => T): T {
	const dir = mkdtempSync(join(tmpdir(), "fuzz-disk-"));
	try {
		return make(dir);
	} finally {
		rmSync(dir, { recursive: true });
	}
}

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
function makeSource(dir: string): string {
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

function isMetadata(block: Buffer): boolean {
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
