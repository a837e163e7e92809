import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { effectiveConfig } from "./inspect-config-txt.ts";
import { BOOT_MODELS, bootModel } from "./inspect-models.ts";

/** What a model with this serial gets from these files; every file that is named is there, and the kernels beside. */
function read(files: Record<string, string>, id: string, serial?: string, kernels = ["kernel8.img", "kernel7l.img"]) {
	const model = bootModel(id);
	assert.ok(model !== undefined);
	const exists = (name: string) => kernels.includes(name) || name in files;
	return effectiveConfig({ read: (name) => files[name], exists }, model, { serial });
}

const one = (text: string, id = "pi4", serial?: string) => read({ "config.txt": text }, id, serial);

describe("effectiveConfig", () => {
	it("gives the defaults for an empty and for a missing file", () => {
		const expected = {
			kernel: "kernel8.img",
			initramfs: [],
			cmdline: "cmdline.txt",
			deviceTree: undefined,
			osPrefix: "",
		};
		assert.deepEqual(one(""), { ...expected, files: ["config.txt"] });
		assert.deepEqual(read({}, "pi4"), { ...expected, files: [] });
	});

	it("takes the sections that hold for the model", () => {
		const text = "cmdline=a\n[pi3]\ncmdline=b\n[pi4]\ncmdline=c\n[pi400]\ncmdline=d\n[cm4]\ncmdline=e\n";
		assert.equal(one(text, "pi3bp").cmdline, "b");
		assert.equal(one(text, "pi4").cmdline, "c");
		assert.equal(one(text, "pi400").cmdline, "d");
		assert.equal(one(text, "cm4").cmdline, "e");
		assert.equal(one(text, "pi5").cmdline, "a");
	});

	it("ends every section at [all], and holds all back at [none]", () => {
		assert.equal(one("[pi3]\ncmdline=b\n[all]\ncmdline=c").cmdline, "c");
		assert.equal(one("[none]\ncmdline=b").cmdline, "cmdline.txt");
	});

	it("adds filters of different types up", () => {
		const text = "[pi4]\n[0xe0ff06da]\ncmdline=mine\n";
		assert.equal(one(text, "pi4", "e0ff06da").cmdline, "mine");
		assert.equal(one(text, "pi4", "10000000E0FF06DA").cmdline, "mine");
		assert.equal(one(text, "pi4", "00000001").cmdline, "cmdline.txt");
		assert.equal(one(text, "pi5", "e0ff06da").cmdline, "cmdline.txt");
		assert.equal(one(text, "pi4").cmdline, "cmdline.txt");
	});

	it("holds a section back whose condition only the board knows", () => {
		assert.equal(
			one("[EDID=VSC-TD2220]\ncmdline=a\n[all]\n[gpio4=1]\ncmdline=b\n[pi4]\ncmdline=c").cmdline,
			"cmdline.txt",
		);
	});

	it("follows includes, in the section that they stand in, and ends when files include each other", () => {
		const files = { "config.txt": "[pi4]\ninclude user.txt\n", "user.txt": "cmdline=u.txt\ninclude config.txt\n" };
		assert.equal(read(files, "pi4").cmdline, "u.txt");
		assert.equal(read(files, "pi5").cmdline, "cmdline.txt");
		assert.deepEqual(new Set(read(files, "pi4").files), new Set(["config.txt", "user.txt"]));
	});

	it("finds an initramfs by name or by the kernel's name", () => {
		assert.deepEqual(one("initramfs initrd.gz followkernel").initramfs, ["initrd.gz"]);
		assert.deepEqual(one("initramfs a,b 0x00800000").initramfs, ["a", "b"]);
		assert.deepEqual(one("auto_initramfs=1").initramfs, ["initramfs8"]);
		assert.deepEqual(one("auto_initramfs=1\narm_64bit=0").initramfs, ["initramfs7l"]);
		assert.deepEqual(one("auto_initramfs=1\nauto_initramfs=0").initramfs, []);
	});

	it("puts os_prefix before the names of the system's files", () => {
		const files = { "config.txt": "os_prefix=a/\nkernel=vmlinuz\nauto_initramfs=1\n", "a/vmlinuz": "" };
		const config = read(files, "pi4");
		assert.equal(config.kernel, "a/vmlinuz");
		assert.equal(config.cmdline, "a/cmdline.txt");
	});

	it("has no kernel when the one that is named is missing", () => {
		assert.equal(one("kernel=mine.img").kernel, undefined);
	});

	it("gives a Pi 3 its 32-bit kernel unless arm_64bit says otherwise", () => {
		const kernels = ["kernel7.img", "kernel8.img"];
		assert.equal(read({ "config.txt": "" }, "pi3b", undefined, kernels).kernel, "kernel7.img");
		assert.equal(read({ "config.txt": "arm_64bit=1" }, "pi3b", undefined, kernels).kernel, "kernel8.img");
		assert.equal(read({ "config.txt": "" }, "pi3b", undefined, ["kernel8.img"]).kernel, "kernel8.img");
	});

	it("takes any text without failing", () => {
		const line = fc.constantFrom(
			"[pi4]",
			"[all]",
			"[",
			"[]",
			"include config.txt",
			"initramfs",
			"initramfs ,",
			"=",
			"kernel=",
			"a=b=c",
		);
		fc.assert(
			fc.property(fc.array(fc.oneof(line, fc.string())), fc.constantFrom(...BOOT_MODELS), (lines, model) => {
				const config = effectiveConfig({ read: () => lines.join("\n"), exists: () => true }, model);
				assert.ok(config.files.length <= 32);
			}),
		);
	});
});
