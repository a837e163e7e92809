/** The texts of an image and of this machine that we read or rewrite: none may fail, whatever stands in them. */
import assert from "node:assert/strict";
import { netbootCmdline, splitCmdline } from "../../../server/src/boot/cmdline.ts";
import { netbootConfig } from "../../../server/src/boot/config-txt.ts";
import { parseAuthorizedKeys } from "../../../server/src/boot/index.ts";
import { BOOT_MODELS, effectiveConfig, parsePasswd } from "../../../server/src/images/index.ts";
import { defaultRouteOf, parseArpOutput, parseLinuxTable } from "../../../server/src/net/index.ts";
import { socketsOn } from "../../../server/src/net/port-owner.ts";
import type { FuzzTarget } from "../target.ts";

const CONFIG_WORDS = [
	...["[pi4]", "[all]", "[none]", "[cm4]", "[0x7bf18f79]", "[EDID=x]", "[board-type=0x11]", "[gpio4=1]", "["],
	...["include config.txt\n", "include a.txt\n", "initramfs initrd.img followkernel\n", "auto_initramfs=1\n"],
	...["os_prefix=", "kernel=", "cmdline=", "arm_64bit=", "device_tree=", "=", "\n", "\r\n", "#", "\0", "\xff"],
];

export const configTxt: FuzzTarget = {
	name: "config-txt",
	shortRuns: 500,
	words: CONFIG_WORDS,
	seeds: () =>
		[
			"# x\nauto_initramfs=1\narm_64bit=1\n[cm4]\notg_mode=1\n[all]\n[pi5]\nkernel=kernel_2712.img\n",
			"include a.txt\ninitramfs a,b 0x00800000\nos_prefix=old/\n[0x7bf18f79]\ncmdline=mine.txt\n",
		].map((text) => Buffer.from(text)),
	run(input) {
		const text = input.toString("latin1");
		const config = effectiveConfigs(text);
		for (const skipInitramfs of [true, false]) {
			const ours = netbootConfig(text, { skipInitramfs });
			assert.match(ours, /^[\t\r\n\x20-\x7e]*$/);
			assert.equal(ours.split("\n").length, text.split("\n").length);
			assert.equal(netbootConfig(ours, { skipInitramfs }), ours, "twice is once");
			if (skipInitramfs) assert.doesNotMatch(ours, /^[ \t]*(initramfs[ \t=]|auto_initramfs[ \t]*=)/im);
		}
		return config;
	},
};

function effectiveConfigs(text: string): string {
	const lines = BOOT_MODELS.map((model) => {
		const config = effectiveConfig({ read: () => text, exists: (name) => !name.includes("x") }, model, {
			serial: "7bf18f79",
			tryboot: text.length % 2 === 0,
		});
		assert.ok(config.files.length <= 32 && config.initramfs.length <= text.length + 1);
		const parts = [
			config.kernel === undefined,
			config.initramfs.length > 0,
			config.osPrefix !== "",
			config.deviceTree !== undefined,
		];
		return `${parts.map(Number).join("")} ${Math.min(3, config.files.length)}`;
	});
	return [...new Set(lines)].join("\n");
}

const BOOT = { serverIp: "192.0.2.2", exportPath: "/boot-7", mode: "rw", nfsPort: 2049, mountPort: 2049 } as const;

export const cmdline: FuzzTarget = {
	name: "cmdline",
	words: [
		"root=",
		"ip=",
		"nfsroot=",
		" -- ",
		'"',
		"init=/usr/lib/raspberrypi-sys-mods/firstboot",
		"systemd.run=x",
		"ro",
		"\n",
		"\0",
	],
	seeds: () =>
		[
			"console=serial0,115200 console=tty1 root=PARTUUID=1f00cafe-02 rootfstype=ext4 fsck.repair=yes rootwait quiet\n",
			'a="b c" root="/dev/x y" -- single "\n',
		].map((text) => Buffer.from(text)),
	run(input) {
		const text = input.toString("latin1");
		const labels = [false, true].map((initramfs) => {
			const line = netbootCmdline(text, { ...BOOT, initramfs });
			assert.match(line, /^[\t\x20-\x7e]*\n$/);
			const words = splitCmdline(line);
			const end = words.indexOf("--");
			const before = end === -1 ? words : words.slice(0, end);
			const roots = before.filter((word) => word.replaceAll('"', "").startsWith("root="));
			assert.deepEqual(roots, ["root=/dev/nfs"]);
			assert.equal(netbootCmdline(line, { ...BOOT, initramfs }), line, "twice is once");
			return `${Math.min(9, before.length)} ${end === -1}`;
		});
		return labels.join("\n");
	},
};

export const hostText: FuzzTarget = {
	name: "host-text",
	words: [
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI",
		'"',
		"\\",
		"\t",
		"0x2",
		"::",
		"iface eth0 inet dhcp\n",
		"auto ",
		"x:",
		"\n",
		"ffff",
	],
	seeds: () =>
		[
			'from="a b" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000000 me@home\n# x\n',
			"IP address       HW type     Flags       HW address            Mask     Device\n192.0.2.7 0x1 0x2 dc:a6:32:01:02:03 * eth0\n",
			"? (192.0.2.7) at dc:a6:32:1:2:3 on en0 ifscope [ethernet]\n",
			"Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\n",
			"  sl  local_address rem_address   st\n   0: 00000000:0045 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12345 2\n",
			"root:x:0:0:root:/root:/bin/bash\npi:x:1000:1000:,,,:/home/pi:/bin/bash\n",
			"auto lo eth0\niface lo inet loopback\nallow-hotplug eth1\niface eth0 inet dhcp\n",
		].map((text) => Buffer.from(text)),
	run(input) {
		const text = input.toString("latin1");
		const { keys, findings } = parseAuthorizedKeys(text);
		for (const key of keys) assert.doesNotMatch(key, /[\r\n\0]/);
		for (const [address, mac] of parseLinuxTable(text)) assert.ok(address.length > 0 && mac.length > 0);
		for (const mac of parseArpOutput(text).values()) assert.match(mac, /^[0-9a-f:]{17}$/);
		const users = parsePasswd(text);
		const sockets = socketsOn(69, "udp", text);
		const counts = [keys, findings, users, sockets].map((list) => Math.min(2, list.length));
		return `${counts.join(" ")} ${defaultRouteOf(text) !== undefined}`;
	},
};
