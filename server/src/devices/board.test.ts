import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decodeRevision, MODELS, modelName, modelOfDeviceTree, socOfBootFile } from "./board.ts";

const MIB = 1024 * 1024;

describe("revision codes", () => {
	const known: [number, string, string, number, string | undefined][] = [
		[0xa02082, "pi3b", "BCM2837", 1024, "1.2"],
		[0xa020d3, "pi3bp", "BCM2837", 1024, "1.3"],
		[0xa22042, "pi2b", "BCM2837", 1024, "1.2"],
		[0xa01041, "pi2b", "BCM2836", 1024, "1.1"],
		[0xc03112, "pi4", "BCM2711", 4096, "1.2"],
		[0xd03114, "pi4", "BCM2711", 8192, "1.4"],
		[0xc03130, "pi400", "BCM2711", 4096, "1.0"],
		[0xa03141, "cm4", "BCM2711", 1024, "1.1"],
		[0xc04170, "pi5", "BCM2712", 4096, "1.0"],
		[0xd04170, "pi5", "BCM2712", 8192, "1.0"],
		[0xe04171, "pi5", "BCM2712", 16384, "1.1"],
		[0x900092, "pizero", "BCM2835", 512, "1.2"],
		[0x0002, "pi1b", "BCM2835", 256, undefined],
		[0x0010, "pi1bp", "BCM2835", 512, undefined],
		[0x1000010, "pi1bp", "BCM2835", 512, undefined],
	];
	for (const [code, model, soc, mebibytes, revision] of known) {
		test(`0x${code.toString(16)} is a ${model}`, () => {
			const board = decodeRevision(code);
			assert.deepEqual([board.model, board.soc, board.memory, board.revision], [model, soc, mebibytes * MIB, revision]);
		});
	}

	test("a 2B v1.2 has the ROM of a 3B, a v1.1 needs a card", () => {
		assert.equal(decodeRevision(0xa22042).netboot, "rom");
		assert.equal(decodeRevision(0xa01041).netboot, "card");
	});

	test("what is not known is not guessed, and no code is too odd", () => {
		assert.equal(decodeRevision(0xc0f1f0).model, undefined);
		assert.equal(decodeRevision(0xf03112).memory, undefined);
		assert.equal(decodeRevision(0xffff).model, undefined);
		fc.assert(
			fc.property(fc.nat(0xffffffff), (code) => {
				const { memory } = decodeRevision(code);
				assert.ok(memory === undefined || (memory >= 256 * MIB && memory <= 16384 * MIB));
			}),
		);
	});

	test("names for people carry the memory where it is known", () => {
		assert.equal(modelName("pi5", 0xd04170), "Raspberry Pi 5 Model B, 8 GB");
		assert.equal(modelName("pi1b", 0x0002), "Raspberry Pi Model B, 256 MB");
		assert.equal(modelName("pi4", null), "Raspberry Pi 4 Model B");
	});

	test("no two models have one type", () => {
		assert.equal(new Set(MODELS.map(({ type }) => type)).size, MODELS.length);
	});
});

describe("boot files", () => {
	const trees: [string, string | undefined][] = [
		["bcm2710-rpi-3-b.dtb", "pi3b"],
		["bcm2710-rpi-3-b-plus.dtb", "pi3bp"],
		["bcm2709-rpi-2-b.dtb", "pi2b"],
		["bcm2708-rpi-b-plus.dtb", "pi1bp"],
		["bcm2711-rpi-4-b.dtb", "pi4"],
		["os/debian/bcm2711-rpi-400.dtb", "pi400"],
		["bcm2711-rpi-cm4.dtb", "cm4"],
		["bcm2711-rpi-cm4s.dtb", "cm4s"],
		["bcm2712-rpi-5-b.dtb", "pi5"],
		["bcm2712d0-rpi-5-b.dtb", "pi5"],
		["bcm2712-d-rpi-5-b.dtb", "pi5"],
		["bcm2712-rpi-500.dtb", "pi500"],
		["bcm2712-rpi-cm5-cm5io.dtb", "cm5"],
		["bcm2712-rpi-cm5l-cm4io.dtb", "cm5l"],
		["overlays/overlay_map.dtb", undefined],
		["bcm2711-rpi-4-b.dtb.bak", undefined],
		["", undefined],
	];
	for (const [name, model] of trees) test(`${name} -> ${model}`, () => assert.equal(modelOfDeviceTree(name), model));

	test("the chip shows in the names that only its firmware knows", () => {
		assert.equal(socOfBootFile("bootcode.bin"), "up to BCM2837");
		assert.equal(socOfBootFile("start4.elf"), "BCM2711");
		assert.equal(socOfBootFile("kernel_2712.img"), "BCM2712");
		assert.equal(socOfBootFile("config.txt"), undefined);
	});
});
