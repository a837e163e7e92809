/** The boot that a firmware tries once, after `reboot "0 tryboot"`: nobody tells the server of it, so both ways must work. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Entries } from "../images/testing/tree.ts";
import { UBUNTU_BOOT, UBUNTU_BOOT_UPGRADED } from "../images/testing/ubuntu.ts";
import { Site } from "./testing/site.ts";

/** As images are described here: names without the slash before them. */
function bootVolume(entries: Entries): Record<string, string> {
	return Object.fromEntries(Object.entries(entries).map(([path, text]) => [path.slice(1), String(text)]));
}

async function fetchAll(boot: Record<string, string>, names: readonly string[]): Promise<(string | undefined)[]> {
	await using site = await Site.open({ boot });
	const { device, client } = site.pi();
	const texts: (string | undefined)[] = [];
	for (const name of names) texts.push((await site.fetch(`${device.serial}/${name}`, client))?.toString());
	return texts;
}

describe("a new kernel that is tried", () => {
	const NAMES = ["config.txt", "current/cmdline.txt", "new/cmdline.txt", "new/vmlinuz"];

	test("gets the root as well as the one that is in use", async () => {
		const [config, current, tried, kernel] = await fetchAll(bootVolume(UBUNTU_BOOT_UPGRADED), NAMES);
		assert.equal(config, UBUNTU_BOOT["/config.txt"]);
		assert.match(current ?? "", / root=\/dev\/nfs nfsroot=192\.0\.2\.1:\/pi\//);
		assert.equal(tried, current, "it is one boot, and one root");
		assert.equal(kernel, "the next kernel");
	});

	test("is not there before an upgrade", async () => {
		const [, current, tried] = await fetchAll(bootVolume(UBUNTU_BOOT), NAMES);
		assert.match(current ?? "", /root=\/dev\/nfs/);
		assert.equal(tried, undefined);
	});

	test("is described by tryboot.txt, where there is one", async () => {
		const boot = {
			...bootVolume(UBUNTU_BOOT_UPGRADED),
			"config.txt": "kernel=current/vmlinuz\ncmdline=current/cmdline.txt\n",
			"tryboot.txt": "kernel=new/vmlinuz\ncmdline=new/cmdline.txt\n# für alle\n",
		};
		const [tryboot, tried] = await fetchAll(boot, ["tryboot.txt", "new/cmdline.txt"]);
		assert.match(tryboot ?? "", /^# f\?\?r alle$/m, "it passes through the same function as config.txt");
		assert.match(tried ?? "", /root=\/dev\/nfs/);
	});

	test("changes nothing for a command line that neither names", async () => {
		const boot = { ...bootVolume(UBUNTU_BOOT), "old/cmdline.txt": "root=LABEL=writable\n" };
		assert.deepEqual(await fetchAll(boot, ["old/cmdline.txt"]), ["root=LABEL=writable\n"]);
	});
});
