import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { pino } from "pino";
import { whenReady } from "../base/index.ts";
import { PI_BOOT, PI_ROOT } from "../vfs/image/testing/images.ts";
import { type Client, clientAt, openImage, Site } from "./testing/site.ts";

/** What the log says, for a site that is opened with `log`. */
function listening() {
	const lines: string[] = [];
	const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
	return { lines, log };
}

async function text(site: Site, name: string, client: Client): Promise<string | undefined> {
	return (await site.fetch(name, client))?.toString();
}

describe("whose boot files", () => {
	test("by the serial, the MAC or the address that asks: all names lead to the same file", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		for (const name of [
			"kernel8.img",
			"KERNEL8.IMG",
			`${device.serial}/kernel8.img`,
			`${device.serial}//kernel8.img`,
		]) {
			assert.equal(await text(site, name, client), "kernel", name);
		}
		assert.equal(await text(site, `/${device.mac.replaceAll(":", "-")}/kernel8.img`, client), "kernel");
	});

	test("by a string of the owner's, once the first file was asked for under it; a folder of that name is meant first", async () => {
		await using site = await Site.open({ boot: { ...PI_BOOT, "lab/extra.bin": "own" } });
		const { client } = site.pi();
		assert.equal(await text(site, "lab/kernel8.img", client), undefined);
		assert.match((await text(site, "lab/config.txt", client)) ?? "", /arm_64bit/);
		assert.equal(await text(site, "lab/kernel8.img", client), "kernel");
		assert.equal(await text(site, "lab/extra.bin", client), "own");
		assert.equal(await text(site, "lab/recover4.elf", client), undefined);
		assert.match((await text(site, "lab/cmdline.txt", client)) ?? "", /nfsroot=/);
		assert.equal(await text(site, "other/kernel8.img", client), undefined);
		assert.equal(await text(site, `${"x".repeat(32)}/config.txt`, client), undefined);
		await text(site, "config.txt", client);
		assert.equal(await text(site, "lab/kernel8.img", client), undefined, "the Pi asks without its string now");
	});

	test("nobody's, for a client that is no Pi: said once", async () => {
		const { lines, log } = listening();
		await using site = await Site.open({}, log);
		const stranger = clientAt("192.0.2.200");
		for (let round = 0; round < 3; round++) assert.equal(await text(site, "kernel8.img", stranger), undefined);
		assert.equal(lines.filter((line) => line.includes("no Raspberry Pi is known there")).length, 1);
	});

	test("bootcode.bin for a Pi 3 that only the neighbour table knows", async () => {
		await using site = await Site.open({ boot: { ...PI_BOOT, "bootcode.bin": "rom" } });
		const client = clientAt("192.0.2.200");
		site.neighbours.set(client.address, "b8:27:eb:ef:56:44");
		assert.equal(await text(site, "bootcode.bin", client), "rom");
		assert.equal(await text(site, "bootsig.bin", client), undefined);
	});

	test("bootcode.bin for the Pi that was found behind an address, when another was offered it last", async () => {
		await using site = await Site.open({ boot: { ...PI_BOOT, "bootcode.bin": "rom" } });
		const { device } = site.pi(1);
		const { device: other, client } = site.pi(2);
		site.registry.bind(other, client.address, "lease");
		const file = await site.tftp.open("bootcode.bin", { ...client, mac: device.mac });
		file?.close();
		assert.equal(file?.size, 3);
		assert.equal(site.registry.deviceAt(client.address)?.mac, device.mac);
	});

	test("nobody gets out of the boot volume, whatever the name", async () => {
		await using site = await Site.open();
		const { client } = site.pi();
		await text(site, "kernel8.img", client);
		const names = fc.oneof(
			fc.string({ maxLength: 60 }),
			fc
				.array(fc.constantFrom("..", ".", "", "etc", "e0000001", "\\", "\0"), { maxLength: 8 })
				.map((all) => all.join("/")),
		);
		await fc.assert(
			fc.asyncProperty(names, async (name) => assert.equal(await text(site, name, client), undefined)),
			{ numRuns: 100 },
		);
	});

	test("no directory is a file", async () => {
		await using site = await Site.open({ boot: { ...PI_BOOT, "overlays/": "" } });
		const { client } = site.pi();
		assert.equal(await text(site, "overlays", client), undefined);
	});
});

describe("from an address that is not the device's", () => {
	const boot = { ...PI_BOOT, "userconf.txt": "me:secret", "custom.toml": "secret", "network-config": "secret" };
	const stranger = clientAt("192.0.2.200");

	test("nothing changes what is known of the device's boot", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await text(site, "config.txt", client);
		const path = await site.begin(device, client);
		const known = () => ({ ...device, stages: site.registry.stages(device), told: site.registry.diagnosis(device) });
		const before = structuredClone(known());
		site.clock.advance(30_000);
		for (const name of ["config.txt", "none/start4.elf", "bcm2712-rpi-5-b.dtb", "kernel8.img", "cmdline.txt"]) {
			await text(site, `${device.serial}/${name}`, stranger);
			site.tftp.ended(`${device.serial}/${name}`, stranger, "timeout", 0, 2048);
		}
		assert.deepEqual(known(), before);
		assert.equal(await site.begin(device, client), path, "it is the same boot");
	});

	test("the string of the device's owner stays what it is", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await text(site, "lab/config.txt", client);
		await text(site, `${device.serial}/other/config.txt`, stranger);
		assert.equal(await text(site, "lab/kernel8.img", client), "kernel");
	});

	test("the image of the boot that began stays what it is", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await site.begin(device, client);
		site.images.put(await openImage(site.folder, { name: "new.img", boot: { ...PI_BOOT, "kernel8.img": "new" } }));
		await text(site, `${device.serial}/config.txt`, stranger);
		assert.equal(await text(site, "kernel8.img", client), "kernel");
	});

	test("what prepares a system is not served, under no name that FAT has for it", async () => {
		await using site = await Site.open({ boot });
		const { device, client } = site.pi();
		for (const name of ["userconf.txt", "USERCONF.TXT", "custom.toml", "network-config", "NETWOR~1"]) {
			assert.match((await text(site, name, client)) ?? "", /secret/, name);
			assert.equal(await text(site, `${device.serial}/${name}`, stranger), undefined, name);
		}
		assert.equal(await text(site, `${device.serial}/kernel8.img`, stranger), "kernel");
	});
});

describe("intents", () => {
	for (const intent of ["disk", "ignore"] as const) {
		test(`${intent}: no file is there, and no boot begins`, async () => {
			await using site = await Site.open();
			const { device, client } = site.pi();
			await site.registry.patch(device.id, { intent });
			assert.equal(await text(site, "kernel8.img", client), undefined);
			assert.equal(await text(site, "cmdline.txt", client), undefined);
			assert.equal(device.bootCount, 0);
		});
	}
});

describe("without an image", () => {
	test("no file is there; it is said once, and again after it was otherwise", async () => {
		const { lines, log } = listening();
		await using site = await Site.open(null, log);
		const { client } = site.pi();
		const count = () => lines.filter((line) => line.includes("no image that is ready")).length;
		for (const name of ["config.txt", "start4.elf"]) assert.equal(await text(site, name, client), undefined);
		assert.equal(count(), 1);
		const image = await openImage(site.folder);
		site.images.put(image);
		assert.ok(await text(site, "config.txt", client));
		site.images.newest = undefined;
		assert.equal(await text(site, "config.txt", client), undefined);
		assert.equal(count(), 2);
	});

	test("an image without a boot volume has no boot files", async () => {
		await using site = await Site.open();
		const { client } = site.pi();
		const image = site.images.newest;
		assert.ok(image);
		const { table, bootMount, findings } = image.build.trees();
		image.build.trees = () => ({ table, bootMount, findings });
		assert.equal(await text(site, "config.txt", client), undefined);
	});
});

describe("cmdline.txt", () => {
	test("names our root instead of the card's, and keeps what the user wrote", async () => {
		await using site = await Site.open({
			boot: { ...PI_BOOT, "cmdline.txt": "quiet root=PARTUUID=1f00cafe-02 rootwait\n" },
		});
		const { device, client } = site.pi();
		const line = (await text(site, "cmdline.txt", client)) ?? "";
		assert.match(line, /^quiet root=\/dev\/nfs nfsroot=192\.0\.2\.1:\/pi\/e0000001\/[0-9a-f]{32},vers=3/);
		assert.doesNotMatch(line, /PARTUUID/);
		assert.equal(site.registry.bootsOf(device).length, 1);
	});

	test("is refused to an address that is not proved to be the device's, which the page is told", async () => {
		await using site = await Site.open();
		const { device } = site.pi();
		const stranger = clientAt("192.0.2.200");
		assert.equal(await text(site, `${device.serial}/cmdline.txt`, stranger), undefined);
		assert.equal(await text(site, `${device.serial}/kernel8.img`, stranger), "kernel", "no secret is in it");
		assert.equal(device.bootCount, 0);
		assert.equal(site.registry.diagnosis(device)?.code, "cmdline-refused");
	});

	test("is refused to another Pi that asks with this one's serial", async () => {
		await using site = await Site.open();
		const [one, two] = [site.pi(1), site.pi(2)];
		await site.begin(one.device, one.client);
		await site.begin(two.device, two.client);
		assert.equal(await text(site, `${one.device.serial}/cmdline.txt`, two.client), undefined);
	});

	test("goes to the name that config.txt gives it", async () => {
		const boot = { ...PI_BOOT, "config.txt": "arm_64bit=1\ncmdline=my.txt\n", "my.txt": "mine root=/dev/sda1\n" };
		await using site = await Site.open({ boot });
		const { client } = site.pi();
		assert.match((await text(site, "my.txt", client)) ?? "", /^mine root=\/dev\/nfs/);
		assert.equal(await text(site, "cmdline.txt", client), PI_BOOT["cmdline.txt"], "this one is just a file");
	});
});

describe("config.txt", () => {
	test("passes through, with its included files, as long as an initramfs is needed", async () => {
		const config = "# mine\r\narm_64bit=1\r\ninclude extra.txt\r\nauto_initramfs=1\r\n";
		const extra = "initramfs initrd.img followkernel\n";
		await using site = await Site.open({
			boot: { ...PI_BOOT, "config.txt": config, "extra.txt": extra, "initrd.img": "i", initramfs8: "i" },
		});
		const { client } = site.pi();
		assert.equal(await text(site, "config.txt", client), config);
		assert.equal(await text(site, "extra.txt", client), extra);
		assert.doesNotMatch((await text(site, "cmdline.txt", client)) ?? "", /mountport/);
	});

	test("loads no initramfs where the kernel can do without, and the command line names both ports", async () => {
		const options = "ROOT_NFS NFS_FS NFS_V3 IP_PNP IP_PNP_DHCP DEVTMPFS DEVTMPFS_MOUNT BCMGENET".split(" ");
		const kernel = Buffer.alloc(4096);
		kernel.write("ARM\x64", 56, "latin1");
		kernel.write("Linux version 6.12.47-test (me@here) (gcc) #1\n\0", 1024, "latin1");
		await using site = await Site.open({
			boot: {
				...PI_BOOT,
				"config.txt": "auto_initramfs=1\n",
				"kernel8.img": kernel.toString("latin1"),
				initramfs8: "i",
			},
			root: { ...PI_ROOT, "boot/config-6.12.47-test": options.map((name) => `CONFIG_${name}=y\n`).join("") },
		});
		const { client } = site.pi();
		assert.match((await text(site, "config.txt", client)) ?? "", /^# not used/);
		assert.match((await text(site, "cmdline.txt", client)) ?? "", /port=2049,mountport=2049/);
	});

	test("means for each device what its own section says", async () => {
		const boot = { ...PI_BOOT, "config.txt": "[0xe0000001]\ncmdline=one.txt\n[all]\n", "one.txt": "one\n" };
		await using site = await Site.open({ boot });
		const [one, two] = [site.pi(1), site.pi(2)];
		assert.match((await text(site, "one.txt", one.client)) ?? "", /^one root=\/dev\/nfs/);
		assert.equal(await text(site, "one.txt", two.client), "one\n");
		assert.match((await text(site, "cmdline.txt", two.client)) ?? "", /root=\/dev\/nfs/);
	});
});

describe("files", () => {
	/** Writes a file on the boot volume, as the Pi does at `/boot/firmware`. */
	async function writeBootFile(site: Site, root: Buffer, client: Client, name: string, content: string): Promise<void> {
		const { export: exported, node } = await site.resolve(root, client);
		const inoOf = (at: number, part: string) => whenReady(() => node.tree.lookup(at, part));
		const point = { tree: node.tree, ino: await inoOf(await inoOf(node.ino, "boot"), "firmware") };
		const boot = exported.cross(point);
		assert.notEqual(boot.tree, node.tree, "the boot volume has its mount point");
		await whenReady(() =>
			exported.transaction(() => {
				const ino = boot.tree.create(boot.ino, name, { mode: 0o755, uid: 0, gid: 0 });
				boot.tree.write(ino, 0, Buffer.from(content));
			}),
		);
	}

	test("what the Pi puts in /boot/firmware is what its next boot gets, and nobody else", async () => {
		await using site = await Site.open();
		const [one, two] = [site.pi(1), site.pi(2)];
		await writeBootFile(site, await site.boot(one.device, one.client), one.client, "new.img", "upgraded");
		assert.equal(await text(site, "new.img", one.client), "upgraded");
		assert.equal(await text(site, "new.img", two.client), undefined);
		await site.registry.resetRoot(one.device.id);
		assert.equal(await text(site, "new.img", one.client), undefined);
	});

	test("a file that is sent stays open when a boot begins, and its image until it is closed", async () => {
		await using site = await Site.open();
		const { device, client } = site.pi();
		await writeBootFile(site, await site.boot(device, client), client, "new.img", "upgraded");
		const build = site.images.newest?.build.id ?? "";
		site.clock.advance(60_000);
		const file = await site.tftp.open("new.img", client);
		assert.ok(file);
		const root = site.roots.opened(site.registry.bootsOf(device)[0]?.layerId ?? "");
		assert.equal(root?.leases, 1);
		await site.begin(device, client);
		assert.equal(Buffer.from(await file.read(0, 8)).toString(), "upgraded");
		await assert.rejects(file.read(8, 8), { code: "EIO" });
		assert.equal(root.isClosed, false);
		file.close();
		file.close();
		assert.equal(root.leases, 0);
		assert.equal(root.isClosed, true);
		assert.equal(site.images.holders.get(build), 0);
	});

	test("behind the command line all files come from the image that it names, until the Pi begins anew", async () => {
		for (const rootMode of ["persistent", "ephemeral", "read-only"] as const) {
			await using site = await Site.open();
			const { device, client } = site.pi();
			await site.registry.patch(device.id, { rootMode });
			await text(site, "config.txt", client);
			const path = await site.begin(device, client);
			const old = site.images.newest?.build.id ?? "";
			const boot = { ...PI_BOOT, "kernel8.img": "new kernel" };
			site.images.put(await openImage(site.folder, { name: "new.img", boot }));
			assert.equal(await text(site, "kernel8.img", client), "kernel");
			assert.equal(site.images.holders.get(old), 1, "the root holds its image before it is mounted");
			if (rootMode === "ephemeral") assert.ok(await site.nfs.mount(path, client));
			await text(site, "config.txt", client);
			assert.equal(await text(site, "kernel8.img", client), "new kernel");
			assert.notEqual(await site.begin(device, client), path);
		}
	});

	test("every request lets go of its image, found or not", async () => {
		await using site = await Site.open();
		const { client } = site.pi();
		const build = site.images.newest?.build.id ?? "";
		for (const name of ["kernel8.img", "config.txt", "nothing", "bootcode.bin"]) await text(site, name, client);
		assert.equal(site.images.holders.get(build), 0);
		await text(site, "cmdline.txt", client);
		assert.equal(site.images.holders.get(build), 1, "the root that was opened for the boot");
	});

	test("an image that is overwritten fails the transfer, not the server", async () => {
		await using site = await Site.open();
		const { client } = site.pi();
		const build = site.images.newest?.build;
		assert.ok(build);
		const file = await site.tftp.open("kernel8.img", client);
		assert.ok(file);
		writeFileSync(build.path, "other");
		await build.check();
		await assert.rejects(file.read(0, 6), { code: "EAGAIN" });
		file.close();
		await assert.rejects(site.tftp.open("kernel8.img", client), { code: "EAGAIN" });
		assert.equal(site.images.holders.get(build.id), 0);
	});

	test("how a transfer ended is a fact of its device; a broken one is said", async () => {
		const { lines, log } = listening();
		await using site = await Site.open({}, log);
		const { client } = site.pi();
		await text(site, "kernel8.img", client);
		site.tftp.ended("kernel8.img", client, "timeout", 512, 2048);
		site.tftp.ended("../..", client, "timeout", 0, 0);
		site.tftp.ended("kernel8.img", clientAt("192.0.2.200"), "timeout", 0, 0);
		assert.deepEqual(
			lines.filter((line) => line.includes("timeout")),
			["kernel8.img: timeout after 512 of 2048 bytes"],
		);
	});
});
