import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, describe, it } from "node:test";
import type { ImageLibrary } from "../images/index.ts";
import { openImageBytes } from "./image-bytes.ts";

type Images = Parameters<typeof openImageBytes>[0];

describe("an image as a file", () => {
	const folder = mkdtempSync(join(tmpdir(), "image-bytes-"));
	after(() => rmSync(folder, { recursive: true }));
	const packed = join(folder, "bench", "pi.img.gz");
	const raw = join(folder, "unpacked");
	mkdirSync(join(folder, "bench"));
	writeFileSync(packed, "packed");
	writeFileSync(raw, "unpacked bytes");
	const images = {
		list: () => [
			{ id: "pi", path: packed },
			{ id: "tree", path: folder },
		],
		choose: (id: string) => ({ build: id === "pi" ? { path: raw, source: {} } : { path: raw } }),
	} as unknown as Images & ImageLibrary;

	async function bytes(name: string, start = 0, length?: number): Promise<string | undefined> {
		const file = await openImageBytes(images, name);
		return file && Buffer.concat(await file.read(start, length ?? file.size).toArray()).toString();
	}

	it("is unpacked by its id or its folder's name, as it lies by its file's", async () => {
		assert.equal(await bytes("pi"), "unpacked bytes");
		assert.equal(await bytes("bench"), "unpacked bytes");
		assert.equal(await bytes("pi.img.gz"), "packed");
		assert.equal(await bytes("pi", 2, 8), "packed");
	});

	it("is none where it is a folder, or several files", async () => {
		for (const name of ["tree", basename(folder)]) assert.equal(await openImageBytes(images, name), undefined, name);
	});

	it("is none by any other name", async () => {
		for (const name of ["../bench/pi.img.gz", packed, "", ".", "..", "unpacked"]) {
			assert.equal(await openImageBytes(images, name), undefined, name);
		}
	});

	it("breaks off where the file is changed meanwhile", async () => {
		const file = await openImageBytes(images, "pi");
		assert.ok(file !== undefined);
		appendFileSync(raw, ", and more");
		await assert.rejects(file.read(0, file.size).toArray(), { code: "image-changed" });
		assert.notEqual((await openImageBytes(images, "pi"))?.etag, file.etag);
	});
});
