import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DEBIAN_NETWORKD } from "../../images/testing/stock.ts";
import { patchedText } from "../testing/patched.ts";

const fstabOf = (fstab: string) => patchedText({ root: { ...DEBIAN_NETWORKD, "/etc/fstab": fstab } }, "/etc/fstab");

describe("fstab", () => {
	it("keeps proc and comments out root and boot volume", () => {
		const text = patchedText({ root: DEBIAN_NETWORKD }, "/etc/fstab");
		assert.equal(
			text,
			"proc /proc proc defaults 0 0\n# netboot: PARTUUID=1f00cafe-01 /boot/firmware vfat defaults 0 2\n# netboot: PARTUUID=1f00cafe-02 / ext4 defaults,noatime 0 1\n",
		);
	});

	it("knows disks by label, UUID and device, with tabs between the fields and growfs among the options", () => {
		const text = fstabOf(
			"LABEL=RASPIROOT\t/\text4\trw,x-systemd.growfs\t0 1\nUUID=1-2 /boot vfat rw\n/dev/mmcblk0p2 / ext4 rw\n",
		);
		assert.ok(text.split("\n").every((line) => line === "" || line.startsWith("# netboot: ")));
	});

	it("takes out swap in every form", () => {
		assert.equal(fstabOf("/swapfile none swap sw 0 0"), "# netboot: /swapfile none swap sw 0 0");
	});

	it("lets the boot go on without another disk", () => {
		assert.equal(
			fstabOf("UUID=abcd /srv ext4 noatime 0 2\nUUID=ef01 /usb vfat nofail,user 0 0\n/dev/sda1 /x ext4\n"),
			"UUID=abcd /srv ext4 noatime,nofail,x-systemd.device-timeout=10s 0 0\nUUID=ef01 /usb vfat nofail,user 0 0\n/dev/sda1 /x ext4 defaults,nofail,x-systemd.device-timeout=10s 0 0\n",
		);
	});

	it("leaves what is no disk alone", () => {
		const text =
			"# /dev/sda1 / ext4\n\ntmpfs /tmp tmpfs size=10M 0 0\nnas:/home /home nfs defaults 0 0\n/srv/a /srv/b none bind 0 0\n";
		assert.equal(fstabOf(text), text);
	});

	it("leaves no line that could stop the boot, whatever stands in the file", () => {
		const field = fc.constantFrom(
			"LABEL=a",
			"/dev/sda2",
			"UUID=1",
			"/",
			"/boot",
			"/srv",
			"swap",
			"ext4",
			"#",
			"defaults,nofail",
			"",
		);
		const line = fc.array(fc.oneof({ arbitrary: field, weight: 5 }, fc.string()), { maxLength: 7 });
		fc.assert(
			fc.property(fc.array(line), (lines) => {
				const text = fstabOf(lines.map((fields) => fields.join("\t")).join("\n"));
				for (const [, device = "", mount, type, options = ""] of text.matchAll(
					/^[ \t]*(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]*(\S*)/gm,
				)) {
					if (device.startsWith("#")) continue;
					assert.notEqual(type, "swap");
					if (!/^(LABEL=|UUID=|\/dev\/)/.test(device)) continue;
					assert.ok(mount !== "/" && mount !== "/boot");
					assert.ok(options.split(",").includes("nofail"));
				}
			}),
			{ numRuns: 100 },
		);
	});
});
