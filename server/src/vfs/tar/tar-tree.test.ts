import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { BlockFault, FileError, isNetbootError } from "../../base/index.ts";
import { type BlockSource, MemorySource } from "../../disk/index.ts";
import { runTool } from "../../disk/testdata/index.ts";
import { readingSuite } from "../compliance.ts";
import { contentOf, find, fullSource, plainSource, writeSource } from "../compliance-source.ts";
import { list } from "../compliance-tools.ts";
import { DirectoryTree } from "../directory-tree.ts";
import { BLOCK } from "./header.ts";
import { isTar, TarIndexer, type TarTree } from "./tar-tree.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "tar-"));
after(() => fs.rmSync(dir, { recursive: true }));

const sourceDir = path.join(dir, "source");
fs.mkdirSync(sourceDir);
/** tar packs no sockets; devices need root. */
const isRoot = process.getuid?.() === 0;
const source = isRoot ? fullSource.filter(({ type }) => type !== "socket") : plainSource;
writeSource(sourceDir, plainSource);
if (isRoot) {
	fs.mkdirSync(path.join(sourceDir, "dev"), { mode: 0o755 });
	for (const { path: name, type, mode, major, minor } of source) {
		if (type !== "block" && type !== "character" && type !== "fifo") continue;
		const numbers = type === "fifo" ? ["p"] : [type === "block" ? "b" : "c", String(major), String(minor)];
		runTool("mknod", [path.join(sourceDir, name), ...numbers]);
		fs.chmodSync(path.join(sourceDir, name), mode);
	}
}

function pack(...args: string[]): Buffer {
	return runTool("tar", ["--numeric-owner", "--owner=0", "--group=0", ...args]);
}

function treeOf(bytes: Buffer): TarTree {
	return new TarIndexer(new MemorySource(bytes)).run();
}

for (const format of ["gnu", "posix"]) {
	const tree = treeOf(pack("-C", sourceDir, `--format=${format}`, "-cf", "-", "."));
	readingSuite(`a tar (${format})`, () => ({ tree }), source);
}

const inside = treeOf(pack("-C", dir, "-cf", "-", "source"));
readingSuite("a directory of a tar", () => ({ tree: new DirectoryTree(inside, find(inside, "source"), 2) }), source);

/** A member as old as it can be, for archives that no program makes. */
function member(name: string, type = "0", more: { link?: string; content?: string; size?: number } = {}): Buffer {
	const content = Buffer.from(more.content ?? "");
	const header = Buffer.alloc(BLOCK);
	header.write(name, 0, "latin1");
	header.write("0000644\0", 100);
	header.write("0000000\0", 108);
	header.write("0000000\0", 116);
	header.write(`${(more.size ?? content.length).toString(8).padStart(11, "0")}\0`, 124);
	header.write("00000000000\0", 136);
	header.write(type, 156);
	header.write(more.link ?? "", 157, "latin1");
	header.write("ustar\x0000", 257, "latin1");
	header.fill(" ", 148, 156);
	const sum = header.reduce((total, byte) => total + byte, 0);
	header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
	return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

const END = Buffer.alloc(2 * BLOCK);

function archive(...members: Buffer[]): Buffer {
	return Buffer.concat([...members, END]);
}

const text = (tree: TarTree, name: string) => contentOf(tree, find(tree, name)).toString();

describe("what a tar can hold", () => {
	test("owners, times to the nanosecond, sizes and names beyond what a header has room for", () => {
		const folder = path.join(dir, "large");
		const long = `${"d".repeat(75)}/${"e".repeat(75)}/${"f".repeat(75)}`;
		fs.mkdirSync(path.join(folder, path.dirname(long)), { recursive: true });
		fs.writeFileSync(path.join(folder, long), "deep");
		fs.symlinkSync(`/${"t".repeat(300)}`, path.join(folder, "link"));
		fs.utimesSync(path.join(folder, long), 1_700_000_000.25, 1_700_000_000.25);
		for (const format of ["gnu", "posix", "ustar"]) {
			const link = format === "ustar" ? ["--exclude=link"] : [];
			const owner = format === "ustar" ? 1000 : 3_000_000_000;
			const args = [
				...link,
				`--owner=${owner}`,
				`--group=${owner}`,
				"-C",
				folder,
				`--format=${format}`,
				"-cf",
				"-",
				".",
			];
			const tree = treeOf(runTool("tar", ["--numeric-owner", ...args]));
			const { uid, gid, mtime, size } = tree.getattr(find(tree, long));
			assert.deepEqual([uid, gid, size, text(tree, long)], [owner, owner, 4, "deep"], format);
			assert.deepEqual(mtime, { sec: 1_700_000_000, nsec: format === "posix" ? 250_000_000 : 0 });
			if (format !== "ustar") assert.equal(tree.readlink(find(tree, "link")).length, 301);
		}
	});

	test("sparse files, in each of the four ways to write them", () => {
		const folder = path.join(dir, "sparse");
		fs.mkdirSync(folder);
		const fd = fs.openSync(path.join(folder, "holes"), "w");
		for (let piece = 0; piece < 40; piece++) fs.writeSync(fd, `piece ${piece}`, piece * 100_000);
		fs.ftruncateSync(fd, 10_000_000);
		fs.closeSync(fd);
		const expected = fs.readFileSync(path.join(folder, "holes"));
		const ways = [
			["--format=gnu"],
			...["0.0", "0.1", "1.0"].map((version) => ["--format=posix", `--sparse-version=${version}`]),
		];
		for (const way of ways) {
			const bytes = pack("--sparse", ...way, "-C", folder, "-cf", "-", ".");
			assert.ok(bytes.length < 1_000_000);
			const tree = treeOf(bytes);
			const ino = find(tree, "holes");
			assert.ok(contentOf(tree, ino).equals(expected), way.join());
			const part = Buffer.alloc(7, 1);
			assert.equal(tree.read(ino, 100_003, part), 7);
			assert.ok(part.equals(expected.subarray(100_003, 100_010)));
		}
	});

	test("the last of several members with one name, as when it is unpacked", () => {
		const tree = treeOf(
			archive(
				member("./a", "0", { content: "first" }),
				member("./b", "1", { link: "./a" }),
				member("./a", "0", { content: "second" }),
				member("d", "0", { content: "a file first" }),
				member("d/", "5"),
				member("d/x", "0", { content: "x" }),
				member("d/", "5"),
			),
		);
		assert.deepEqual([text(tree, "a"), text(tree, "b"), text(tree, "d/x")], ["second", "first", "x"]);
		assert.deepEqual([tree.getattr(find(tree, "b")).nlink, tree.getattr(tree.root).nlink], [1, 3]);
		assert.deepEqual(
			list(tree, tree.root).map(({ name }) => name),
			["a", "b", "d"],
		);
	});

	test("directories that have no member of their own, and symlinks that lead anywhere: they are only text", () => {
		const tree = treeOf(
			archive(member("a/b/c", "0", { content: "deep" }), member("out", "2", { link: "../../etc/passwd" })),
		);
		assert.deepEqual([text(tree, "a/b/c"), tree.getattr(find(tree, "a/b")).mode], ["deep", 0o755]);
		assert.equal(tree.readlink(find(tree, "out")).toString(), "../../etc/passwd");
	});

	test("no end: it is said", () => {
		const whole = archive(member("a"));
		assert.deepEqual(treeOf(whole).findings, []);
		assert.match(treeOf(whole.subarray(0, BLOCK)).findings.join(), /cut off/);
	});
});

describe("what a tar must not hold", () => {
	const REFUSED: readonly (readonly [string, RegExp, Buffer])[] = [
		["a name that leads out", /a\/\.\.\/\.\.\/etc\/passwd leads out of the tree/, member("a/../../etc/passwd")],
		["an absolute name", /\/etc\/passwd is an absolute name/, member("/etc/passwd")],
		["a hard link that leads out", /leads out of the tree/, member("a", "1", { link: "../../etc/shadow" })],
		["a hard link to the host's files", /absolute name/, member("a", "1", { link: "/etc/shadow" })],
		["a hard link to what is not there", /not in the archive/, member("a", "1", { link: "b" })],
		["a hard link to itself", /not in the archive/, member("a", "1", { link: "a" })],
		[
			"a hard link to a directory",
			/to a directory/,
			Buffer.concat([member("d/", "5"), member("a", "1", { link: "d" })]),
		],
		[
			"a file below a symlink",
			/below s, which is a symlink/,
			Buffer.concat([member("s", "2", { link: "/etc" }), member("s/passwd")]),
		],
		["a file in the place of a full directory", /not empty/, Buffer.concat([member("d/x"), member("d")])],
		["a size beyond its end", /cut off inside of a/, member("a", "0", { size: 8 ** 10 })],
		["a name of 300 bytes", /300 bytes/, Buffer.concat([member("x", "L", { content: "n".repeat(300) }), member("x")])],
		["a header that is none", /no header at byte 512/, Buffer.concat([member("a"), Buffer.alloc(BLOCK, 1)])],
		[
			"headers before headers without end",
			/in a row/,
			Buffer.concat(Array.from({ length: 40 }, () => member("x", "g"))),
		],
		["a part of an archive in several volumes", /several volumes/, member("a", "M")],
		[
			"a pax record that is none",
			/no pax record/,
			Buffer.concat([member("x", "x", { content: "99 a=b\n" }), member("a")]),
		],
	];
	for (const [what, message, bytes] of REFUSED) {
		test(what, () => {
			assert.throws(
				() => treeOf(archive(bytes)),
				(error) => {
					assert.ok(isNetbootError(error) && /^(malformed|unsupported)-tar$/.test(error.code), String(error));
					assert.match(error.message, message);
					return true;
				},
			);
		});
	}

	test("anything: there is a tree that can be walked, or an error of ours", () => {
		const bytes = pack("--format=posix", "--sparse", "-C", sourceDir, "-cf", "-", "names", "directory", "symlink");
		const change = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.constantFrom(0, 0x20, 0x31, 0x37, 0x80, 0xff));
		fc.assert(
			fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), fc.boolean(), (changes, isRepaired) => {
				const broken = Buffer.from(bytes);
				for (const [at, value] of changes) broken[at] = value;
				if (isRepaired) for (const [at] of changes) repair(broken, at - (at % BLOCK));
				try {
					walk(treeOf(broken));
				} catch (error) {
					if (!isNetbootError(error)) throw error;
				}
			}),
			{ numRuns: 300 },
		);
	});
});

/** Gives a block a checksum that matches, where it may be a header. */
function repair(bytes: Buffer, at: number): void {
	if (bytes.toString("latin1", at + 257, at + 262) !== "ustar") return;
	bytes.fill(" ", at + 148, at + 156);
	const sum = bytes.subarray(at, at + BLOCK).reduce((total, byte) => total + byte, 0);
	bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148);
}

function walk(tree: TarTree, directory = tree.root, depth = 0): void {
	assert.ok(depth < 100);
	for (const { ino } of list(tree, directory)) {
		const { type, size } = tree.getattr(ino);
		if (type === "directory") walk(tree, ino, depth + 1);
		else if (type === "file") tree.read(ino, Math.max(0, size - 10), Buffer.alloc(20));
	}
}

test("an archive whose bytes come late is indexed where it was left", async () => {
	const bytes = pack("--format=posix", "-C", sourceDir, "-cf", "-", ".");
	const whole = new MemorySource(bytes);
	let warmTo = 0;
	let faults = 0;
	const slow: BlockSource = {
		size: bytes.length,
		read(offset, target) {
			if (offset + target.length > warmTo) {
				faults += 1;
				warmTo = offset + target.length + 10_000;
				throw new BlockFault(Promise.resolve());
			}
			whole.read(offset, target);
		},
	};
	const indexer = new TarIndexer(slow);
	for (;;) {
		try {
			const tree = indexer.run();
			assert.equal(tree.identity, treeOf(bytes).identity);
			assert.equal(list(tree, find(tree, "crowd")).length, 300);
			break;
		} catch (error) {
			if (!(error instanceof BlockFault)) throw error;
		}
	}
	assert.ok(faults > 10);
});

test("a tar is told from other things", () => {
	assert.equal(isTar(new MemorySource(archive(member("a")))), true);
	for (const bytes of [Buffer.alloc(0), Buffer.alloc(5000), Buffer.alloc(5000, "text "), END]) {
		assert.equal(isTar(new MemorySource(bytes)), false);
	}
	assert.throws(() => treeOf(archive(member("a"))).lookup(2, "b"), FileError);
});
