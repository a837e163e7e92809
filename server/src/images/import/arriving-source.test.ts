import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { BlockFault, whenReady } from "../../base/index.ts";
import { FatFileSystem, readPartitions, SliceSource } from "../../disk/index.ts";
import { makePiImage } from "../../vfs/image/testing/images.ts";
import { readTextAt } from "../../vfs/index.ts";
import { ArrivingSource } from "./arriving-source.ts";
import { SparseWriter } from "./sparse-writer.ts";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "arriving-"));
after(() => fs.rmSync(dir, { recursive: true }));
const image = fs.readFileSync(makePiImage(dir));

function startArriving(name: string) {
	const part = path.join(dir, name);
	const fd = fs.openSync(part, "w");
	const writer = new SparseWriter(fd);
	const source = new ArrivingSource(part, image.length);
	let sent = 0;
	const arrive = (bytes: number) => {
		writer.write(image.subarray(sent, bytes));
		sent = Math.max(sent, bytes);
		source.advance(writer.flushed);
	};
	const end = () => {
		source.close();
		fs.closeSync(fd);
	};
	return { source, arrive, end, part };
}

test("boot files are there long before the end has arrived; what has not is waited for", async () => {
	const { source, arrive, end, part } = startArriving("a.part");
	const first = whenReady(() => {
		const [boot = assert.fail()] = readPartitions(source).partitions;
		const fat = FatFileSystem.open(new SliceSource(source, boot.start, boot.size), { fsid: 2 });
		return readTextAt(fat, "/config.txt");
	});
	const half = image.length / 2;
	for (let at = 100_000; at < half; at += 100_000) arrive(at);
	assert.equal(await first, "arm_64bit=1\n");
	const tail = Buffer.alloc(5000);
	assert.throws(() => source.read(image.length - 5000, tail), BlockFault);
	fs.renameSync(part, path.join(dir, "whole.img"));
	const last = whenReady(() => source.read(image.length - 5000, tail));
	arrive(image.length);
	source.advance(image.length);
	await last;
	assert.ok(tail.equals(image.subarray(image.length - 5000)));
	const all = Buffer.alloc(half);
	source.read(0, all);
	assert.ok(all.equals(image.subarray(0, half)));
	end();
});

test("when nothing more will come, who waits is told, and what is there stays", async () => {
	const { source, arrive, end } = startArriving("b.part");
	arrive(2 << 20);
	const waiting = whenReady(() => source.read(3 << 20, Buffer.alloc(10)));
	source.fail(new Error("it is damaged"));
	await assert.rejects(waiting, { code: "EIO", message: "it is damaged" });
	source.read(0, Buffer.alloc(1000));
	assert.throws(() => source.read(image.length, Buffer.alloc(1)), { code: "malformed-image" });
	end();
	assert.throws(() => source.read(0, Buffer.alloc(1)), { code: "closed" });
});
