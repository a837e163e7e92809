/** Packed images and archives, as somebody may download them from anywhere. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import { MemorySource, recognisePacking, unpack, unpackedSize } from "../../../server/src/disk/index.ts";
import { runTool } from "../../../server/src/disk/testdata/index.ts";
import { isTar, TarIndexer, type TarTree } from "../../../server/src/vfs/tar/index.ts";
import { mutateBytes } from "../mutate.ts";
import { attempt, refusal, withoutParticulars } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { FuzzTarget } from "../target.ts";

const CONTENT = Buffer.from("an image\n".repeat(40));

/** A zip with one deflated file, as its central directory has to have it. */
function zip(name: string): Buffer {
	const packed = deflateRawSync(CONTENT);
	const sizes = Buffer.alloc(16);
	sizes.writeUInt32LE(crc32(CONTENT), 0);
	sizes.writeUInt32LE(packed.length, 4);
	sizes.writeUInt32LE(CONTENT.length, 8);
	sizes.writeUInt16LE(name.length, 12);
	const local = Buffer.concat([head(0x04034b50, 10), sizes, Buffer.from(name), packed]);
	const central = Buffer.concat([head(0x02014b50, 12), sizes, Buffer.alloc(14), Buffer.from(name)]);
	const end = Buffer.alloc(22);
	end.writeUInt32LE(0x06054b50, 0);
	end.writeUInt16LE(1, 8);
	end.writeUInt16LE(1, 10);
	end.writeUInt32LE(central.length, 12);
	end.writeUInt32LE(local.length, 16);
	return Buffer.concat([local, central, end]);
}

/** A signature, and the fields up to the checksum; the method is 8, deflate. */
function head(signature: number, behind: number): Buffer {
	const bytes = Buffer.alloc(4 + behind);
	bytes.writeUInt32LE(signature, 0);
	bytes.writeUInt16LE(20, behind === 12 ? 6 : 4);
	bytes.writeUInt16LE(8, behind === 12 ? 10 : 8);
	return bytes;
}

export const packed: FuzzTarget = {
	name: "packed",
	words: [
		"PK\x01\x02",
		"PK\x03\x04",
		"PK\x05\x06",
		"PK\x06\x07",
		"YZ",
		".img",
		Buffer.from("fd377a585a00", "hex"),
		Buffer.from("28b52ffd", "hex"),
	],
	shortRuns: 500,
	// What is unpacked comes in pieces of a mebibyte.
	allowance: 2 << 20,
	seeds: () => [
		gzipSync(CONTENT),
		zstdCompressSync(CONTENT),
		zip("raspios.img"),
		runTool("xz", ["-c"], CONTENT.toString()),
	],
	async run(input) {
		const source = new MemorySource(input);
		const packing = recognisePacking(input.subarray(0, 6));
		if (packing === undefined) return "not packed";
		const seen = new Set<string>([packing]);
		const size = attempt(seen, () => unpackedSize(source, packing));
		assert.ok(size === undefined || (Number.isSafeInteger(size) && size >= 0), `size ${size}`);
		// xz runs as a program or as WASM, neither of which is ours.
		if (packing === "xz" || packing === "bzip2") return [...seen, `size ${size !== undefined}`].join("\n");
		let bytes = 0;
		try {
			for await (const chunk of unpack(
				{ source, stream: (start, length) => chunks(input.subarray(start, start + length)) },
				packing,
			)) {
				bytes += chunk.length;
				if (bytes > 1 << 26) break;
			}
			seen.add(`unpacked ${bytes === CONTENT.length}`);
		} catch (error) {
			seen.add(refusal(error));
		}
		return [...seen].join("\n");
	},
};

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

const BLOCK = 512;

/** Whatever is changed in a header, its checksum is right again: so what it says is read. */
function repaired(bytes: Buffer): Buffer {
	for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
		if (bytes.toString("latin1", at + 257, at + 262) !== "ustar") continue;
		bytes.fill(" ", at + 148, at + 156);
		const sum = bytes.subarray(at, at + BLOCK).reduce((total, byte) => total + byte, 0);
		bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148);
	}
	return bytes;
}

/** Changes fields of headers and whole blocks. */
function mutateTar(random: Random, input: Buffer, other: Buffer): Buffer {
	const blocks = Math.floor(input.length / BLOCK);
	if (blocks === 0) return mutateBytes(random, input, other, { words: [], longest: 16_384 });
	const bytes = Buffer.from(input);
	const at = BLOCK * random.below(blocks);
	const fields = [0, 100, 108, 116, 124, 136, 156, 157, 257, 329, 337, 345, 386, 482, 483];
	const from = at + random.pick(fields);
	const digits = random.pick([
		"77777777777",
		"00000000000",
		"-1",
		"\x80\xff\xff\xff\xff\xff\xff\xff",
		"../x",
		"/etc/passwd",
		"5",
		"L",
		"x",
		"S",
		"1",
	]);
	if (random.oneIn(4))
		return repaired(
			Buffer.concat([bytes.subarray(0, at), other.subarray(0, BLOCK * (1 + random.below(3))), bytes.subarray(at)]),
		);
	bytes.write(digits, from, Math.min(digits.length, bytes.length - from), "latin1");
	return repaired(bytes);
}

function walk(tree: TarTree, seen: Set<string>): void {
	const queue = [tree.root];
	const known = new Set<number>();
	for (let ino = queue.pop(); ino !== undefined; ino = queue.pop()) {
		assert.ok(!known.has(ino) || tree.getattr(ino).type !== "directory", "a directory is there twice");
		known.add(ino);
		const at = ino;
		const { type, size } = tree.getattr(at);
		if (type === "file") attempt(seen, () => tree.read(at, Math.max(0, size - 1000), Buffer.alloc(2000)));
		if (type === "symlink") tree.readlink(at);
		if (type === "directory") tree.readdir(at, 0, ({ ino: child }) => queue.push(child) > 0);
	}
}

export const tar: FuzzTarget = {
	name: "tar",
	longest: 32_768,
	shortRuns: 500,
	mutate: mutateTar,
	words: ["\n", "30 path=", "20 size=", "ustar", "GNU.sparse.map="],
	seeds() {
		const dir = mkdtempSync(join(tmpdir(), "fuzz-tar-"));
		try {
			mkdirSync(join(dir, "etc"));
			writeFileSync(join(dir, "etc", "fstab"), "proc /proc proc defaults 0 0\n");
			writeFileSync(join(dir, "n".repeat(120)), "long");
			symlinkSync("etc/fstab", join(dir, "link"));
			writeFileSync(join(dir, "sparse"), "a");
			truncateSync(join(dir, "sparse"), 1_000_000);
			const pack = (...args: string[]) =>
				runTool("tar", ["-b", "1", "--owner=0", "--group=0", "-C", dir, ...args, "-cf", "-", "."]);
			return [pack("--format=gnu"), pack("--format=posix", "--sparse"), pack("--format=gnu", "--sparse")].filter(
				({ length }) => length < 32_768,
			);
		} finally {
			rmSync(dir, { recursive: true });
		}
	},
	run(input) {
		const source = new MemorySource(input);
		const seen = new Set<string>([`tar ${isTar(source)}`]);
		const tree = attempt(seen, () => new TarIndexer(source).run());
		if (tree === undefined) return [...seen].join("\n");
		for (const finding of tree.findings) seen.add(withoutParticulars(finding));
		walk(tree, seen);
		return [...seen].join("\n");
	},
};
