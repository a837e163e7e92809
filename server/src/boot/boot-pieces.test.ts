import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BlockFault, FileError } from "../base/index.ts";
import { BootPieces, isOfImage } from "./boot-pieces.ts";
import { Site } from "./testing/site.ts";

const LENGTH = 4096;

/** A tree of endless files, which counts how often it is read; each piece is full of its number. */
function bench(mostBytes?: number) {
	const reads: number[] = [];
	let failure: Error | undefined;
	const tree = {
		read(_ino: number, offset: number, target: Uint8Array): number {
			reads.push(offset / LENGTH);
			if (failure !== undefined) throw failure;
			target.fill(offset / LENGTH);
			return target.length;
		},
	};
	const pieces = new BootPieces(mostBytes);
	const open = () => {
		const file = pieces.open("a volume", tree, 7);
		const read = (piece: number, length = LENGTH) => file.read(piece * LENGTH, length);
		return { read, release: (piece: number) => file.release(piece * LENGTH), close: () => file.close() };
	};
	const fail = (error: Error | undefined) => {
		failure = error;
	};
	return { pieces, reads, open, fail };
}

describe("pieces of boot files", () => {
	test("one that many ask for is read once, and all get the same memory", async () => {
		const { reads, open } = bench();
		const all = await Promise.all([open().read(3), open().read(3), open().read(3)]);
		assert.deepEqual([reads, new Set(all).size, all[0]?.[0]], [[3], 1, 3]);
	});

	test("no more than the bound is kept, and what was asked for longest ago goes first", async () => {
		const { pieces, reads, open } = bench(3 * LENGTH);
		const [first, second] = [open(), open()];
		for (const piece of [0, 1, 2, 0, 3]) await first.read(piece);
		assert.equal(pieces.bytes, 3 * LENGTH);
		await second.read(0);
		await second.read(1);
		assert.deepEqual(reads, [0, 1, 2, 3, 1]);
	});

	test("a transfer that is alone keeps only what it sends from, and uses its memory again", async () => {
		const { pieces, open } = bench();
		const { read, release } = open();
		const first = await read(0);
		release(0);
		assert.equal(pieces.bytes, 0);
		await Promise.resolve();
		const second = await read(1);
		assert.deepEqual([second.buffer === first.buffer, second[0]], [true, 1]);
	});

	test("in a crowd what one has sent stays for the others, until nobody is left", async () => {
		const { pieces, reads, open } = bench();
		const [one, other] = [open(), open()];
		await one.read(0);
		one.release(0);
		one.close();
		await other.read(0);
		assert.deepEqual([reads, pieces.bytes], [[0], LENGTH]);
		other.close();
		assert.equal(pieces.bytes, 0);
	});

	test("memory that is being read into, or sent from, is nobody else's", async () => {
		const { open, fail } = bench(LENGTH);
		const [one, other] = [open(), open()];
		let arrive = () => {};
		const arrived = new Promise<void>((resolve) => {
			arrive = resolve;
		});
		fail(new BlockFault(arrived));
		const late = one.read(0);
		one.release(0);
		fail(undefined);
		const kept = await other.read(1);
		const more = await other.read(2);
		arrive();
		const three = [await late, kept, more];
		assert.equal(new Set(three.map(({ buffer }) => buffer)).size, 3);
		assert.deepEqual(
			three.map(([byte]) => byte),
			[0, 1, 2],
		);
	});

	test("a failure is told to all who wait for it, and tried again by the next", async () => {
		const { pieces, open, fail } = bench();
		const [one, other] = [open(), open()];
		fail(new FileError("EIO"));
		const results = await Promise.allSettled([one.read(0), other.read(0)]);
		assert.deepEqual(
			results.map(({ status }) => status),
			["rejected", "rejected"],
		);
		assert.equal(pieces.bytes, 0);
		fail(undefined);
		assert.equal((await one.read(0))[0], 0);
	});

	test("whatever transfers do, each reads what its file has, as long as it looks at it", async () => {
		const step = fc.record({ who: fc.nat(3), piece: fc.nat(9), what: fc.constantFrom("read", "release", "close") });
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
				const { pieces, open } = bench(4 * LENGTH);
				const transfers = Array.from({ length: 4 }, () => ({ file: open(), held: new Map<number, Buffer>() }));
				const check = () => {
					for (const { held } of transfers) for (const [piece, bytes] of held) assert.equal(bytes[LENGTH - 1], piece);
				};
				for (const { who, piece, what } of steps) {
					const transfer = transfers[who] ?? assert.fail();
					if (what === "read") transfer.held.set(piece, await transfer.file.read(piece));
					else if (what === "release") {
						transfer.file.release(piece);
						transfer.held.delete(piece);
					} else {
						transfer.file.close();
						transfers[who] = { file: open(), held: new Map() };
					}
					check();
					assert.ok(pieces.bytes <= 4 * LENGTH);
				}
				for (const { file } of transfers) file.close();
				assert.equal(pieces.bytes, 0);
			}),
		);
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
