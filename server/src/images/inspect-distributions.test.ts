/** What the layouts of the distributions are taken for, and what a person is told of them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { whenReady } from "../base/index.ts";
import { inspectImage } from "./inspect.ts";
import type { ImageFacts } from "./inspect-facts.ts";
import { ALPINE_DISKLESS_BOOT, ALPINE_SYS_BOOT, ALPINE_SYS_ROOT } from "./testing/alpine.ts";
import { BUILDROOT_BOOT, BUILDROOT_BUSYBOX_ROOT, BUILDROOT_SYSTEMD_ROOT } from "./testing/buildroot.ts";
import { DIETPI_ROOT } from "./testing/dietpi.ts";
import { RASPBERRY_PI_BOOT, TABLE } from "./testing/stock.ts";
import { type Entries, makeTree } from "./testing/tree.ts";
import { UBUNTU_BOOT, UBUNTU_ROOT } from "./testing/ubuntu.ts";

function inspect(root: Entries | undefined, boot: Entries | undefined): Promise<ImageFacts> {
	const trees = { root: root && makeTree(root), boot: boot && makeTree(boot), bootMount: "/boot", table: TABLE };
	return whenReady(() => inspectImage(trees));
}

const codesOf = (facts: ImageFacts) => facts.findings.map(({ code }) => code);
const messageOf = (facts: ImageFacts, code: string) => facts.findings.find((one) => one.code === code)?.message;

/** An arm64 kernel that says its version and, where it is given, its configuration. */
function kernel(config?: string): Buffer {
	const head = Buffer.alloc(1024);
	head.write("ARM\x64", 56, "latin1");
	const inside = config === undefined ? [] : [Buffer.from("IKCFG_ST"), gzipSync(config), Buffer.from("IKCFG_ED")];
	return Buffer.concat([head, ...inside, Buffer.from("Linux version 6.6.78-v8 (a@b) #1\n\0")]);
}

const NFS_ROOT = "ROOT_NFS NFS_FS NFS_V3 IP_PNP IP_PNP_DHCP DEVTMPFS_MOUNT BCMGENET"
	.split(" ")
	.map((name) => `CONFIG_${name}=y\n`)
	.join("");

describe("the layouts of distributions", () => {
	it("tell how they start, who renews the lease, and what listens", async () => {
		const looks = await Promise.all([
			inspect(UBUNTU_ROOT, UBUNTU_BOOT),
			inspect(DIETPI_ROOT, RASPBERRY_PI_BOOT),
			inspect(BUILDROOT_BUSYBOX_ROOT, BUILDROOT_BOOT),
			inspect(BUILDROOT_SYSTEMD_ROOT, BUILDROOT_BOOT),
			inspect(ALPINE_SYS_ROOT, ALPINE_SYS_BOOT),
		]);
		const facts = looks.map(({ os, init, network, sshServer }) => {
			const { networkd, ifupdown, udhcpc } = network;
			return [os?.id, init, networkd && "networkd", ifupdown && "ifupdown", udhcpc && "udhcpc", sshServer];
		});
		assert.deepEqual(facts, [
			["ubuntu", "systemd", "networkd", false, false, true],
			["debian", "systemd", false, "ifupdown", false, true],
			["buildroot", "busybox", false, "ifupdown", "udhcpc", true],
			["buildroot", "systemd", "networkd", false, "udhcpc", true],
			["alpine", "openrc", false, "ifupdown", "udhcpc", true],
		]);
	});

	it("boot the models whose files they have, under the prefix where there is one", async () => {
		const ubuntu = await inspect(UBUNTU_ROOT, UBUNTU_BOOT);
		assert.deepEqual(
			ubuntu.models.map(({ model }) => model),
			["pi3bp", "pi4", "pi5"],
		);
		assert.ok(
			ubuntu.models.every(({ kernel, initramfs }) => `${kernel} ${initramfs}` === "current/vmlinuz current/initrd.img"),
		);
		assert.deepEqual((await inspect(BUILDROOT_BUSYBOX_ROOT, BUILDROOT_BOOT)).models, [
			{ model: "pi4", kernel: "Image", initramfs: [] },
		]);
	});

	it("say who can log in", async () => {
		const buildroot = codesOf(await inspect(BUILDROOT_BUSYBOX_ROOT, BUILDROOT_BOOT));
		assert.ok(buildroot.includes("root-only") && !buildroot.includes("no-user"));
		const ubuntu = codesOf(await inspect(UBUNTU_ROOT, UBUNTU_BOOT));
		assert.ok(ubuntu.includes("no-user") && ubuntu.includes("cloud-init-user"));
	});

	it("say that nobody renews the lease, where that is so", async () => {
		const { "/sbin/udhcpc": _, ...without } = BUILDROOT_BUSYBOX_ROOT;
		assert.ok(codesOf(await inspect(without, BUILDROOT_BOOT)).includes("no-dhcp-client"));
		assert.ok(!codesOf(await inspect(BUILDROOT_BUSYBOX_ROOT, BUILDROOT_BOOT)).includes("no-dhcp-client"));
	});

	it("say that a diskless Alpine has no root, and what to use instead", async () => {
		const facts = await inspect(undefined, ALPINE_DISKLESS_BOOT);
		assert.equal(facts.findings[0]?.code, "alpine-diskless");
		assert.match(facts.findings[0]?.fix ?? "", /setup-disk -m sys/);
	});

	it("say of an init that nobody knows that its network is not adapted", async () => {
		const root = { "/sbin/init": { text: "#!", mode: 0o755 }, "/etc/passwd": "root:x:0:0::/root:/bin/sh\n" };
		assert.ok(codesOf(await inspect(root, BUILDROOT_BOOT)).includes("unknown-init"));
		const sysv = { ...root, "/etc/inittab": "id:3:initdefault:\n" };
		assert.equal((await inspect(sysv, BUILDROOT_BOOT)).init, "sysvinit");
	});
});

describe("a kernel without an initramfs", () => {
	const withKernel = (image: Buffer, boot: Entries = BUILDROOT_BOOT) => ({ ...boot, "/Image": image });

	it("boots when it can mount an NFS root by itself", async () => {
		const facts = await inspect(BUILDROOT_BUSYBOX_ROOT, withKernel(kernel(NFS_ROOT)));
		assert.deepEqual(
			facts.models.map(({ model }) => model),
			["pi4"],
		);
		assert.ok(!codesOf(facts).includes("unknown-nfs-root"));
	});

	it("cannot boot when it lacks something: it is named", async () => {
		const config = NFS_ROOT.replace("CONFIG_ROOT_NFS=y\n", "").replace("BCMGENET=y", "BCMGENET=m");
		const facts = await inspect(BUILDROOT_BUSYBOX_ROOT, withKernel(kernel(config)));
		assert.deepEqual(facts.models, []);
		const expected =
			"No kernel that mounts an NFS root by itself (Image lacks ROOT_NFS, BCMGENET), no initramfs that would do it: a Pi 4 cannot boot this.";
		assert.equal(messageOf(facts, "cannot-boot-pi4"), expected);
	});

	it("may boot when it does not tell its configuration: that is said", async () => {
		const facts = await inspect(BUILDROOT_BUSYBOX_ROOT, withKernel(kernel()));
		assert.equal(facts.models.length, 1);
		assert.match(messageOf(facts, "unknown-nfs-root") ?? "", /^There is no initramfs, and Image does not tell/);
	});

	it("tells it in the module that holds it, and in a file beside it", async () => {
		const module = Buffer.concat([Buffer.from("\x7fELF..IKCFG_ST"), gzipSync(NFS_ROOT), Buffer.from("IKCFG_ED")]);
		const root = { ...BUILDROOT_BUSYBOX_ROOT, "/lib/modules/6.6.78-v8/kernel/kernel/configs.ko": module };
		for (const [one, boot] of [
			[root, withKernel(kernel())],
			[BUILDROOT_BUSYBOX_ROOT, { ...withKernel(kernel()), "/config-6.6.78-v8": NFS_ROOT }],
		] as const) {
			const facts = await inspect(one, boot);
			assert.equal(facts.kernels[0]?.options?.ROOT_NFS, "y");
			assert.ok(!codesOf(facts).includes("unknown-nfs-root"));
		}
	});
});

describe("an initramfs that mounts no NFS root", () => {
	it("is Alpine's, unless the kernel needs none", async () => {
		assert.ok(codesOf(await inspect(ALPINE_SYS_ROOT, ALPINE_SYS_BOOT)).includes("alpine-initramfs"));
		const boot = { ...ALPINE_SYS_BOOT, "/vmlinuz-rpi": kernel(NFS_ROOT) };
		assert.ok(!codesOf(await inspect(ALPINE_SYS_ROOT, boot)).includes("alpine-initramfs"));
	});

	it("is dracut's, where its part for NFS or the program that mounts is missing", async () => {
		const { "/usr/share/initramfs-tools/init": _, ...without } = UBUNTU_ROOT;
		const dracut = { ...without, "/usr/lib/dracut/modules.d/99base/module-setup.sh": "#!" };
		assert.ok(codesOf(await inspect(dracut, UBUNTU_BOOT)).includes("dracut-without-nfs"));
		const whole = { ...dracut, "/usr/lib/dracut/modules.d/74nfs/module-setup.sh": "#!", "/usr/sbin/mount.nfs": "#!" };
		assert.ok(!codesOf(await inspect(whole, UBUNTU_BOOT)).includes("dracut-without-nfs"));
		assert.ok(!codesOf(await inspect(UBUNTU_ROOT, UBUNTU_BOOT)).includes("dracut-without-nfs"));
	});
});

describe("hostile text", () => {
	it("in interfaces, inittab and a module of the kernel does no harm", async () => {
		await fc.assert(
			fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
				const files = {
					"/etc/network/interfaces": text,
					"/etc/inittab": text,
					"/lib/modules/1/kernel/kernel/configs.ko": `IKCFG_ST${text}`,
				};
				assert.equal((await inspect({ ...BUILDROOT_BUSYBOX_ROOT, ...files }, undefined)).init, "busybox");
			}),
			{ numRuns: 25 },
		);
	});
});
