import assert from "node:assert/strict";
import { test } from "node:test";
import { overlayMap } from "../../test/harness/overlay-map.ts";
import { ProtocolError } from "./errors.ts";
import { overlayNames } from "./overlay-map.ts";

const map = overlayMap({
	"vc4-kms-v3d": { bcm2835: "", bcm2711: "vc4-kms-v3d-pi4" },
	"disable-bt": { bcm2712: "disable-bt-pi5" },
});

test("an overlay stands for another one on one chip, and for itself where no other is named", () => {
	assert.deepEqual([...overlayNames(map, "bcm2711")], [["vc4-kms-v3d", "vc4-kms-v3d-pi4"]]);
	assert.deepEqual([...overlayNames(map, "bcm2835")], []);
	assert.deepEqual([...overlayNames(map, "bcm2712")], [["disable-bt", "disable-bt-pi5"]]);
});

test("what is cut off or no device tree is refused", () => {
	assert.throws(() => overlayNames(Buffer.from("no tree"), "bcm2711"), ProtocolError);
	for (let length = 0; length < map.length - 30; length += 7) {
		assert.throws(() => overlayNames(map.subarray(0, length), "bcm2711"), ProtocolError, `${length} bytes`);
	}
});
