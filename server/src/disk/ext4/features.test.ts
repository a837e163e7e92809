/** Every feature flag of ext4, one after the other, in an image that has it: read, named in a finding, or refused by name. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { crc32c } from "../block/crc.ts";
import { MemorySource } from "../block/memory.ts";
import { askDebugfs, contentOf, find, makeExtImage } from "../testdata/index.ts";
import { FEATURES, type Feature, type FeatureWord } from "./features.ts";
import { ExtFileSystem } from "./filesystem.ts";

const dir = mkdtempSync(join(tmpdir(), "disk-features-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const source = join(dir, "source");
mkdirSync(join(source, "folder"), { recursive: true });
writeFileSync(join(source, "folder", "file"), "content");

/** What mke2fs makes when it is asked, and with which other options. */
const MAKE: Readonly<Record<string, { readonly features?: string; readonly extra?: readonly string[] }>> = {
	sparse_super2: { features: "sparse_super2,^resize_inode" },
	has_journal: {},
	ext_attr: {},
	resize_inode: {},
	dir_index: {},
	fast_commit: { features: "fast_commit" },
	stable_inodes: { features: "stable_inodes" },
	orphan_file: { features: "orphan_file" },
	filetype: {},
	extent: {},
	"64bit": {},
	flex_bg: {},
	meta_bg: { features: "meta_bg,^resize_inode" },
	mmp: { features: "mmp" },
	ea_inode: { features: "ea_inode" },
	metadata_csum_seed: { features: "metadata_csum_seed" },
	large_dir: { features: "large_dir" },
	inline_data: { features: "inline_data" },
	encrypt: { features: "encrypt" },
	casefold: { features: "casefold", extra: ["-E", "encoding=utf8"] },
	sparse_super: {},
	large_file: {},
	huge_file: {},
	uninit_bg: { features: "^metadata_csum,uninit_bg" },
	dir_nlink: {},
	extra_isize: {},
	quota: { features: "quota" },
	project: { features: "quota,project" },
	bigalloc: { features: "bigalloc" },
	metadata_csum: {},
	verity: { features: "verity" },
};

const OFFSET: Readonly<Record<FeatureWord, number>> = { compat: 0x5c, incompat: 0x60, roCompat: 0x64 };

/** Sets a flag in the superblock by hand, with its checksum made right. */
function withFlag(bytes: Buffer, word: FeatureWord, bit: number): Buffer {
	const copy = Buffer.from(bytes);
	const superblock = copy.subarray(1024, 2048);
	superblock.writeUInt32LE((superblock.readUInt32LE(OFFSET[word]) | bit) >>> 0, OFFSET[word]);
	superblock.writeUInt32LE(crc32c(0xffffffff, superblock, 0, 0x3fc), 0x3fc);
	return copy;
}

const plain = readFileSync(makeExtImage(dir, { size: "8M", sourceDir: source, name: "plain.img" }));

function imageWith({ name, word, bit }: Feature): Buffer {
	const make = MAKE[name];
	if (make === undefined) return withFlag(plain, word, bit);
	return readFileSync(makeExtImage(dir, { size: "8M", sourceDir: source, name: "made.img", ...make }));
}

function open(bytes: Buffer): ExtFileSystem {
	return ExtFileSystem.open(new MemorySource(bytes), { fsid: 1 });
}

/** Flags without which an image of ours would not be what it is, so that they cannot be set over it by hand. */
const ELSEWHERE: Readonly<Record<string, string>> = {
	needs_recovery: "journal/recover.test.ts",
	journal_dev: "filesystem.test.ts",
};

describe("the features of ext4", () => {
	for (const feature of FEATURES.filter(({ name }) => ELSEWHERE[name] === undefined)) {
		it(`${feature.name}: ${feature.rank}`, () => {
			const bytes = imageWith(feature);
			assert.ok(bytes.readUInt32LE(1024 + OFFSET[feature.word]) & feature.bit, "the image has the flag");
			if (feature.rank === "refused") {
				assert.throws(() => open(bytes), { code: "unsupported-ext4", message: new RegExp(feature.name) });
				return;
			}
			const tree = open(bytes);
			assert.equal(contentOf(tree, find(tree, "folder/file")).toString(), "content");
			const expected = feature.rank === "finding" ? 1 : 0;
			assert.equal(tree.findings.length, expected, tree.findings.join());
			if (expected === 1) assert.match(tree.findings[0] ?? "", new RegExp(`\\(${feature.name}\\)$`));
		});
	}

	it("that nobody knows yet are refused when they forbid reading, else named", () => {
		assert.throws(() => open(withFlag(plain, "incompat", 0x4000_0000)), { message: /0x40000000/ });
		assert.match(open(withFlag(plain, "compat", 0x8000_0000)).findings.join(), /s_feature_compat 0x80000000/);
		assert.match(open(withFlag(plain, "roCompat", 0x4000_0000)).findings.join(), /s_feature_ro_compat 0x40000000/);
	});

	it("are all those that debugfs knows, under its names", () => {
		const names = askDebugfs(join(dir, "plain.img"), "supported_features").replace(/^.*?:/, "").split("\n")[0] ?? "";
		const known = new Set(FEATURES.map(({ name }) => name));
		assert.deepEqual(
			names
				.trim()
				.split(/\s+/)
				.filter((name) => !known.has(name)),
			[],
		);
	});
});
