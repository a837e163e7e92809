import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type NetbootRoot, netbootCmdline, splitCmdline } from "./cmdline.ts";

const KERNEL: NetbootRoot = {
	serverIp: "192.0.2.1",
	exportPath: "/b/7f3a",
	mode: "rw",
	initramfs: false,
	nfsPort: 2049,
	mountPort: 20_048,
};
const INITRAMFS: NetbootRoot = { ...KERNEL, initramfs: true };
const COMMON = "nfsroot=192.0.2.1:/b/7f3a,vers=3,tcp,nolock,rsize=65536,wsize=65536";

describe("netbootCmdline", () => {
	it("turns the line of Raspberry Pi OS trixie into one that klibc and the kernel both understand", () => {
		const stock =
			"console=serial0,115200 console=tty1 root=PARTUUID=1f00cafe-02 rootfstype=ext4 fsck.repair=yes rootwait resize\n";
		assert.equal(
			netbootCmdline(stock, INITRAMFS),
			`console=serial0,115200 console=tty1 root=/dev/nfs ${COMMON} rw ip=dhcp rootwait\n`,
		);
	});

	it("names both ports when the kernel mounts by itself, so that it asks no portmapper", () => {
		assert.equal(
			netbootCmdline("console=tty1", { ...KERNEL, nfsPort: 12_049, mountPort: 12_050 }),
			`console=tty1 root=/dev/nfs ${COMMON},port=12049,mountport=12050 rw ip=dhcp rootwait\n`,
		);
	});

	it("names only a port of its own to klibc, which knows no mountport", () => {
		assert.match(netbootCmdline("", { ...INITRAMFS, nfsPort: 12_049 }), /wsize=65536,port=12049 rw/);
		assert.doesNotMatch(netbootCmdline("", INITRAMFS), /port=/);
	});

	it("drops what bookworm's first boot and Imager's script add", () => {
		const line =
			"quiet init=/usr/lib/raspberrypi-sys-mods/firstboot systemd.run=/boot/firstrun.sh systemd.run_success_action=reboot systemd.unit=kernel-command-line.target ds=nocloud";
		assert.match(netbootCmdline(line, INITRAMFS), /^quiet ds=nocloud root=/);
	});

	it("drops an older first boot's resize but keeps an init of the user's", () => {
		assert.doesNotMatch(netbootCmdline("init=/usr/lib/raspi-config/init_resize.sh", KERNEL), /init=/);
		assert.match(netbootCmdline("init=/bin/bash", KERNEL), /^init=\/bin\/bash /);
	});

	it("keeps quoted words whole, and every other word of the user's", () => {
		const line =
			'dyndbg="file a.c +p; file b.c" cfg80211.ieee80211_regdom=CH root="PARTUUID=x" systemd.unit=rescue.target';
		const expected =
			/^dyndbg="file a\.c \+p; file b\.c" cfg80211\.ieee80211_regdom=CH systemd\.unit=rescue\.target root=\/dev\/nfs/;
		assert.match(netbootCmdline(line, KERNEL), expected);
	});

	it("closes a quote that the user left open, before our words come", () => {
		assert.match(netbootCmdline('quiet a="b c', KERNEL), /^quiet a="b c" root=\/dev\/nfs /);
	});

	it("puts the root before the arguments for init", () => {
		assert.match(
			netbootCmdline("quiet -- single root=1", KERNEL),
			/^quiet root=\/dev\/nfs .* rootwait -- single root=1\n$/,
		);
	});

	it("takes the first line only, whatever ends it", () => {
		assert.match(netbootCmdline("quiet\r\nsplash\n", KERNEL), /^quiet root=/);
		assert.match(netbootCmdline("quiet\0splash", KERNEL), /^quiet root=/);
	});

	it("says ro for a shared root", () => {
		assert.match(netbootCmdline("rw", { ...KERNEL, mode: "ro" }), / ro ip=dhcp/);
	});

	it("refuses an export path that nfsroot= cannot carry", () => {
		assert.throws(() => netbootCmdline("", { ...KERNEL, exportPath: "/a,b" }), { code: "bug" });
		assert.throws(() => netbootCmdline("", { ...KERNEL, exportPath: "/a b" }), { code: "bug" });
		assert.throws(() => netbootCmdline("", { ...KERNEL, exportPath: `/${"a".repeat(256)}` }), { code: "bug" });
		assert.throws(() => netbootCmdline("", { ...KERNEL, serverIp: "pi.local" }), { code: "bug" });
	});

	it("gives one line of ASCII with exactly one root for any input", () => {
		const word = fc.oneof(fc.string(), fc.constantFrom("root=/dev/sda", "ro", "ip=::", '"a b"', "fsck.mode=skip", "ü"));
		fc.assert(
			fc.property(fc.array(word), (words) => {
				const line = netbootCmdline(words.join(" "), KERNEL);
				assert.match(line, /^[\t\x20-\x7e]*\n$/);
				const all = splitCmdline(line);
				const before = all.slice(0, all.includes("--") ? all.indexOf("--") : all.length);
				assert.deepEqual(
					before.filter((one) => /^"?root"?=/.test(one)),
					["root=/dev/nfs"],
				);
			}),
		);
	});

	it("is stable: its own output gives itself", () => {
		const once = netbootCmdline("console=tty1 root=/dev/mmcblk0p2", KERNEL);
		assert.equal(netbootCmdline(once, KERNEL), once);
	});
});

describe("splitCmdline", () => {
	it("divides at blanks outside of quotes", () => {
		assert.deepEqual(splitCmdline('a  b="c d"e\tf "g h'), ["a", 'b="c d"e', "f", '"g h']);
		assert.deepEqual(splitCmdline(""), []);
	});
});
