import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BlockFault, FileError } from "../base/index.ts";
import { BootPieces, isOfImage } from "./boot-pieces.ts";
import { Site } from "./testing/site.ts";

const LENGTH = 4096;

/** A tree of one endless file, which counts how often it is read. */
function bench(mostBytes?: number) {
	const reads: number[] = [];
	let failure: Error | undefined;
	const tree = {
		read(_ino: number, offset: number, target: Uint8Array): number {
			reads.push(offset);
			if (failure !== undefined) throw failure;
			target.fill(offset / LENGTH);
			return target.length;
		},
	};
	const pieces = new BootPieces(mostBytes);
	pieces.enter();
	const read = (piece: number, length = LENGTH) => pieces.read("a volume", tree, 7, piece * LENGTH, length);
	const fail = (error: Error | undefined) => {
		failure = error;
	};
	return { pieces, reads, read, fail };
}

describe("pieces of boot files", () => {
	test("one that many ask for is read once, and all get the same memory", async () => {
		const { reads, read } = bench();
		const all = await Promise.all([read(3), read(3), read(3)]);
		assert.deepEqual([reads, new Set(all).size, all[0]?.[0]], [[3 * LENGTH], 1, 3]);
	});

	test("no more than the bound is kept, and what was asked for longest ago goes first", async () => {
		const { pieces, reads, read } = bench(3 * LENGTH);
		for (const piece of [0, 1, 2, 0, 3]) await read(piece);
		assert.equal(pieces.bytes, 3 * LENGTH);
		await read(0);
		await read(1);
		assert.deepEqual(
			reads.map((offset) => offset / LENGTH),
			[0, 1, 2, 3, 1],
		);
	});

	test("nothing is kept when no transfer runs any more", async () => {
		const { pieces, reads, read } = bench();
		pieces.enter();
		await read(0);
		pieces.leave();
		assert.equal(pieces.bytes, LENGTH);
		pieces.leave();
		assert.equal(pieces.bytes, 0);
		await read(0);
		assert.equal(reads.length, 2);
	});

	test("a failure is told to all who wait for it, and tried again by the next", async () => {
		const { pieces, read, fail } = bench();
		fail(new FileError("EIO"));
		const results = await Promise.allSettled([read(0), read(0)]);
		assert.deepEqual(
			results.map(({ status }) => status),
			["rejected", "rejected"],
		);
		assert.equal(pieces.bytes, 0);
		fail(undefined);
		assert.equal((await read(0)).length, LENGTH);
	});

	test("bytes that are not at hand are waited for", async () => {
		const { read, fail } = bench();
		fail(new BlockFault(Promise.resolve().then(() => fail(undefined))));
		assert.equal((await read(1))[0], 1);
	});
});

describe("whose file it is", () => {
	test("the image's, until the device changes it; what only the device has is the device's", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		const original = site.images.newest?.build.trees().boot?.tree ?? assert.fail("no boot volume");
		const { export: exported, node } = await site.resolve(await site.boot(device, client), client);
		const step = ({ tree, ino }: typeof node, name: string) => exported.cross({ tree, ino: tree.lookup(ino, name) });
		const { tree, ino } = step(step(node, "boot"), "firmware");
		const kernel = tree.lookup(ino, "kernel8.img");
		const isShared = (file: number) => isOfImage(file, tree, original);
		assert.ok(isShared(kernel));
		exported.transaction(() => tree.write(kernel, 0, Buffer.from("K")));
		assert.ok(!isShared(kernel));
		const own = exported.transaction(() => tree.create(ino, "own.img", { mode: 0o755, uid: 0, gid: 0 }));
		assert.ok(!isShared(own));
		assert.equal((await site.fetch(`${device.serial}/kernel8.img`, client))?.toString(), "Kernel");
	});
});
