import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { BlockFault, FileError } from "../base/index.ts";
import { resolvePath } from "../vfs/index.ts";
import { KernelScanner, scanKernel } from "./kernel-scan.ts";
import { makeTree } from "./testing/tree.ts";

const BANNER = "Linux version %s (%s)\0Linux version 6.12.47+rpt-rpi-v8 (serge@raspberrypi.com) (gcc) #1\n\0";
const CONFIG = "CONFIG_IP_PNP=y\n";

function arm64Image(...parts: (string | Buffer)[]): Buffer {
	const head = Buffer.alloc(1024);
	head.write("ARM\x64", 56, "latin1");
	return Buffer.concat([head, ...parts.map((part) => Buffer.from(part))]);
}

function scan(kernel: Buffer) {
	const tree = makeTree({ "/kernel8.img": kernel });
	return scanKernel(tree, resolvePath(tree, "/kernel8.img") ?? 0);
}

const WHOLE = arm64Image(Buffer.alloc(3_000_000, "x"), "IKCFG_ST", gzipSync(CONFIG), "IKCFG_ED", BANNER);
const FOUND = { bits: 64, version: "6.12.47+rpt-rpi-v8", config: CONFIG };

describe("looking into a kernel", () => {
	it("finds the same in a packed kernel and in a plain one, longer than a piece", async () => {
		assert.deepEqual(await scan(WHOLE), FOUND);
		assert.deepEqual(await scan(gzipSync(WHOLE)), FOUND);
	});

	it("finds the packed part of a zImage, and minds neither its code nor what stands behind", async () => {
		const unpacker = Buffer.alloc(20_000, "code");
		unpacker.writeUInt32LE(0x016f2818, 36);
		const inside = Buffer.concat([randomBytes(900_000), Buffer.from(BANNER)]);
		const kernel = Buffer.concat([unpacker, gzipSync(inside), randomBytes(700_000)]);
		assert.deepEqual(await scan(kernel), { bits: 32, version: FOUND.version, config: undefined });
	});

	it("stops where everything was found: what is broken behind it does no harm", async () => {
		const kernel = arm64Image("IKCFG_ST", gzipSync(CONFIG), "IKCFG_ED", BANNER, randomBytes(2_000_000));
		const packed = gzipSync(kernel);
		packed.fill(0xff, packed.length - 1000);
		assert.deepEqual(await scan(packed), FOUND);
	});

	it("reads a chance match of gzip's magic as what it is", async () => {
		const kernel = Buffer.concat([Buffer.from([0x1f, 0x8b, 0x08, 0xff]), Buffer.from(BANNER)]);
		assert.deepEqual(await scan(kernel), { bits: undefined, version: FOUND.version, config: undefined });
	});

	it("gives up on a kernel that unpacks to more than any kernel has", async () => {
		const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024), { level: 1 });
		assert.deepEqual(await scan(bomb), { bits: undefined, version: undefined, config: undefined });
	});

	it("says what made reading fail, and waits for bytes that are not at hand", async () => {
		const tree = makeTree({ "/kernel8.img": gzipSync(WHOLE) });
		const ino = resolvePath(tree, "/kernel8.img") ?? 0;
		const { read } = tree;
		let faults = 0;
		tree.read = (...call) => {
			if (faults++ % 2 === 0) throw new BlockFault(Promise.resolve());
			return read.apply(tree, call);
		};
		assert.deepEqual(await scanKernel(tree, ino), FOUND);
		assert.ok(faults > 2);
		tree.read = () => {
			throw new FileError("EAGAIN");
		};
		await assert.rejects(scanKernel(tree, ino), { code: "EAGAIN" });
	});

	it("finds everything wherever the pieces end", () => {
		const kernel = arm64Image("IKCFG_ST", gzipSync(CONFIG), "IKCFG_ED", "Linux version %s", BANNER);
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (lengths) => {
				const scanner = new KernelScanner();
				for (let at = 0, turn = 0; at < kernel.length; turn++) {
					const length = lengths[turn % lengths.length] ?? 1;
					scanner.push(kernel.subarray(at, at + length));
					at += length;
				}
				assert.deepEqual([scanner.arm64, scanner.version, scanner.config], [true, FOUND.version, CONFIG]);
			}),
		);
	});
});
