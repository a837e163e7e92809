import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { skipInitramfs } from "./initramfs.ts";

/** What the configuration of Raspberry Pi's arm64 kernels says. */
const RASPBERRY = {
	ROOT_NFS: "y",
	NFS_FS: "y",
	NFS_V3: "y",
	IP_PNP: "y",
	IP_PNP_DHCP: "y",
	DEVTMPFS_MOUNT: "y",
	BCMGENET: "y",
	MACB: "y",
	MFD_RP1: "y",
	PCIE_BRCMSTB: "y",
	USB_LAN78XX: "y",
	USB_NET_SMSC95XX: "y",
	USB_DWCOTG: "y",
};

describe("skipInitramfs", () => {
	it("holds for every model with Raspberry Pi's own kernel", () => {
		for (const model of ["pi2b", "pi3b", "pi3bp", "pi4", "pi400", "cm4", "pi5", "pi500", "cm5"]) {
			assert.equal(skipInitramfs(RASPBERRY, model), true, model);
		}
	});

	it("keeps the initramfs when the model's network driver is a module, and only for that model", () => {
		const options = { ...RASPBERRY, BCMGENET: "m" };
		assert.equal(skipInitramfs(options, "pi4"), false);
		assert.equal(skipInitramfs(options, "pi5"), true);
	});

	it("keeps it for Debian's kernel, which has no NFS root", () => {
		const { ROOT_NFS: _, ...options } = RASPBERRY;
		assert.equal(skipInitramfs({ ...options, NFS_FS: "m", NFS_V3: "m" }, "pi4"), false);
		assert.equal(skipInitramfs(options, "pi4"), false);
	});

	it("keeps it when the kernel or the model is not known", () => {
		assert.equal(skipInitramfs(undefined, "pi4"), false);
		assert.equal(skipInitramfs(RASPBERRY, undefined), false);
		assert.equal(skipInitramfs(RASPBERRY, "zero2w"), false);
	});
});
