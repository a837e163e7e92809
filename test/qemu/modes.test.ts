/** What becomes of a Pi's changes when it boots again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { PiOnCable } from "../harness/export.ts";
import { makeImage, makeRoot } from "../harness/image.ts";
import { GUEST_PROGRAMS, IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { handleOfMount, MNT, MOUNT, opaque, rpcFrom } from "../harness/rpc.ts";
import { assertWell, piNumber, Site } from "../harness/site.ts";

const skip = await lacks([...GUEST_PROGRAMS, ...IMAGE_PROGRAMS]);

const MINUTE = 60_000;

const WRITE = `
	cd $MNT && ls -d left 2> /dev/null
	echo "kept" > left && echo "# changed" >> etc/settings && rm etc/unwanted && echo "x" > boot/firmware/left.txt
	sync; echo written`;

/** In the words of this: what WRITE has left, or what the image has. */
const LOOK = `
	cd $MNT && for file in left etc/unwanted boot/firmware/left.txt; do [ -e $file ] && echo "$file"; done
	cat etc/settings`;

const AS_WRITTEN = "left\nboot/firmware/left.txt\nfrom the image\n# changed\n";
const AS_IN_IMAGE = "etc/unwanted\nfrom the image\n";

describe("the root of a Pi that boots again", { skip }, () => {
	let site: Site;

	before(async () => {
		site = await Site.open();
		const root = join(site.folder, "root");
		await makeRoot(root, { settings: "from the image\n", unwanted: "from the image\n" });
		await makeImage(join(site.images, "one.img"), { root });
		await site.serve("one");
	});
	after(() => site?.close());

	/** Boots a Pi for the first time, so that it is known, and says how its root shall be. */
	async function meet(pi: PiOnCable, rootMode: string): Promise<void> {
		await site.boot(pi);
		await site.server.api("PATCH", `/api/v1/devices/${pi.serial}`, { rootMode });
	}

	/** Boots it and runs a script. */
	async function output(pi: PiOnCable, script: string): Promise<string> {
		const result = await site.run(pi, await site.boot(pi), script);
		assertWell(result);
		return result.output;
	}

	test("keeps its changes in the mode persistent, which is the mode of a new Pi", async () => {
		const pi = piNumber(1);
		assert.equal(await output(pi, WRITE), "written\n");
		const device = await site.server.api<{ rootMode: string }>("GET", `/api/v1/devices/${pi.serial}`);
		assert.equal(device.rootMode, "persistent");
		assert.equal(await output(pi, LOOK), AS_WRITTEN);
		await site.server.stop();
		await site.serve("one");
		assert.equal(await output(pi, LOOK), AS_WRITTEN, "also over a restart of the server");
	});

	test("begins as the image is in the mode ephemeral", async () => {
		const pi = piNumber(2);
		await meet(pi, "ephemeral");
		assert.equal(await output(pi, `${WRITE}\n${LOOK}`), `written\n${AS_WRITTEN}`);
		assert.equal(await output(pi, LOOK), AS_IN_IMAGE);
	});

	test("refuses changes in the mode read-only", async () => {
		const pi = piNumber(3);
		await meet(pi, "read-only");
		const tries = `
			cd $MNT && ! touch left 2> /dev/null && ! rm etc/unwanted 2> /dev/null && ! mkdir new 2> /dev/null &&
			! sh -c "echo x >> etc/settings" 2> /dev/null && ! touch boot/firmware/left.txt 2> /dev/null && touch left 2>&1 |
			grep -q "Read-only file system"`;
		assert.equal(await output(pi, `${tries} || exit 1\n${LOOK}`), AS_IN_IMAGE);
		assert.equal(await output(pi, LOOK), AS_IN_IMAGE);
	});

	test("is fresh once after it was reset, and not before it boots", async () => {
		const pi = piNumber(4);
		assert.equal(await output(pi, WRITE), "written\n");
		const served = await site.boot(pi);
		const guest = await site.start(pi, served, `exec 7< $INPUT\necho ready\nread -r line <&7\n${LOOK}`);
		await guest.waitFor(/ready\n/, MINUTE);
		await site.server.api("POST", `/api/v1/devices/${pi.serial}/root/reset`);
		await guest.say("look");
		const running = await guest.result();
		assert.equal(running.output, `ready\n${AS_WRITTEN}`, "what runs is left alone");
		assert.equal(await output(pi, `${LOOK}\n${WRITE}`), `${AS_IN_IMAGE}written\n`);
		assert.equal(await output(pi, LOOK), AS_WRITTEN);
	});

	test("has another one only from its next boot on: what runs goes on with what it has", async () => {
		const pi = piNumber(5);
		await meet(pi, "ephemeral");
		const script = `
			exec 7< $INPUT
			${WRITE}
			while read -r line <&7; do
				[ "$line" = stop ] && break
				echo 3 > /proc/sys/vm/drop_caches
				${LOOK} && echo "$line" > said && sync && echo "did $line"
			done`;
		const guest = await site.start(pi, await site.boot(pi), script, { timeout: 3 * MINUTE });
		await guest.waitFor(/written\n/, MINUTE);
		const goesOn = async (word: string) => {
			await guest.say(word);
			await guest.waitFor(new RegExp(`${AS_WRITTEN}did ${word}\n`), MINUTE);
		};
		// Anybody on the cable can make a boot begin, by a datagram with the Pi's address; the Pi must not feel it.
		const first = await site.boot(pi);
		await goesOn("one");
		assert.equal((await site.boot(pi)).exportPath, first.exportPath, "it is the same boot until it is mounted");
		await goesOn("two");
		await site.lab.addHost("hand", { mac: pi.mac, address: `${pi.address}/24` });
		const call = { program: MOUNT, procedure: MNT, body: opaque(first.exportPath) };
		const [reply] = await rpcFrom(site.lab, "hand", 700, [call]);
		await site.lab.removeHost("hand");
		assert.ok(reply && handleOfMount(reply), "the new root can be mounted");
		await goesOn("three");
		await guest.say("stop");
		assertWell(await guest.result());
		assert.equal(await output(pi, LOOK), AS_IN_IMAGE);
	});
});
