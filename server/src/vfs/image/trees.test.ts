import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { BlockFault } from "../../base/index.ts";
import { FileSource, MemorySource } from "../../disk/index.ts";
import { makeExtImage, runTool } from "../../disk/testdata/index.ts";
import { readTextAt } from "../path.ts";
import { fill, makePiImage, PI_BOOT, PI_ROOT } from "./testing/images.ts";
import { BOOT_FSID, openImageTrees, ROOT_FSID } from "./trees.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "image-trees-"));
after(() => fs.rmSync(folder, { recursive: true }));

function open(file: string) {
	return openImageTrees(new MemorySource(fs.readFileSync(file)));
}

for (const table of ["mbr", "gpt"] as const) {
	test(`an image of a Pi with ${table}: root, boot volume, and where it belongs`, () => {
		const trees = open(makePiImage(folder, { table }));
		assert.equal(trees.root?.partition.index, 2);
		assert.equal(trees.boot?.partition.index, 1);
		assert.equal(trees.bootMount, "/boot/firmware");
		assert.deepEqual(trees.findings, []);
		assert.equal(trees.root.tree.getattr(trees.root.tree.root).fsid, ROOT_FSID);
		assert.equal(trees.boot.tree.getattr(trees.boot.tree.root).fsid, BOOT_FSID);
		assert.equal(readTextAt(trees.root.tree, "/etc/os-release"), "ID=debian\n");
		assert.equal(readTextAt(trees.boot.tree, "/config.txt"), "arm_64bit=1\n");
	});
}

const MOUNTS: [string, Record<string, string>, string][] = [
	["bullseye", { "etc/fstab": "PARTUUID=1f00cafe-01  /boot  vfat defaults 0 2\n", "boot/": "" }, "/boot"],
	[
		"bookworm",
		{ "etc/fstab": "PARTUUID=1f00cafe-01\t/boot/firmware vfat defaults 0 2\n", "boot/firmware/": "" },
		"/boot/firmware",
	],
	[
		"/boot although there is /boot/firmware",
		{ "etc/fstab": "PARTUUID=1f00cafe-01 /boot vfat\n", "boot/firmware/": "" },
		"/boot",
	],
	[
		"Ubuntu, by label",
		{ "etc/fstab": "LABEL=BOOTFS /boot/efi vfat\n", "boot/efi/": "", "boot/firmware/": "" },
		"/boot/efi",
	],
	[
		"another volume's line",
		{ "etc/fstab": "UUID=AAAA-BBBB /boot/efi vfat\n", "boot/efi/": "", "boot/firmware/": "" },
		"/boot/firmware",
	],
	["by serial number", { "etc/fstab": "UUID=CAFE-1234 /boot/pi vfat\n", "boot/pi/": "" }, "/boot/pi"],
	["a device", { "etc/fstab": "/dev/mmcblk0p1 /boot vfat\n", "boot/": "" }, "/boot"],
	["no fstab, Buildroot", { "boot/": "" }, "/boot"],
	["a directory that is not there", { "etc/fstab": "PARTUUID=1f00cafe-01 /boot/gone vfat\n", "boot/": "" }, "/boot"],
	["a way out", { "etc/fstab": "PARTUUID=1f00cafe-01 /boot/../etc vfat\n", "boot/": "" }, "/boot"],
	["a comment", { "etc/fstab": "#PARTUUID=1f00cafe-01 /boot vfat\n", "boot/firmware/": "" }, "/boot/firmware"],
];
for (const [what, root, mount] of MOUNTS) {
	test(`the boot volume's mount point: ${what}`, () => {
		const trees = open(makePiImage(folder, { root: { "sbin/init": "", ...root } }));
		assert.equal(trees.bootMount, mount);
	});
}

test("a root without any place for the boot files is a finding", () => {
	const trees = open(makePiImage(folder, { root: { "etc/x": "" } }));
	assert.match(trees.findings.join(), /no directory \/boot/);
});

test("a bare ext4 without a table is a root without a boot partition", () => {
	const image = makeExtImage(folder, { size: "8M", sourceDir: fill(path.join(folder, "bare"), PI_ROOT) });
	const trees = open(image);
	assert.equal(trees.root?.partition.index, 0);
	assert.equal(trees.boot, undefined);
	assert.equal(trees.bootMount, "/boot/firmware");
});

test("of two systems the command line's one is the root; data partitions are none", () => {
	const disk = makeManyPartitions("root=/dev/mmcblk0p4 rootwait\n");
	const trees = open(disk);
	assert.equal(trees.root?.partition.index, 4);
	assert.match(trees.findings.join(), /2 partitions hold a system: partition 4/);
});

/** p1 boot, p2 data, p3 and p4 systems. */
function makeManyPartitions(cmdline: string): string {
	const boot = makePiImage(folder, { name: "part.img", boot: { ...PI_BOOT, "cmdline.txt": cmdline } });
	const disk = path.join(folder, "many.img");
	fs.writeFileSync(disk, "");
	fs.truncateSync(disk, 40 << 20);
	const lines = [
		"label: dos",
		"start=1MiB, size=4MiB, type=c",
		...[6, 15, 24].map((at) => `start=${at}MiB, size=8MiB, type=83`),
	];
	runTool("sfdisk", ["-q", disk], `${lines.join("\n")}\n`);
	const data = makeExtImage(folder, {
		name: "data",
		size: "8M",
		sourceDir: fill(path.join(folder, "data.d"), { x: "" }),
	});
	const system = makeExtImage(folder, {
		name: "system",
		size: "8M",
		sourceDir: fill(path.join(folder, "sys.d"), PI_ROOT),
	});
	runTool("dd", [`if=${boot}`, `of=${disk}`, "bs=1M", "skip=1", "seek=1", "count=4", "conv=notrunc", "status=none"]);
	for (const [from, at] of [
		[data, 6],
		[system, 15],
		[system, 24],
	] as const) {
		runTool("dd", [`if=${from}`, `of=${disk}`, "bs=1M", `seek=${at}`, "conv=notrunc", "status=none"]);
	}
	return disk;
}

test("an image that was cut off says so", () => {
	const whole = fs.readFileSync(makePiImage(folder));
	const trees = openImageTrees(new MemorySource(whole.subarray(0, 7 << 20)));
	assert.match(trees.findings.join("\n"), /cut off/);
	assert.ok(trees.boot !== undefined);
});

test("what is no disk image at all gives findings, not errors", () => {
	for (const bytes of [Buffer.alloc(0), Buffer.alloc(100, 7), Buffer.alloc(1 << 20), Buffer.alloc(1 << 20, 0xff)]) {
		const trees = openImageTrees(new MemorySource(bytes));
		assert.equal(trees.root, undefined);
		assert.equal(trees.boot, undefined);
	}
});

test("a broken superblock is a finding; the boot volume still opens", () => {
	const bytes = fs.readFileSync(makePiImage(folder));
	const superblock = (1 + 4) * (1 << 20) + 1024;
	bytes.fill(0xee, superblock + 0x18, superblock + 0x30);
	const trees = openImageTrees(new MemorySource(bytes));
	assert.equal(trees.root, undefined);
	assert.ok(trees.boot !== undefined);
	assert.match(trees.findings.join(), /partition 2 cannot be read/);
});

test("a fault goes up to the caller", () => {
	const image = makePiImage(folder);
	const source = FileSource.open(image);
	let fault = true;
	const read = (offset: number, target: Uint8Array) => {
		if (fault && offset > 5 << 20) throw new BlockFault(Promise.resolve());
		source.read(offset, target);
	};
	assert.throws(() => openImageTrees({ size: source.size, read }), BlockFault);
	fault = false;
	assert.deepEqual(openImageTrees({ size: source.size, read }).findings, []);
	source.close();
});
