/** The layouts of the distributions: exactly these paths differ from the image, and in this way; all others are as they were. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import fc from "fast-check";
import { inspectImage } from "../../images/index.ts";
import { ALPINE_SYS_BOOT, ALPINE_SYS_ROOT } from "../../images/testing/alpine.ts";
import { BUILDROOT_BOOT, BUILDROOT_BUSYBOX_ROOT, BUILDROOT_SYSTEMD_ROOT } from "../../images/testing/buildroot.ts";
import { DIETPI_ROOT, DIETPI_TXT } from "../../images/testing/dietpi.ts";
import { TABLE } from "../../images/testing/stock.ts";
import { type Entries, makeTree } from "../../images/testing/tree.ts";
import { UBUNTU_BOOT, UBUNTU_ROOT } from "../../images/testing/ubuntu.ts";
import { readTextAt } from "../../vfs/index.ts";
import { differences } from "../testing/differences.ts";
import { DEVICE, KEY, linkTarget, ownership, type PatchedImage, patchedTree } from "../testing/patched.ts";
import { patchesFor } from "./patches.ts";

const changesOf = (image: PatchedImage) => differences(makeTree(image.root), patchedTree(image));
const textOf = (image: PatchedImage, path: string) => readTextAt(patchedTree(image), path) ?? "";

/** Each device has these, wherever it boots. */
const IDENTITY = ["/etc/fstab", "/etc/hostname", "/etc/hosts"];
const SYSTEM = "/etc/systemd/system";
/** The agent's unit and its folder, where there is a Python. */
const AGENT = [
	...[`+${SYSTEM}/netboot-imager.service`, `+${SYSTEM}/multi-user.target.wants/netboot-imager.service`],
	...["+/opt", "+/opt/netboot-imager"],
];

function assertChanges(image: PatchedImage, expected: readonly string[]): void {
	assert.deepEqual(changesOf(image), [...expected].sort());
}

describe("Ubuntu", () => {
	const image = { root: UBUNTU_ROOT, boot: UBUNTU_BOOT };

	it("gets its identity, a user, cloud-init's seed without the network, and the interface", () => {
		const seed = ["", "/nocloud", "/nocloud/meta-data", "/nocloud/user-data"].map(
			(name) => `+/var/lib/cloud/seed${name}`,
		);
		assertChanges(image, [
			...IDENTITY,
			"/etc/machine-id",
			...["+/etc/ssh/ssh_host_ed25519_key", "+/etc/ssh/ssh_host_ed25519_key.pub"],
			...["+/etc/systemd/network", "+/etc/systemd/network/01-netboot.network"],
			`+${SYSTEM}/systemd-networkd-wait-online.service.d`,
			`+${SYSTEM}/systemd-networkd-wait-online.service.d/netboot.conf`,
			"+/etc/cloud/cloud.cfg.d/99-zz-netboot.cfg",
			...seed,
			...["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"],
			...["+/home/pi", "+/home/pi/.bashrc", "+/home/pi/.ssh", "+/home/pi/.ssh/authorized_keys"],
			...["+/etc/sudoers.d", "+/etc/sudoers.d/010_netboot"],
			...AGENT,
		]);
	});

	it("is not asked for its disks by label", () => {
		const lines = textOf(image, "/etc/fstab").trim().split("\n");
		assert.ok(lines.length === 2 && lines.every((line) => line.startsWith("# netboot: LABEL=")), lines.join("\n"));
	});

	it("carries out its user-data, but leaves the network, the name and the keys alone", () => {
		assert.equal(textOf(image, "/var/lib/cloud/seed/nocloud/user-data"), UBUNTU_BOOT["/user-data"]);
		const settings = textOf(image, "/etc/cloud/cloud.cfg.d/99-zz-netboot.cfg");
		for (const line of ["network: {config: disabled}", "preserve_hostname: true", "ssh_deletekeys: false"]) {
			assert.ok(settings.split("\n").includes(line), line);
		}
	});

	it("has no swap file", () => {
		const unit = { [`${SYSTEM}/swapfile.swap`]: "[Swap]\nWhat=/swapfile\n", [`${SYSTEM}/dev-zram0.swap`]: "[Swap]\n" };
		const tree = patchedTree({ ...image, root: { ...UBUNTU_ROOT, ...unit } });
		assert.equal(linkTarget(tree, `${SYSTEM}/swapfile.swap`), "/dev/null");
		assert.equal(linkTarget(tree, `${SYSTEM}/dev-zram0.swap`), undefined);
	});
});

describe("DietPi", () => {
	const image = { root: DIETPI_ROOT, boot: { "/dietpi.txt": DIETPI_TXT } };
	const own = ["", "/dropbear_ed25519_host_key", "/machine-id"].map((name) => `+/usr/local/lib/netboot/own${name}`);

	it("gets its identity, keys for its user and root, and neither a resize nor a swap file", () => {
		assertChanges(image, [
			...[...IDENTITY, "/etc/machine-id"],
			...AGENT,
			...["+/usr/local", "+/usr/local/lib", "+/usr/local/lib/netboot", ...own],
			...["-/etc/dropbear/dropbear_ecdsa_host_key", "+/etc/dropbear/dropbear_ed25519_host_key"],
			...["+/etc/dhcp", "+/etc/dhcp/dhclient-enter-hooks.d", "+/etc/dhcp/dhclient-enter-hooks.d/netboot"],
			...["dietpi-firstboot", "networking", "ifup@"].flatMap((unit) => [
				`+${SYSTEM}/${unit}.service.d`,
				`+${SYSTEM}/${unit}.service.d/netboot.conf`,
			]),
			`${SYSTEM}/dietpi-fs_partition_resize.service`,
			"/boot/dietpi.txt",
			...["+/home/dietpi/.ssh", "+/home/dietpi/.ssh/authorized_keys"],
			...["+/root/.ssh", "+/root/.ssh/authorized_keys"],
		]);
	});

	it("takes the settings that were prepared on the boot volume, byte by byte, with its own name and without swap", () => {
		const expected = DIETPI_TXT.replace("HOSTNAME=DietPi", "HOSTNAME=pi-7f3a").replace("SIZE=512", "SIZE=0");
		assert.equal(textOf(image, "/boot/dietpi.txt"), expected);
		assert.match(textOf({ root: DIETPI_ROOT }, "/boot/dietpi.txt"), /^AUTO_SETUP_NET_HOSTNAME=pi-7f3a$/m);
	});

	it("has its ids and keys back when the first boot has made others", () => {
		const dropIn = textOf(image, `${SYSTEM}/dietpi-firstboot.service.d/netboot.conf`);
		assert.match(dropIn, /^ExecStartPost=-.*dropbear_\*_host_key \/etc\/dropbear\/.*machine-id \/etc\/machine-id/m);
		const tree = patchedTree(image);
		assert.equal(ownership(tree, "/usr/local/lib/netboot/own/dropbear_ed25519_host_key"), "600 0:0");
	});
});

describe("Buildroot with BusyBox's init", () => {
	const image = { root: BUILDROOT_BUSYBOX_ROOT, boot: BUILDROOT_BOOT };
	const netboot = ["", "/lib", "/lib/netboot", "/lib/netboot/keep-lease", "/lib/netboot/leased"];
	const CHANGES = [
		...[...IDENTITY, "+/etc/machine-id", "/etc/inittab", "/etc/network/interfaces"],
		...netboot.map((name) => `+/usr/local${name}`),
		...["/etc/dropbear", "+/etc/dropbear/dropbear_ed25519_host_key"],
		...["+/root/.ssh", "+/root/.ssh/authorized_keys"],
	];

	it("gets its identity, root's keys, and one that renews the lease; nothing else changes", () => {
		assertChanges(image, CHANGES);
	});

	it("leaves the root's interface to what renews the lease, and the others to ifup", () => {
		const wlan = "\nauto wlan0\niface wlan0 inet dhcp\n  pre-up wpa_supplicant\n";
		const root = { ...BUILDROOT_BUSYBOX_ROOT };
		root["/etc/network/interfaces"] = `${root["/etc/network/interfaces"]}${wlan}`;
		const expected = `# interface file auto-generated by buildroot

auto lo
iface lo inet loopback

auto eth0
# netboot: iface eth0 inet dhcp
iface eth0 inet manual
# netboot:   pre-up /etc/network/nfs_check
# netboot:   wait-delay 15
# netboot:   hostname $(hostname)
${wlan}`;
		assert.equal(textOf({ root }, "/etc/network/interfaces"), expected);
	});

	it("has no word that would configure the root's interface left, whatever stands in the file; all other lines stay", () => {
		const word = fc.constantFrom(
			"auto",
			"iface",
			"eth0",
			"wlan0",
			"inet",
			"inet6",
			"dhcp",
			"static",
			"manual",
			"#",
			"pre-up",
			"",
		);
		const line = fc.array(fc.oneof({ arbitrary: word, weight: 6 }, fc.string()), { maxLength: 5 });
		fc.assert(
			fc.property(fc.array(line), (lines) => {
				const before = `iface eth0 inet dhcp\n${lines.map((words) => words.join(" ")).join("\n")}`;
				const root = { ...BUILDROOT_BUSYBOX_ROOT, "/etc/network/interfaces": before };
				const after = textOf({ root, device: { authorizedKeys: [], sshHostKeys: [] } }, "/etc/network/interfaces");
				assert.doesNotMatch(after, /^[ \t]*iface[ \t]+eth0[ \t]+inet[ \t]+(?!manual|loopback)/m);
				const restored = after
					.replace(/^# netboot: (.*)\niface eth0 inet manual$/gm, "$1")
					.replace(/^# netboot: /gm, "");
				assert.equal(restored, before);
			}),
			{ numRuns: 60, endOnFailure: true },
		);
	});

	it("has init keep udhcpc running, in the words of BusyBox and of System V", () => {
		const keeper = "/usr/local/lib/netboot/keep-lease";
		assert.match(textOf(image, "/etc/inittab"), new RegExp(`\\nnull::respawn:${keeper}\\n$`));
		const sysv = {
			...BUILDROOT_BUSYBOX_ROOT,
			"/sbin/init": { text: "#!", mode: 0o755 },
			"/etc/inittab": "id:3:initdefault:\nsi0::sysinit:/bin/mount -t proc proc /proc",
		};
		assert.match(textOf({ root: sysv }, "/etc/inittab"), new RegExp(`/proc\\nnb:2345:respawn:${keeper}\\n$`));
	});

	it("keeps memory where a shared root cannot be written, and does not try to make it writable", () => {
		const readOnly = { ...image, mode: "read-only" as const };
		assert.match(textOf(readOnly, "/etc/inittab"), /^# netboot: ::sysinit:\/bin\/mount -o remount,rw \/$/m);
		assert.match(textOf(readOnly, "/etc/fstab"), /^tmpfs \/tmp tmpfs nosuid,nodev,mode=1777/m);
		assertChanges(readOnly, CHANGES);
	});

	it("makes a user only when one is asked for", () => {
		const tree = patchedTree({ ...image, device: { user: { name: "ann" } } });
		assert.match(readTextAt(tree, "/etc/passwd") ?? "", /^ann:x:1000:/m);
		assert.equal(readTextAt(tree, "/root/.ssh/authorized_keys"), `${KEY}\n`);
	});

	it("takes root's home from the image, also where that is the root directory", () => {
		for (const [home, file] of [
			["/", "/.ssh/authorized_keys"],
			["/var/root", "/var/root/.ssh/authorized_keys"],
			["/../out", "/root/.ssh/authorized_keys"],
		] as const) {
			const root = { ...image.root, "/etc/passwd": `root:x:0:0:root:${home}:/bin/sh\n` };
			assert.equal(textOf({ ...image, root }, file), `${KEY}\n`, home);
		}
	});

	it("gives root the password that was set", () => {
		const device = { authorizedKeys: [], user: { passwordHash: "$6$a$b" } };
		assert.match(textOf({ ...image, device }, "/etc/shadow"), /^root:\$6\$a\$b:/m);
	});
});

describe("Buildroot with systemd", () => {
	it("is treated as any other system with networkd, and root is its user", () => {
		const root = { ...BUILDROOT_SYSTEMD_ROOT };
		assertChanges({ root, device: { authorizedKeys: [] } }, [
			...[...IDENTITY, "+/etc/machine-id"],
			...["/etc/dropbear", "+/etc/dropbear/dropbear_ed25519_host_key"],
			"+/etc/systemd/network/01-netboot.network",
		]);
	});

	it("does not need a link for a server that its package starts", () => {
		const tree = patchedTree({ root: BUILDROOT_SYSTEMD_ROOT });
		assert.equal(linkTarget(tree, `${SYSTEM}/multi-user.target.wants/dropbear.service`), undefined);
		assert.equal(readTextAt(tree, "/root/.ssh/authorized_keys"), `${KEY}\n`);
	});

	it("runs udhcpc from a unit where ifup would have run it", () => {
		const root: Entries = {
			...BUILDROOT_BUSYBOX_ROOT,
			"/usr/lib/systemd/systemd": { text: "#!", mode: 0o755 },
			"/sbin/init": { link: "../usr/lib/systemd/systemd" },
			[`${SYSTEM}/network.service`]: "[Service]\nExecStart=/sbin/ifup -a\nExecStop=/sbin/ifdown -a\n",
			[`${SYSTEM}/multi-user.target.wants/network.service`]: { link: `${SYSTEM}/network.service` },
		};
		const tree = patchedTree({ root });
		const unit = `${SYSTEM}/netboot-lease.service`;
		assert.match(readTextAt(tree, unit) ?? "", /^ExecStart=\/usr\/local\/lib\/netboot\/keep-lease$/m);
		assert.equal(linkTarget(tree, `${SYSTEM}/multi-user.target.wants/netboot-lease.service`), unit);
		assert.match(readTextAt(tree, "/etc/network/interfaces") ?? "", /^iface eth0 inet manual$/m);
		assert.equal(readTextAt(tree, `${SYSTEM}/network.service.d/netboot.conf`), "[Service]\nExecStop=\n");
	});
});

describe("Alpine on ext4", () => {
	const image = { root: ALPINE_SYS_ROOT, boot: ALPINE_SYS_BOOT };

	it("gets its identity, root's keys, sshd in its runlevel, and one that renews the lease", () => {
		assertChanges(image, [
			...[...IDENTITY, "+/etc/machine-id", "/etc/inittab", "/etc/network/interfaces"],
			...["", "/lib", "/lib/netboot", "/lib/netboot/keep-lease", "/lib/netboot/leased"].map(
				(name) => `+/usr/local${name}`,
			),
			...["+/etc/ssh/ssh_host_ed25519_key", "+/etc/ssh/ssh_host_ed25519_key.pub"],
			...["/etc/shadow", "+/root/.ssh", "+/root/.ssh/authorized_keys"],
			"+/etc/runlevels/default/sshd",
		]);
		assert.equal(linkTarget(patchedTree(image), "/etc/runlevels/default/sshd"), "/etc/init.d/sshd");
		assert.match(textOf(image, "/etc/shadow"), /^root:\*:/);
	});

	it("keeps the lines of fstab that name no part of the image", () => {
		assert.match(textOf(image, "/etc/fstab"), /^\/dev\/usbdisk\t\/media\/usb\tvfat\tnoauto\t0 0$/m);
	});
});

describe("a distribution that nobody knows", () => {
	it("gets what holds for every system, and no more", () => {
		const root: Entries = {
			"/sbin/init": { text: "#!", mode: 0o755 },
			"/usr/sbin/sshd": { text: "#!", mode: 0o755 },
			"/etc/fstab": "/dev/mmcblk0p2 / ext4 rw 0 1\n",
			"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
			"/etc/shadow": "root:*:::::::\n",
		};
		const facts = inspectImage({ root: makeTree(root), bootMount: "/boot", table: TABLE });
		assert.equal(facts.init, "other");
		assertChanges({ root, device: { sshHostKeys: [] } }, [
			...["/etc/fstab", "+/etc/hostname", "+/etc/hosts", "+/etc/machine-id"],
			...["+/root", "+/root/.ssh", "+/root/.ssh/authorized_keys"],
		]);
	});
});

describe("the scripts that keep a lease", () => {
	const { mac: _, ...unknown } = DEVICE;
	const scripts = ["/usr/local/lib/netboot/keep-lease", "/usr/local/lib/netboot/leased"];

	it("can be read by a shell, with and without a MAC, as can dhclient's hook", () => {
		for (const device of [DEVICE, unknown]) {
			for (const [root, paths] of [
				[BUILDROOT_BUSYBOX_ROOT, scripts],
				[DIETPI_ROOT, ["/etc/dhcp/dhclient-enter-hooks.d/netboot"]],
			] as const) {
				const tree = makeTree(root);
				const facts = inspectImage({ root: tree, bootMount: "/boot/firmware", table: TABLE });
				const patches = patchesFor({ root: tree, bootMount: "/boot/firmware", facts, device, mode: "persistent" });
				for (const path of paths) {
					const script = patches.find((patch) => patch.path === path)?.change(undefined);
					assert.ok(typeof script === "object" && script.type === "file", path);
					execFileSync("/bin/sh", ["-n"], { input: script.content, stdio: ["pipe", "pipe", "pipe"] });
				}
			}
		}
	});

	it("are run by root, for the interface with the device's MAC", () => {
		const tree = patchedTree({ root: BUILDROOT_BUSYBOX_ROOT });
		for (const path of scripts) assert.equal(ownership(tree, path), "755 0:0");
		assert.ok((readTextAt(tree, scripts[0] ?? "") ?? "").includes('= "dc:a6:32:01:02:03" ]'));
	});
});
