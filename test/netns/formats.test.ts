/** One system, in every form that people have it: each boots a virtual Pi, and the root that the Pi sees is the one that it was made of. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Image, ImageList } from "@pi-netboot/api";
import { makeDiskImage, makeExtImage, makeFatImage } from "../../server/src/disk/testdata/index.ts";
import { BROKEN_INPUTS } from "../../server/src/images/testing/broken-inputs.ts";
import { bootLab } from "../harness/boot-lab.ts";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { patchedPaths } from "../harness/patched-paths.ts";
import { hostTree, nfsTree } from "../harness/root-tree.ts";
import { makeSmallImage, type SmallImage } from "../harness/small-image.ts";
import { fillSpecialTree } from "../harness/special-tree.ts";
import { differences, type FileFacts, hardLinks, type TreeFacts } from "../harness/tree-facts.ts";
import { assertBooted, powerOn } from "../harness/virtual-pi.ts";

const PI = { model: "pi4-2021", mac: "dc:a6:32:40:00:01", serial: "1000000040000001" } as const;

const TAR = "tar --numeric-owner --sparse --xattrs --xattrs-include='*'";

interface Format {
	/** Makes it of `whole.img`, `root.ext4`, `boot.vfat`, the folders `root` and `boot`, or `rootfs`, which is both in one. */
	readonly make: string;
	/** Whether it holds fractions of seconds. */
	readonly isExact?: boolean;
	/** Whether it has to be unpacked. */
	readonly isPacked?: boolean;
}

/** By the id of the image; the commands run in the folder of the images. */
const FORMATS: Readonly<Record<string, Format>> = {
	raw: { make: "cp ../whole.img raw.img" },
	"by-xz": { make: "xz -0 -c ../whole.img > by-xz.img.xz", isPacked: true },
	"by-gzip": { make: "gzip -1 -c ../whole.img > by-gzip.img.gz", isPacked: true },
	"by-zstd": { make: "zstd -1 -q -c ../whole.img > by-zstd.img.zst", isPacked: true },
	"by-zip": { make: "zip -1 -q -j by-zip.zip ../whole.img", isPacked: true },
	"in-folder": { make: "mkdir in-folder && xz -0 -c ../whole.img > in-folder/raspios.img.xz", isPacked: true },
	bare: { make: "cp ../bare.ext4 bare.img" },
	"tar-posix": { make: `${TAR} --format=posix -C ../rootfs -cf tar-posix.tar .`, isExact: true },
	"tar-gzip": { make: `${TAR} --format=posix -C ../rootfs -czf tar-gzip.tar.gz .`, isExact: true, isPacked: true },
	"tar-xz": { make: `tar --numeric-owner --format=gnu -C ../rootfs -c . | xz -0 > tar-xz.tar.xz`, isPacked: true },
	"tar-zstd": {
		make: `${TAR} --format=posix -C ../rootfs -c . | zstd -1 -q > tar-zstd.tar.zst`,
		isExact: true,
		isPacked: true,
	},
	directory: { make: "cp -a ../rootfs directory", isExact: true },
	"two-directories": {
		make: "mkdir two-directories && cp -a ../root two-directories/rootfs && cp -r ../boot two-directories/tftp",
		isExact: true,
	},
	"buildroot-disk": {
		make: "mkdir buildroot-disk && cp ../whole.img buildroot-disk/sdcard.img && cp ../boot.vfat buildroot-disk",
	},
	"buildroot-ext4": {
		make: "mkdir buildroot-ext4 && cp ../root.ext4 buildroot-ext4/rootfs.ext2 && ln -s rootfs.ext2 buildroot-ext4/rootfs.ext4 && cp ../boot.vfat buildroot-ext4",
	},
	"buildroot-tar": {
		make: `mkdir buildroot-tar && cp ../boot.vfat buildroot-tar && ${TAR} --format=posix -C ../root -czf buildroot-tar/rootfs.tar.gz .`,
		isExact: true,
		isPacked: true,
	},
};

const skip = await lacks(["ip", "curl", "dnsmasq", "xz", "zstd", "zip", "tar", "setcap", ...IMAGE_PROGRAMS]);
let image: SmallImage;
/** What is told of the source, and what of it is not as it was there for this Pi. */
let source: TreeFacts;
let patched: readonly string[];

const room = bootLab(skip, async (lab) => {
	const { folder, images } = lab;
	image = makeSmallImage(folder, folder, { kernelBytes: 200_000 });
	const root = join(folder, "root");
	await must(["cp", "-a", image.root, root]);
	await must(["cp", "-r", image.boot, join(folder, "boot")]);
	await fillSpecialTree(root);
	await must(["cp", "-a", root, join(folder, "rootfs")]);
	await must(["cp", "-r", `${image.boot}/.`, join(folder, "rootfs/boot/firmware")]);
	const [boot, ext] = [
		makeFatImage(folder, { sizeKiB: 48 * 1024, sourceDir: image.boot, name: "boot.vfat" }),
		makeExtImage(folder, { size: "24M", sourceDir: root }),
	];
	makeExtImage(folder, { size: "24M", sourceDir: join(folder, "rootfs"), name: "bare.ext4" });
	makeDiskImage(folder, { boot, root: ext, table: "mbr", name: "whole.img" });
	for (const { make } of Object.values(FORMATS)) await must(["sh", "-c", `cd '${images}' && ${make}`]);
	source = hostTree(root);
	patched = await patchedPaths(join(folder, "whole.img"), PI.mac);
	await lab.startRouter();
	await lab.serve();
	await lab.lab.addHost("pi", { mac: PI.mac });
});

/** Whether the server has a hand in this path: a patch, the boot volume, what only a file system has. */
function isOurs(path: string): boolean {
	const ours = [...patched, "/boot/firmware", "/lost+found"];
	return ours.some((each) => path === `.${each}` || path.startsWith(`.${each}/`));
}

/** Something in it is not as it was, and so its times and its number of subdirectories. */
function holdsOurs(path: string): boolean {
	return path === "." || patched.some((each) => `.${each}`.startsWith(`${path}/`));
}

function expected(path: string, facts: FileFacts, found: FileFacts | undefined, isExact: boolean): FileFacts {
	const time = isExact ? facts.mtime : facts.mtime.replace(/\.\d+$/, ".000000000");
	if (found === undefined || !holdsOurs(path)) return { ...facts, mtime: time };
	return { ...facts, links: found.links, mtime: found.mtime };
}

function assertSameTree(tree: TreeFacts, { isExact = false }: Format): void {
	const wrong: string[] = [];
	for (const [path, facts] of source) {
		if (isOurs(path)) continue;
		const found = tree.get(path);
		const what = differences(found, expected(path, facts, found, isExact));
		if (what.length > 0) wrong.push(`${path}: ${what}: ${JSON.stringify(found)}, expected ${JSON.stringify(facts)}`);
	}
	for (const path of tree.keys()) {
		if (!source.has(path) && !isOurs(path) && !holdsOurs(path)) wrong.push(`${path}: nobody put it there`);
	}
	assert.deepEqual(wrong, []);
	assert.deepEqual(hardLinks(tree).filter(isSpecial), hardLinks(source).filter(isSpecial));
}

const isSpecial = (names: string) => names.startsWith("./special");

function assertSameBootFiles(tree: TreeFacts): void {
	const expectedFiles = [...hostTree(image.boot)].filter(([, { mode }]) => mode.startsWith("100"));
	assert.ok(expectedFiles.length > 10);
	for (const [path, { content }] of expectedFiles) {
		assert.equal(tree.get(`./boot/firmware${path.slice(1)}`)?.content, content, path);
	}
}

describe("one system in every form", { skip }, () => {
	for (const [id, format] of Object.entries(FORMATS)) {
		it(`boots, and is the same: ${id}`, async () => {
			const { server, lab, folder } = room();
			await server.waitForImage(id);
			await server.api("PUT", "/api/v1/images/default", { id });
			const report = await powerOn(lab, "pi", PI, { saveTo: join(folder, id) });
			assertBooted(report);
			for (const name of ["kernel8.img", "start4.elf", "initramfs8"]) {
				assert.ok(readFileSync(join(folder, id, name)).equals(readFileSync(join(image.boot, name))), name);
			}
			assert.equal(report.osRelease?.VARIANT, "small");
			const exported = /nfsroot=[\d.]+:([^,]+),/.exec(report.cmdline ?? "")?.[1] ?? assert.fail(report.cmdline);
			await must(lab.on("pi", ["ip", "address", "replace", `${report.address}/24`, "dev", "pi0"]));
			const tree = await nfsTree(lab, "pi", exported);
			await must(lab.on("pi", ["ip", "address", "flush", "dev", "pi0"]));
			assertSameTree(tree, format);
			assertSameBootFiles(tree);
		});
	}

	it("is not unpacked a second time after a restart", async () => {
		const unpacked = join(room().folder, "data/unpacked");
		const copies = () => readdirSync(unpacked).map((name) => statSync(join(unpacked, name)).ino);
		const before = copies();
		await room().killServer();
		for (const id of Object.keys(FORMATS)) await room().server.waitForImage(id);
		assert.deepEqual(copies(), before);
		assert.equal(before.length, Object.values(FORMATS).filter(({ isPacked }) => isPacked).length);
	});
});

describe("what is mistaken for an image", { skip }, () => {
	it("says through the API what it is, whether it was put there or is named", async () => {
		const { server, images, folder } = room();
		const makings = join(folder, "makings");
		mkdirSync(makings);
		for (const [name, { make }] of Object.entries(BROKEN_INPUTS)) make(join(images, name), makings);
		const broken = async () => {
			const all = (await server.api<ImageList>("GET", "/api/v1/images")).images;
			const found = new Map(all.filter(({ state }) => state === "broken").map((image) => [image.name, image]));
			return Object.keys(BROKEN_INPUTS).every((name) => found.has(name)) ? found : undefined;
		};
		const found = await eventually("the broken images", broken, 60_000);
		for (const [name, { says }] of Object.entries(BROKEN_INPUTS)) {
			const sentences = found.get(name)?.findings.filter(({ severity }) => severity === "error") ?? [];
			assert.match(sentences[0]?.message ?? "", says, name);
		}
		const refused = await server.refusal("POST", "/api/v1/images", { path: join(folder, "root/special") });
		assert.equal(refused.code, "import-path");
		assert.match(refused.sentence, /without an image, and no root file system/);
		const machine = await server.refusal("POST", "/api/v1/images", { path: "/" });
		assert.match(machine.sentence, /holds folders of this server/);
		const added = await server.api<Image>("POST", "/api/v1/images", {
			path: join(folder, "rootfs"),
			name: "by path",
		});
		assert.deepEqual([added.id, added.origin?.kind], ["by-path", "path"]);
		await server.waitForImage("by-path");
	});
});
