import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { inspectImage } from "../../images/index.ts";
import {
	DEBIAN_BARE,
	DEBIAN_NETWORK_MANAGER,
	DEBIAN_NETWORKD,
	RASPBERRY_PI_OS_BOOKWORM,
	RASPBERRY_PI_OS_TRIXIE,
	TABLE,
} from "../../images/testing/stock.ts";
import { type Entries, makeTree } from "../../images/testing/tree.ts";
import { type PatchedTree, readTextAt, resolvePath } from "../../vfs/index.ts";
import { DEVICE, KEY, linkTarget, ownership, patchedText, patchedTree } from "../testing/patched.ts";
import type { DeviceIdentity } from "./input.ts";
import { patchesFor } from "./patches.ts";

const SYSTEM = "/etc/systemd/system";

function text(tree: PatchedTree, path: string): string {
	return readTextAt(tree, path) ?? "";
}

function isMasked(tree: PatchedTree, unit: string): boolean {
	return linkTarget(tree, `${SYSTEM}/${unit}`) === "/dev/null";
}

describe("identity", () => {
	it("gives the device its name, wherever a name stands", () => {
		const tree = patchedTree({ root: DEBIAN_NETWORKD });
		assert.equal(text(tree, "/etc/hostname"), "pi-7f3a\n");
		assert.equal(text(tree, "/etc/hosts"), "127.0.0.1 localhost\n127.0.1.1\tpi-7f3a\n");
	});

	it("makes /etc/hosts where there is none, and adds the name where there is no line for it", () => {
		const { "/etc/hosts": _, ...without } = DEBIAN_NETWORKD;
		assert.equal(patchedText({ root: without }, "/etc/hosts"), "127.0.0.1\tlocalhost\n127.0.1.1\tpi-7f3a\n");
		const other = { ...DEBIAN_NETWORKD, "/etc/hosts": "127.0.0.1 localhost" };
		assert.equal(patchedText({ root: other }, "/etc/hosts"), "127.0.0.1 localhost\n127.0.1.1\tpi-7f3a\n");
	});

	it("gives the device its machine-id, also where D-Bus has a copy", () => {
		const tree = patchedTree({ root: { ...RASPBERRY_PI_OS_TRIXIE, "/var/lib/dbus/machine-id": "old\n" } });
		assert.equal(text(tree, "/etc/machine-id"), `${DEVICE.machineId}\n`);
		assert.equal(text(tree, "/var/lib/dbus/machine-id"), `${DEVICE.machineId}\n`);
	});

	it("gives the device its SSH host keys and removes those that every Pi would share", () => {
		const tree = patchedTree({ root: DEBIAN_NETWORKD });
		assert.equal(ownership(tree, "/etc/ssh/ssh_host_ed25519_key"), "600 0:0");
		assert.match(text(tree, "/etc/ssh/ssh_host_ed25519_key.pub"), /^ssh-ed25519 \S+ root@pi-7f3a\n$/);
		assert.equal(resolvePath(tree, "/etc/ssh/ssh_host_rsa_key"), undefined);
	});

	it("refuses values that would break out of their line or field", () => {
		const root = makeTree(DEBIAN_NETWORKD);
		const facts = inspectImage({ root, bootMount: "/boot", table: TABLE });
		const wrong: Partial<DeviceIdentity>[] = [
			{ hostname: "a\nb" },
			{ machineId: "x" },
			{ user: { name: "a:b" } },
			{ user: { passwordHash: "a:0" } },
			{ authorizedKeys: ["a\nb"] },
			{ mac: "eth0" },
		];
		for (const change of wrong) {
			const device = { ...DEVICE, ...change };
			assert.throws(() => patchesFor({ root, bootMount: "/boot", facts, device, mode: "persistent" }), { code: "bug" });
		}
	});
});

describe("first boot, swap and cloud-init", () => {
	it("keeps bookworm from resizing, swapping to a file, asking for a user and changing its keys", () => {
		const tree = patchedTree({ root: RASPBERRY_PI_OS_BOOKWORM });
		const units = ["resize2fs_once", "dphys-swapfile", "userconfig", "regenerate_ssh_host_keys"];
		for (const unit of units) assert.ok(isMasked(tree, `${unit}.service`), unit);
		assert.equal(
			linkTarget(tree, `${SYSTEM}/getty.target.wants/getty@tty1.service`),
			"/usr/lib/systemd/system/getty@.service",
		);
		assert.equal(resolvePath(tree, "/etc/ssh/sshd_config.d/rename_user.conf"), undefined);
	});

	it("keeps trixie from resizing and swapping to a file, and switches an idle cloud-init off", () => {
		const tree = patchedTree({
			root: RASPBERRY_PI_OS_TRIXIE,
			boot: { "/user-data": "#cloud-config\n# hostname: x\n" },
		});
		assert.ok(isMasked(tree, "rpi-resize.service"));
		assert.equal(text(tree, "/etc/rpi/swap.conf.d/90-netboot.conf"), "[Main]\nMechanism=zram\n");
		assert.ok(resolvePath(tree, "/etc/cloud/cloud-init.disabled") !== undefined);
		assert.match(text(tree, "/etc/initramfs-tools/conf.d/zz-netboot"), /^MODULES=most$/m);
	});

	it("carries out a cloud-init seed that asks for something, but not its network", () => {
		const seed = { "/user-data": "#cloud-config\npackages: [vim]\n", "/meta-data": "instance-id: mine\n" };
		const tree = patchedTree({ root: RASPBERRY_PI_OS_TRIXIE, boot: seed });
		assert.equal(resolvePath(tree, "/etc/cloud/cloud-init.disabled"), undefined);
		assert.match(text(tree, "/etc/cloud/cloud.cfg.d/99-zz-netboot.cfg"), /^network: \{config: disabled\}$/m);
		assert.equal(text(tree, "/var/lib/cloud/seed/nocloud/user-data"), seed["/user-data"]);
		assert.equal(text(tree, "/var/lib/cloud/seed/nocloud/meta-data"), "instance-id: mine\n");
	});

	it("lets Raspberry Pi OS name its user when userconf.txt says how", () => {
		const tree = patchedTree({ root: RASPBERRY_PI_OS_BOOKWORM, boot: { "/userconf.txt": "ann:$6$h\n" } });
		assert.ok(!isMasked(tree, "userconfig.service"));
	});

	it("starts the desktop as the user", () => {
		const lightdm = { "/etc/lightdm/lightdm.conf": "[Seat:*]\nautologin-user=rpi-first-boot-wizard\n" };
		const root = { ...RASPBERRY_PI_OS_BOOKWORM, ...lightdm };
		assert.equal(patchedText({ root }, "/etc/lightdm/lightdm.conf"), "[Seat:*]\nautologin-user=pi\n");
	});

	it("masks nothing that is not there", () => {
		const tree = patchedTree({ root: DEBIAN_NETWORKD });
		const masked = tree.applied.filter(({ path }) => linkTarget(tree, path) === "/dev/null");
		assert.deepEqual(masked, []);
		assert.equal(resolvePath(tree, "/etc/initramfs-tools/conf.d/zz-netboot"), undefined);
	});
});

describe("login", () => {
	it("lets the user of the image in with the keys, switches sshd on, and sudo asks for no password", () => {
		const tree = patchedTree({ root: RASPBERRY_PI_OS_TRIXIE });
		assert.equal(
			linkTarget(tree, `${SYSTEM}/multi-user.target.wants/ssh.service`),
			"/usr/lib/systemd/system/ssh.service",
		);
		assert.equal(text(tree, "/home/pi/.ssh/authorized_keys"), `${KEY}\n`);
		assert.equal(ownership(tree, "/home/pi/.ssh"), "700 1000:1000");
		assert.equal(ownership(tree, "/home/pi/.ssh/authorized_keys"), "600 1000:1000");
		assert.equal(text(tree, "/etc/sudoers.d/010_netboot"), "pi ALL=(ALL) NOPASSWD: ALL\n");
		assert.equal(ownership(tree, "/etc/sudoers.d/010_netboot"), "440 0:0");
		assert.equal(resolvePath(tree, "/root/.ssh/authorized_keys"), undefined);
	});

	it("makes a user pi where there is none, in all four files, with a home; root has the keys when there is no sudo", () => {
		const tree = patchedTree({ root: DEBIAN_NETWORKD });
		assert.match(text(tree, "/etc/passwd"), /^pi:x:1000:1000:,,,:\/home\/pi:\/bin\/bash$/m);
		assert.match(text(tree, "/etc/shadow"), /^pi:\*:/m);
		assert.match(text(tree, "/etc/group"), /^sudo:x:27:pi$/m);
		assert.match(text(tree, "/etc/gshadow"), /^pi:!::$/m);
		assert.equal(ownership(tree, "/etc/shadow"), "640 0:42");
		assert.equal(ownership(tree, "/home/pi"), "755 1000:1000");
		assert.equal(ownership(tree, "/home/pi/.bashrc"), "644 1000:1000");
		assert.equal(text(tree, "/home/pi/.ssh/authorized_keys"), `${KEY}\n`);
		assert.equal(text(tree, "/root/.ssh/authorized_keys"), `${KEY}\n`);
		assert.equal(ownership(tree, "/root/.ssh"), "700 0:0");
	});

	it("adds keys to those that are there, once, in any alphabet", () => {
		const there = `${KEY}\nssh-rsa AAAA other`;
		const root = { ...RASPBERRY_PI_OS_TRIXIE, "/home/pi/.ssh/authorized_keys": there };
		const device = { authorizedKeys: [KEY, "ssh-ed25519 AAAB Jürg ✓"] };
		assert.equal(patchedText({ root, device }, "/home/pi/.ssh/authorized_keys"), `${there}\nssh-ed25519 AAAB Jürg ✓\n`);
	});

	it("sets a password where one is given, and then sudo may ask for it", () => {
		const device = { user: { passwordHash: "$6$salt$hash" } };
		const tree = patchedTree({ root: RASPBERRY_PI_OS_TRIXIE, device });
		assert.match(text(tree, "/etc/shadow"), /^pi:\$6\$salt\$hash:19000:/m);
		assert.equal(resolvePath(tree, "/etc/sudoers.d/010_netboot"), undefined);
	});

	it("makes no user whom nobody could be", () => {
		const tree = patchedTree({ root: DEBIAN_NETWORKD, device: { authorizedKeys: [] } });
		assert.doesNotMatch(text(tree, "/etc/passwd"), /^pi:/m);
	});

	it("unmasks sshd and removes the file that forbids it", () => {
		const masked = { [`${SYSTEM}/ssh.service`]: { link: "/dev/null" }, "/etc/ssh/sshd_not_to_be_run": "" };
		const tree = patchedTree({ root: { ...RASPBERRY_PI_OS_TRIXIE, ...masked } });
		assert.equal(linkTarget(tree, `${SYSTEM}/ssh.service`), undefined);
		assert.equal(resolvePath(tree, "/etc/ssh/sshd_not_to_be_run"), undefined);
		assert.ok(linkTarget(tree, `${SYSTEM}/multi-user.target.wants/ssh.service`) !== undefined);
	});
});

describe("network", () => {
	const FILE = "/etc/systemd/network/01-netboot.network";

	it("lets systemd-networkd keep the address and renew the lease as the same client", () => {
		const tree = patchedTree({ root: DEBIAN_NETWORKD });
		const file = text(tree, FILE);
		assert.match(file, /^MACAddress=dc:a6:32:01:02:03$/m);
		assert.match(file, /^KeepConfiguration=yes$/m);
		assert.match(file, /^ClientIdentifier=mac$/m);
		const dropIn = text(tree, `${SYSTEM}/systemd-networkd-wait-online.service.d/netboot.conf`);
		assert.match(dropIn, /^ExecStart=-\/usr\/lib\/systemd\/systemd-networkd-wait-online --any --timeout=30$/m);
		assert.equal(resolvePath(tree, "/etc/NetworkManager"), undefined);
	});

	it("lets NetworkManager adopt the interface by a profile and a state file of the same UUID", () => {
		const tree = patchedTree({ root: DEBIAN_NETWORK_MANAGER });
		const path = "/etc/NetworkManager/system-connections/netboot.nmconnection";
		assert.equal(ownership(tree, path), "600 0:0");
		const uuid = /^uuid=([0-9a-f-]{36})$/m.exec(text(tree, path))?.[1];
		assert.ok(uuid !== undefined);
		assert.match(text(tree, path), /^dhcp-client-id=mac$/m);
		const script = "/usr/local/lib/netboot/hand-over-interface";
		assert.ok(text(tree, script).includes(`connection-uuid=${uuid}`));
		assert.equal(ownership(tree, script), "755 0:0");
		assert.equal(
			linkTarget(tree, `${SYSTEM}/NetworkManager.service.wants/netboot-network.service`),
			`${SYSTEM}/netboot-network.service`,
		);
		assert.equal(resolvePath(tree, FILE), undefined);
	});

	it("writes a hand-over script that a shell can read, with and without a MAC", () => {
		const { mac: _, ...unknown } = DEVICE;
		for (const device of [DEVICE, unknown]) {
			const root = makeTree(DEBIAN_NETWORK_MANAGER);
			const facts = inspectImage({ root, bootMount: "/boot", table: TABLE });
			const patches = patchesFor({ root, bootMount: "/boot", facts, device, mode: "persistent" });
			const script = patches.find((patch) => patch.path.endsWith("/hand-over-interface"))?.change(undefined);
			assert.ok(typeof script === "object" && script.type === "file");
			execFileSync("/bin/sh", ["-n"], { input: script.content, stdio: ["pipe", "pipe", "pipe"] });
		}
	});

	it("keeps systemd-networkd off the interface when both are switched on", () => {
		const link = { link: "/lib/systemd/system/systemd-networkd.service" };
		const both: Entries = {
			...DEBIAN_NETWORK_MANAGER,
			[`${SYSTEM}/multi-user.target.wants/systemd-networkd.service`]: link,
		};
		assert.match(patchedText({ root: both }, FILE), /^Unmanaged=yes$/m);
	});

	it("switches systemd-networkd on when nothing else would renew the lease", () => {
		const tree = patchedTree({ root: DEBIAN_BARE });
		assert.equal(
			linkTarget(tree, `${SYSTEM}/multi-user.target.wants/systemd-networkd.service`),
			"/usr/lib/systemd/system/systemd-networkd.service",
		);
		assert.match(text(tree, FILE), /^DHCP=yes$/m);
	});

	it("keeps the address and the client id of dhcpcd", () => {
		const enabled = { [`${SYSTEM}/multi-user.target.wants/dhcpcd.service`]: { link: "/x" } };
		const conf = { "/etc/dhcpcd.conf": "hostname\nduid\npersistent\ninterface wlan0\nmetric 5\n" };
		const written = patchedText({ root: { ...DEBIAN_BARE, ...enabled, ...conf } }, "/etc/dhcpcd.conf");
		assert.match(written, /^# netboot: .*\nclientid\npersistent\n/);
		assert.doesNotMatch(written, /^duid/m);
		assert.match(written, /^interface wlan0$/m);
	});

	it("leaves the interface up when ifupdown stops", () => {
		const ifupdown: Entries = {
			...DEBIAN_BARE,
			[`${SYSTEM}/multi-user.target.wants/networking.service`]: { link: "/x" },
			"/usr/lib/systemd/system/networking.service": "[Unit]\n",
			"/etc/network/interfaces": "auto eth0\niface eth0 inet dhcp\n",
		};
		const tree = patchedTree({ root: ifupdown });
		assert.equal(text(tree, `${SYSTEM}/networking.service.d/netboot.conf`), "[Service]\nExecStop=\n");
		assert.equal(resolvePath(tree, FILE), undefined);
	});

	it("takes any wired interface when the MAC is not known", () => {
		const root = makeTree(DEBIAN_NETWORKD);
		const facts = inspectImage({ root, bootMount: "/boot", table: TABLE });
		const { mac: _, ...device } = DEVICE;
		const patches = patchesFor({ root, bootMount: "/boot", facts, device, mode: "persistent" });
		const file = patches.find((patch) => patch.path === FILE)?.change(undefined);
		assert.ok(typeof file === "object" && file.type === "file");
		assert.match(file.content.toString(), /^\[Match\]\nType=ether\nKind=!\*\n/);
	});
});

describe("modes", () => {
	it("keeps in memory what a read-only root cannot take", () => {
		const tree = patchedTree({ root: DEBIAN_NETWORK_MANAGER, mode: "read-only" });
		const fstab = text(tree, "/etc/fstab");
		assert.match(fstab, /^tmpfs \/tmp tmpfs nosuid,nodev,mode=1777,uid=0,gid=0 0 0$/m);
		assert.match(fstab, /^tmpfs \/var\/log tmpfs /m);
		assert.match(fstab, /^tmpfs \/var\/lib\/NetworkManager tmpfs nosuid,nodev,mode=0700,/m);
		assert.match(fstab, /^tmpfs \/var\/lib\/systemd\/timesync tmpfs /m);
		assert.doesNotMatch(fstab, /\/var\/lib\/bluetooth/);
		assert.ok(resolvePath(tree, "/var/lib/systemd/timesync") !== undefined);
		assert.ok(isMasked(tree, "apt-daily.timer"));
		assert.equal(linkTarget(tree, "/etc/resolv.conf"), "/run/NetworkManager/resolv.conf");
	});

	it("changes no more for ephemeral than for persistent", () => {
		const paths = (mode: "persistent" | "ephemeral") => patchedTree({ root: DEBIAN_NETWORKD, mode }).applied;
		assert.deepEqual(paths("ephemeral"), paths("persistent"));
	});

	it("gives the same files every time", () => {
		const content = (path: string) => patchedText({ root: RASPBERRY_PI_OS_TRIXIE }, path);
		const tree = patchedTree({ root: RASPBERRY_PI_OS_TRIXIE });
		for (const { path } of tree.applied) assert.equal(content(path), text(tree, path), path);
	});

	it("adapts what every system has when it does not start with systemd", () => {
		const busybox: Entries = {
			"/bin/busybox": { text: "#!", mode: 0o755 },
			"/sbin/init": { link: "../bin/busybox" },
			"/etc/fstab": "/dev/root / ext2 rw 0 1\nproc /proc proc defaults 0 0\n",
		};
		const tree = patchedTree({ root: busybox });
		assert.match(text(tree, "/etc/fstab"), /^# netboot: \/dev\/root \/ /);
		assert.equal(text(tree, "/etc/hostname"), "pi-7f3a\n");
		assert.equal(resolvePath(tree, "/etc/systemd"), undefined);
	});
});
