import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ALPINE_SYS_ROOT } from "../../images/testing/alpine.ts";
import { BUILDROOT_BUSYBOX_ROOT } from "../../images/testing/buildroot.ts";
import { DEBIAN_NETWORKD } from "../../images/testing/stock.ts";
import { resolvePath } from "../../vfs/index.ts";
import { linkTarget, ownership, patchedText, patchedTree } from "../testing/patched.ts";

const PYTHON = { "/usr/bin/python3": { text: "#!", mode: 0o755 } };
const UNIT = "/etc/systemd/system/netboot-imager.service";
const WANTED = "/etc/systemd/system/multi-user.target.wants/netboot-imager.service";
const COMMAND = "/usr/bin/python3 -u /opt/netboot-imager/netboot-imager-service.py";

describe("the agent", () => {
	it("is started by systemd", () => {
		const tree = patchedTree({ root: DEBIAN_NETWORKD });
		assert.equal(linkTarget(tree, WANTED), UNIT);
		assert.ok(patchedText({ root: DEBIAN_NETWORKD }, UNIT).includes(`ExecStart=${COMMAND}\n`));
		assert.equal(ownership(tree, "/opt/netboot-imager"), "755 0:0");
	});

	it("is kept running by an inittab: BusyBox's, OpenRC's and System V's", () => {
		for (const root of [BUILDROOT_BUSYBOX_ROOT, ALPINE_SYS_ROOT]) {
			const lines = patchedText({ root: { ...root, ...PYTHON } }, "/etc/inittab").split("\n");
			assert.deepEqual(
				lines.filter((line) => line.includes("imager")),
				[`null::respawn:${COMMAND}`],
			);
		}
		const sysv = { "/sbin/init": { text: "#!", mode: 0o755 }, "/etc/inittab": "id:3:initdefault:\n" };
		const text = patchedText({ root: { ...BUILDROOT_BUSYBOX_ROOT, ...PYTHON, ...sysv } }, "/etc/inittab");
		assert.match(text, new RegExp(`^ni:2345:respawn:${COMMAND}$`, "m"));
	});

	it("takes the place of the predecessor's, which is not fetched any more", () => {
		const old = {
			"/opt/netboot-imager/config.json": "{}",
			[UNIT]: "[Service]\nExecStart=/usr/bin/python3 /opt/netboot-imager/old.py\n",
			"/etc/systemd/system/netboot-bootstrap.service": "[Service]\nExecStart=/bin/sh /opt/bootstrap.sh\n",
		};
		const root = { ...DEBIAN_NETWORKD, ...old };
		assert.ok(patchedText({ root }, UNIT).includes(COMMAND));
		assert.equal(linkTarget(patchedTree({ root }), "/etc/systemd/system/netboot-bootstrap.service"), "/dev/null");
	});

	it("is not there without a Python that runs it", () => {
		const { "/usr/bin/python3": _, ...root } = DEBIAN_NETWORKD;
		const tree = patchedTree({ root });
		assert.equal(linkTarget(tree, WANTED), undefined);
		assert.equal(resolvePath(tree, "/opt/netboot-imager"), undefined);
		assert.ok(!patchedText({ root: BUILDROOT_BUSYBOX_ROOT }, "/etc/inittab").includes("imager"));
	});
});
