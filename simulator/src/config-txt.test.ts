import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Filters, readConfig } from "./config-txt.ts";

const PI4: Filters = { models: new Set(["pi4"]), serial: "91cdf03d", boardType: 0x11 };
const nothing = async () => undefined;

describe("config.txt", () => {
	it("counts what stands under [all] and under the model's own sections", async () => {
		const text = "a=1\n[pi3]\na=2\nb=2\n[pi4]\nb=3\n[pi400]\nb=4\n[all]\nc=5\n[none]\nc=6\n[pi4]\nc=7\n[all]\nd=8\n";
		const { values } = await readConfig(text, PI4, nothing);
		assert.deepEqual(
			[...values],
			[
				["a", "1"],
				["b", "3"],
				["c", "5"],
				["d", "8"],
			],
		);
	});

	it("joins filters of different kinds", async () => {
		const text =
			"[pi4]\n[0x91cdf03d]\na=1\n[pi5]\na=2\n[pi4]\nb=1\n[0x1]\nb=2\n[all]\n[board-type=0x11]\nc=1\n[board-type=0x13]\nc=2";
		const { values } = await readConfig(text, PI4, nothing);
		assert.deepEqual(
			[...values],
			[
				["a", "1"],
				["b", "1"],
				["c", "1"],
			],
		);
	});

	it("takes filters that cannot hold here for false", async () => {
		const { values } = await readConfig("[tryboot]\na=1\n[all]\n[EDID=x]\nb=1\n[all]\n[gpio4=1]\nc=1\n", PI4, nothing);
		assert.equal(values.size, 0);
	});

	it("knows initramfs lines, overlays, comments and blanks", async () => {
		const text =
			" # kernel=no\r\n\tinitramfs initrd.img followkernel\r\ndtoverlay=vc4-kms-v3d,cma-128\ndtoverlay=\ndtoverlay=a:b\nkernel = k.img \n";
		const config = await readConfig(text, PI4, nothing);
		assert.equal(config.initramfs, "initrd.img");
		assert.deepEqual(config.overlays, ["vc4-kms-v3d", "a"]);
		assert.equal(config.values.get("kernel"), "k.img");
		assert.equal((await readConfig("ramfsfile=x", PI4, nothing)).initramfs, "x");
		assert.equal((await readConfig("#initramfs x followkernel", PI4, nothing)).initramfs, undefined);
	});

	it("reads what it includes, and does not go round in circles", async () => {
		const files: Record<string, string> = { "a.txt": "x=1\ninclude b.txt\n", "b.txt": "y=2\ninclude a.txt\n" };
		const { values, includes } = await readConfig(
			"include a.txt\ninclude none.txt\nz=3",
			PI4,
			async (name) => files[name],
		);
		assert.deepEqual([...values].sort(), [
			["x", "1"],
			["y", "2"],
			["z", "3"],
		]);
		assert.ok(includes.includes("none.txt"));
		assert.ok(includes.length < 20);
	});

	it("of any text is read", async () => {
		const line = fc.oneof(
			fc.string(),
			fc.constantFrom("[all]", "[pi4]", "[", "[]", "include", "initramfs", "=", "a=", "=b"),
		);
		await fc.assert(
			fc.asyncProperty(fc.array(line), async (lines) => {
				await readConfig(lines.join("\n"), PI4, nothing);
			}),
		);
	});
});
