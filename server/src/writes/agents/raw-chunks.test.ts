import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { RawChunks } from "./raw-chunks.ts";

const PLAIN = Buffer.from("not worth packing");
const PACKED = zstdCompressSync(Buffer.alloc(8192, "text "));
const NAME = "ab".repeat(32);
const MAP = {
	pack: { sha256: "cd".repeat(32) },
	chunks: [
		[0, 0, PLAIN.length, 0, "", [0, 1], []],
		[7, PLAIN.length, PACKED.length, 1, "", [0, 2], []],
		[9, 0, 0, 0, "", [], [0, 5]],
	],
};

function shelf() {
	const read = { maps: 0 };
	const file = (bytes: Buffer) => ({
		name: NAME,
		size: bytes.length,
		read: (start: number, end: number) => Readable.from([bytes.subarray(start, end)]),
	});
	const packs = {
		async map(name: string) {
			read.maps++;
			return name === NAME ? file(Buffer.from(JSON.stringify(MAP))) : undefined;
		},
		pack: async () => file(Buffer.concat([PLAIN, PACKED])),
	};
	return { packs, read };
}

describe("chunks for who cannot unpack", () => {
	it("are given as they were before they were packed; the map is read once for many", async () => {
		const { packs, read } = shelf();
		const chunks = new RawChunks(packs);
		assert.deepEqual(await chunks.get(NAME, 0), PLAIN);
		assert.deepEqual(await chunks.get(NAME, 7), Buffer.alloc(8192, "text "));
		assert.equal(read.maps, 1);
	});

	it("are not there for numbers and names that nobody has, or without data", async () => {
		const chunks = new RawChunks(shelf().packs);
		for (const number of [1, 8, 9, 1e9]) assert.equal(await chunks.get(NAME, number), undefined);
		assert.equal(await chunks.get("another", 0), undefined);
	});
});
