import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PrefixStrings } from "./prefix-strings.ts";

test("the string is what stands before the first file, of 32 characters at most, with a slash at its end", () => {
	const strings = new PrefixStrings();
	assert.equal(strings.plain(1, "lab/kernel8.img"), undefined, "nothing is known yet");
	assert.equal(strings.plain(1, "lab/START4.ELF"), "START4.ELF");
	assert.equal(strings.plain(1, "lab/overlays/vc4.dtbo"), "overlays/vc4.dtbo");
	assert.equal(strings.plain(1, "other/kernel8.img"), undefined);
	assert.equal(strings.plain(2, "lab/kernel8.img"), undefined, "another Pi has its own");
	assert.equal(strings.plain(1, `${"x".repeat(31)}/config.txt`), "config.txt");
	assert.equal(strings.plain(3, `${"x".repeat(32)}/config.txt`), undefined);
	assert.equal(strings.plain(4, "labconfig.txt"), undefined);
});

test("a Pi that asks without its string has none any more", () => {
	const strings = new PrefixStrings();
	strings.plain(1, "lab/config.txt");
	assert.equal(strings.plain(1, "config.txt"), undefined);
	assert.equal(strings.plain(1, "lab/kernel8.img"), undefined);
});

test("strangers without end take no memory without end: the oldest is forgotten", () => {
	const strings = new PrefixStrings();
	for (let device = 0; device <= 1000; device++) strings.plain(device, "lab/config.txt");
	assert.equal(strings.plain(0, "lab/a"), undefined);
	assert.equal(strings.plain(1, "lab/a"), "a");
	assert.equal(strings.plain(1000, "lab/a"), "a");
});

test("whatever is asked for, what comes is its end", () => {
	const part = fc.constantFrom("lab", "config.txt", "start4.elf", "a", "overlays");
	const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
	fc.assert(
		fc.property(fc.array(name, { maxLength: 20 }), (names) => {
			const strings = new PrefixStrings();
			for (const asked of names) {
				const plain = strings.plain(1, asked);
				assert.ok(plain === undefined || (plain !== "" && asked.endsWith(`/${plain}`)), `${asked}: ${plain}`);
			}
		}),
	);
});
