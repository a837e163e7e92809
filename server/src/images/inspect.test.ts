import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { whenReady } from "../base/index.ts";
import { inspectImage } from "./inspect.ts";
import type { ImageFacts } from "./inspect-facts.ts";
import {
	AMD64_PROGRAM,
	ARM_PROGRAM,
	DEBIAN_BARE,
	DEBIAN_NETWORKD,
	RASPBERRY_PI_BOOT,
	RASPBERRY_PI_OS_BOOKWORM,
	RASPBERRY_PI_OS_TRIXIE,
	TABLE,
} from "./testing/stock.ts";
import { type Entries, makeTree } from "./testing/tree.ts";

/** Kernels are unpacked off the loop: the inspection is run again until they are. */
function inspect(root: Entries | undefined, boot: Entries | undefined): Promise<ImageFacts> {
	const trees = {
		root: root && makeTree(root),
		boot: boot && makeTree(boot),
		bootMount: "/boot/firmware",
		table: TABLE,
	};
	return whenReady(() => inspectImage(trees));
}

function modelsOf(facts: ImageFacts): string[] {
	return facts.models.map((model) => model.model);
}

function codesOf(facts: ImageFacts): string[] {
	return facts.findings.map((finding) => finding.code);
}

/** A boot volume without some of its files. */
function without(boot: Entries, ...paths: string[]): Entries {
	return Object.fromEntries(Object.entries(boot).filter(([path]) => !paths.includes(path)));
}

/** An arm64 Image: the magic at 56, then what the test wants to be found in it. */
function arm64Image(...parts: (string | Buffer)[]): Buffer {
	const head = Buffer.alloc(1024);
	head.write("ARM\x64", 56, "latin1");
	return Buffer.concat([head, ...parts.map((part) => Buffer.from(part))]);
}

const BANNER = "Linux version %s (%s)\0Linux version 6.12.47+rpt-rpi-v8 (serge@raspberrypi.com) (gcc) #1\n\0";

describe("what an image is", () => {
	it("knows Raspberry Pi OS, which calls itself Debian", async () => {
		const facts = await inspect(RASPBERRY_PI_OS_TRIXIE, RASPBERRY_PI_BOOT);
		assert.deepEqual(facts.os, {
			id: "raspios",
			name: "Raspberry Pi OS (trixie)",
			version: "13",
			codename: "trixie",
			architecture: "arm64",
		});
		assert.equal(facts.init, "systemd");
		assert.equal(facts.firstUser?.name, "pi");
		assert.equal(facts.sudo, true);
		assert.deepEqual(facts.network, {
			networkManager: true,
			networkd: false,
			dhcpcd: false,
			ifupdown: false,
			udhcpc: false,
			networkdInstalled: true,
			netplan: false,
			cloudInit: true,
		});
	});

	it("knows Debian with systemd-networkd, without a user", async () => {
		const facts = await inspect(DEBIAN_NETWORKD, RASPBERRY_PI_BOOT);
		assert.equal(facts.os?.name, "Debian GNU/Linux 12 (bookworm)");
		assert.equal(facts.network.networkd, true);
		assert.equal(facts.network.networkManager, false);
		assert.equal(facts.sshServer, true);
		assert.equal(facts.firstUser, undefined);
		assert.ok(codesOf(facts).includes("no-user"));
	});

	it("takes no system account, no wizard and no account without a shell for the first user", async () => {
		const passwd =
			"rpi-first-boot-wizard:x:1001:1001::/home/w:/bin/bash\nx:x:1002:1002::/home/x:/usr/sbin/nologin\nann:x:1003:1003:,,,:/home/ann:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\n";
		assert.equal((await inspect({ ...DEBIAN_BARE, "/etc/passwd": passwd }, undefined)).firstUser?.name, "ann");
	});

	it("knows ifupdown by an interface that it configures", async () => {
		const units = { "/etc/systemd/system/multi-user.target.wants/networking.service": { link: "/x" } };
		const lo = "auto lo\niface lo inet loopback\nsource /etc/network/interfaces.d/*\n";
		const only = await inspect({ ...DEBIAN_BARE, ...units, "/etc/network/interfaces": lo }, undefined);
		assert.equal(only.network.ifupdown, false);
		const eth0 = { "/etc/network/interfaces": lo, "/etc/network/interfaces.d/eth0": "iface eth0 inet dhcp\n" };
		assert.equal((await inspect({ ...DEBIAN_BARE, ...units, ...eth0 }, undefined)).network.ifupdown, true);
	});

	it("takes a masked unit for one that does not start", async () => {
		const mask = { "/etc/systemd/system/systemd-networkd.service": { link: "/dev/null" } };
		assert.equal((await inspect({ ...DEBIAN_NETWORKD, ...mask }, undefined)).network.networkd, false);
	});

	it("says what is missing for a login and for writing disks", async () => {
		const facts = await inspect(without(DEBIAN_BARE, "/usr/bin/python3"), RASPBERRY_PI_BOOT);
		assert.ok(codesOf(facts).includes("no-sshd"));
		assert.ok(codesOf(facts).includes("no-python"));
	});

	it("says that an image for a PC boots on no Pi", async () => {
		const facts = await inspect({ ...DEBIAN_BARE, "/usr/bin/dash": AMD64_PROGRAM }, RASPBERRY_PI_BOOT);
		assert.ok(codesOf(facts).includes("wrong-architecture"));
	});

	it("says what fstab and cmdline.txt hold that does not hold here", async () => {
		const facts = await inspect(RASPBERRY_PI_OS_BOOKWORM, RASPBERRY_PI_BOOT);
		const messages = facts.findings.map((finding) => finding.message);
		assert.ok(messages.includes("fstab mounts PARTUUID=1f00cafe-02 on /: replaced."));
		assert.ok(codesOf(facts).includes("firstboot"));
	});

	it("says that a further partition of the image is not served", () => {
		const root = makeTree({ ...DEBIAN_BARE, "/etc/fstab": "PARTUUID=1f00cafe-03 /data ext4 defaults 0 2\n" });
		const partition = { index: 3, start: 0, size: 512, type: "83", partuuid: "1f00cafe-03" };
		const facts = inspectImage({ root, bootMount: "/boot", table: { ...TABLE, partitions: [partition] } });
		assert.ok(codesOf(facts).includes("fstab-partition"));
	});

	it("gets along without a root and without a boot volume", async () => {
		assert.deepEqual(codesOf(await inspect(undefined, undefined)), ["no-root", "no-boot-volume"]);
	});

	it("is told in lines that end, however much an image says of itself", async () => {
		const long = "x".repeat(100_000);
		const release = `ID=debian\nPRETTY_NAME="\x1b[2J\u202e${long}"\nVERSION_ID=${long}\n`;
		const fstab = `UUID=${long} /boot vfat\n${"LABEL=a /boot/firmware vfat\n".repeat(10_000)}`;
		const root = { ...DEBIAN_BARE, "/usr/lib/os-release": release, "/etc/os-release": release, "/etc/fstab": fstab };
		const config = `os_prefix=${"./".repeat(5000)}\nkernel=kernel8.img\ndevice_tree=${long}\n`;
		const { os, findings, kernels } = await inspect(root, { ...RASPBERRY_PI_BOOT, "/config.txt": config });
		assert.match(os?.name ?? "", /^\?\[2J\?x{94}…$/);
		assert.ok(JSON.stringify({ os, findings, kernels }).length < 20_000);
		assert.deepEqual([findings.at(-1)?.code, findings.at(0)?.severity], ["more-findings", "error"]);
	});

	it("is read once through, whatever is repeated in it: to try each place again would take hours", async () => {
		const most = 300_000;
		const units = { "/etc/systemd/system/multi-user.target.wants/networking.service": { link: "/x" } };
		const interfaces = `${"\n".repeat(most)}iface eth0 inet dhcp\n`;
		const root = { ...DEBIAN_BARE, ...units, "/etc/network/interfaces": interfaces };
		const config = `[pi${"0".repeat(most)}!]\n`;
		const cmdline = "init=".repeat(most / 5);
		const boot = { ...RASPBERRY_PI_BOOT, "/config.txt": config, "/cmdline.txt": cmdline };
		assert.equal((await inspect(root, boot)).network.ifupdown, true);
	});

	it("takes any text for passwd, os-release and fstab without failing", async () => {
		await fc.assert(
			fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
				const files = { "/etc/passwd": text, "/usr/lib/os-release": text, "/etc/fstab": text };
				assert.equal((await inspect({ ...DEBIAN_BARE, ...files }, undefined)).init, "systemd");
			}),
			{ numRuns: 50 },
		);
	});
});

describe("which models an image boots", () => {
	it("finds all of them in Raspberry Pi OS, each with its kernel and initramfs", async () => {
		const facts = await inspect(RASPBERRY_PI_OS_TRIXIE, RASPBERRY_PI_BOOT);
		assert.deepEqual(modelsOf(facts), ["pi3b", "pi3bp", "pi4", "pi400", "cm4", "pi5", "pi500", "cm5"]);
		assert.deepEqual(facts.models[2], { model: "pi4", kernel: "kernel8.img", initramfs: ["initramfs8"] });
		assert.deepEqual(facts.models[5], { model: "pi5", kernel: "kernel_2712.img", initramfs: ["initramfs_2712"] });
	});

	it("gives a Pi 5 the common kernel when its own is missing", async () => {
		const facts = await inspect(
			RASPBERRY_PI_OS_TRIXIE,
			without(RASPBERRY_PI_BOOT, "/kernel_2712.img", "/initramfs_2712"),
		);
		assert.deepEqual(facts.models.find((model) => model.model === "pi5")?.kernel, "kernel8.img");
	});

	it("says which file a model misses", async () => {
		const facts = await inspect(RASPBERRY_PI_OS_TRIXIE, without(RASPBERRY_PI_BOOT, "/start4.elf", "/bootcode.bin"));
		assert.deepEqual(modelsOf(facts), ["pi5", "pi500", "cm5"]);
		const messages = facts.findings.map((finding) => finding.message);
		assert.ok(messages.includes("No start4.elf: a Pi 4 cannot boot this."));
		assert.ok(messages.includes("No bootcode.bin: a Pi 3B+ cannot boot this."));
	});

	it("says it as an error when no model boots", async () => {
		const facts = await inspect(RASPBERRY_PI_OS_TRIXIE, without(RASPBERRY_PI_BOOT, "/kernel8.img", "/kernel_2712.img"));
		assert.deepEqual(modelsOf(facts), []);
		const finding = facts.findings.find((one) => one.code === "cannot-boot-pi4");
		assert.equal(finding?.severity, "error");
		assert.equal(finding?.message, "No kernel8.img: a Pi 4 cannot boot this.");
	});

	it("finds the kernel that config.txt names, and the initramfs that it loads", async () => {
		const config = "kernel=vmlinuz\ninitramfs initrd.img followkernel\n";
		const files = { "/config.txt": config, "/vmlinuz": arm64Image(), "/initrd.img": "x" };
		const facts = await inspect(DEBIAN_NETWORKD, { ...RASPBERRY_PI_BOOT, ...files });
		assert.deepEqual(facts.models[0]?.kernel, "vmlinuz");
		assert.deepEqual(facts.models[0]?.initramfs, ["initrd.img"]);
	});

	it("gives a 32-bit kernel to a 32-bit root only", async () => {
		const kernel7l = Buffer.alloc(64);
		kernel7l.writeUInt32LE(0x016f2818, 36);
		const boot = { ...without(RASPBERRY_PI_BOOT, "/kernel8.img"), "/kernel7l.img": kernel7l, "/initramfs7l": "x" };
		assert.ok(!modelsOf(await inspect(DEBIAN_NETWORKD, boot)).includes("pi4"));
		const root32 = { ...DEBIAN_NETWORKD, "/usr/bin/dash": ARM_PROGRAM };
		assert.ok(modelsOf(await inspect(root32, boot)).includes("pi4"));
	});
});

describe("what a kernel is", () => {
	const configs = {
		"/boot/config-6.12.47+rpt-rpi-v8": "CONFIG_ROOT_NFS=y\nCONFIG_BCMGENET=m\n# CONFIG_MACB is not set\n",
	};

	it("reads version and width out of a packed kernel, and finds its configuration in the root", async () => {
		const boot = { ...RASPBERRY_PI_BOOT, "/kernel8.img": gzipSync(arm64Image(BANNER)) };
		const facts = await inspect({ ...RASPBERRY_PI_OS_TRIXIE, ...configs }, boot);
		assert.deepEqual(
			facts.kernels.find((kernel) => kernel.file === "kernel8.img"),
			{
				file: "kernel8.img",
				bits: 64,
				version: "6.12.47+rpt-rpi-v8",
				options: { ROOT_NFS: "y", BCMGENET: "m" },
				initramfs: "initramfs8",
			},
		);
	});

	it("reads an unpacked kernel, and one whose gzip is cut short", async () => {
		const packed = gzipSync(arm64Image(BANNER, Buffer.alloc(100_000, "x")));
		for (const kernel of [arm64Image(BANNER), packed.subarray(0, packed.length - 20)]) {
			const facts = await inspect(undefined, { ...RASPBERRY_PI_BOOT, "/kernel8.img": kernel });
			assert.equal(facts.kernels.find((one) => one.file === "kernel8.img")?.version, "6.12.47+rpt-rpi-v8");
		}
	});

	it("reads the configuration that a kernel carries itself", async () => {
		const config = gzipSync('CONFIG_IP_PNP=y\nCONFIG_LOCALVERSION="-v8"\n');
		const kernel = arm64Image("IKCFG_ST", config, "IKCFG_ED", BANNER);
		const facts = await inspect(undefined, { ...RASPBERRY_PI_BOOT, "/kernel8.img": kernel });
		assert.deepEqual(facts.kernels.find((one) => one.file === "kernel8.img")?.options, { IP_PNP: "y" });
	});

	it("takes any bytes for a kernel without failing", async () => {
		const bytes = fc.array(
			fc.oneof(fc.constantFrom("Linux version ", "6.1 ", "IKCFG_ST", "IKCFG_ED", "\x1f\x8b\x08"), fc.string()),
		);
		await fc.assert(
			fc.asyncProperty(bytes, async (parts) => {
				const kernel = Buffer.from(parts.join(""), "latin1");
				const facts = await inspect(undefined, { ...RASPBERRY_PI_BOOT, "/kernel8.img": kernel });
				assert.equal(facts.kernels.length, 2);
			}),
			{ numRuns: 50 },
		);
	});
});
