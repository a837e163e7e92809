import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { netbootConfig } from "./config-txt.ts";

describe("netbootConfig", () => {
	it("passes a file through as it is when the initramfs stays", () => {
		const text = "# mine\r\n[pi4]\r\nauto_initramfs=1\r\n";
		assert.equal(netbootConfig(text, { skipInitramfs: false }), text);
	});

	it("makes comments of the lines that load an initramfs, and keeps line ends", () => {
		const text = "kernel=kernel8.img\r\n  initramfs initramfs8 followkernel\r\nauto_initramfs = 1\nenable_uart=1";
		const lines = netbootConfig(text, { skipInitramfs: true }).split(/\r?\n/);
		assert.equal(lines.length, 4);
		assert.equal(lines[0], "kernel=kernel8.img");
		assert.match(lines[1] ?? "", /^# .*: initramfs initramfs8 followkernel$/);
		assert.match(lines[2] ?? "", /^# .*: auto_initramfs = 1$/);
		assert.equal(lines[3], "enable_uart=1");
	});

	it("leaves comments and other settings alone", () => {
		const text = "#initramfs x\ninitramfs_x=1\nramfsfile=foo\n";
		assert.equal(netbootConfig(text, { skipInitramfs: true }), text);
	});

	it("gives ASCII for any input, and changes nothing in its own output", () => {
		fc.assert(
			fc.property(fc.string({ unit: "binary" }), fc.boolean(), (text, skipInitramfs) => {
				const once = netbootConfig(text, { skipInitramfs });
				assert.match(once, /^[\t\r\n\x20-\x7e]*$/);
				assert.equal(netbootConfig(once, { skipInitramfs }), once);
			}),
		);
	});
});
