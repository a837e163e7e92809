import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { overlayNames } from "./overlay-map.ts";

function u32(...values: number[]): Buffer {
	const bytes = Buffer.alloc(values.length * 4);
	for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
	return bytes;
}

function text(value: string): Buffer {
	const bytes = Buffer.from(`${value}\0`);
	return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

/** What `dtc` makes of `/ { NODE { PROPERTY = "VALUE"; ... }; ... };` */
function deviceTree(nodes: Readonly<Record<string, Readonly<Record<string, string>>>>): Buffer {
	const names: string[] = [];
	const offset = (name: string) => {
		if (!names.includes(name)) names.push(name);
		return names.slice(0, names.indexOf(name)).join("\0").length + (names.indexOf(name) === 0 ? 0 : 1);
	};
	const parts = [u32(1), text("")];
	for (const [node, properties] of Object.entries(nodes)) {
		parts.push(u32(1), text(node));
		for (const [name, value] of Object.entries(properties)) {
			parts.push(u32(3, Buffer.byteLength(value) + 1, offset(name)), text(value));
		}
		parts.push(u32(4), u32(2));
	}
	parts.push(u32(2), u32(9));
	const structure = Buffer.concat(parts);
	const strings = Buffer.from(names.map((name) => `${name}\0`).join(""));
	const at = 56;
	const total = at + structure.length + strings.length;
	const header = u32(0xd00dfeed, total, at, at + structure.length, 40, 17, 16, 0, strings.length, structure.length);
	return Buffer.concat([header, Buffer.alloc(16), structure, strings]);
}

const MAP = deviceTree({
	"vc4-kms-v3d": { bcm2835: "", bcm2711: "vc4-kms-v3d-pi4", bcm2712: "vc4-kms-v3d-pi5" },
	"disable-bt": { bcm2835: "", bcm2711: "", bcm2712: "disable-bt-pi5" },
	"lirc-rpi": { deprecated: "use gpio-ir" },
	"pi3-disable-bt": { renamed: "disable-bt" },
});

describe("overlay_map.dtb", () => {
	it("says what a name stands for on a chip", () => {
		assert.deepEqual(
			[...overlayNames(MAP, "bcm2711")],
			[
				["vc4-kms-v3d", "vc4-kms-v3d-pi4"],
				["pi3-disable-bt", "disable-bt"],
			],
		);
		assert.equal(overlayNames(MAP, "bcm2712").get("disable-bt"), "disable-bt-pi5");
		assert.deepEqual([...overlayNames(MAP, "bcm2835")], [["pi3-disable-bt", "disable-bt"]]);
	});

	it("that is cut off or no device tree is refused", () => {
		for (const broken of [Buffer.alloc(0), Buffer.alloc(100), MAP.subarray(0, 100), MAP.subarray(0, 60)]) {
			assert.throws(() => overlayNames(broken, "bcm2711"), ProtocolError);
		}
	});

	it("with any damage is read or refused", () => {
		fc.assert(
			fc.property(fc.nat(MAP.length - 4), fc.oneof(fc.nat(10), fc.nat(0xffffffff)), (at, value) => {
				const broken = Buffer.from(MAP);
				broken.writeUInt32BE(value, at);
				try {
					overlayNames(broken, "bcm2711");
				} catch (error) {
					assert.ok(error instanceof ProtocolError, String(error));
				}
			}),
			{ numRuns: 500 },
		);
	});
});
