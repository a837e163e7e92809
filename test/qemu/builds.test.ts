/** A new version of an image is put there while a Pi runs from the old one. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Image } from "@pi-netboot/api";
import { makeImage, makeRoot } from "../harness/image.ts";
import { GUEST_PROGRAMS, IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { assertWell, piNumber, Site } from "../harness/site.ts";
import type { Tiny } from "../harness/tiny.ts";

const skip = await lacks([...GUEST_PROGRAMS, ...IMAGE_PROGRAMS]);

const MINUTE = 60_000;
const FILES = 60;
const MEBIBYTE = 1024 * 1024;

/** Reads every file of the image from the server, again and again, until it is told to stop. */
const READ_AND_READ = `
	exec 7< $INPUT
	(read -r line <&7; touch /tmp/stop) &
	echo "mine" > $MNT/mine; sync
	round=0
	until [ -e /tmp/stop ]; do
		echo 3 > /proc/sys/vm/drop_caches
		(cd $MNT/files && md5sum *) || exit 1
		round=$((round + 1))
		echo "round $round"
	done
	cat $MNT/etc/version $MNT/mine`;

const LOOK = `cat $MNT/etc/version; (cd $MNT/files && md5sum *); [ -e $MNT/mine ] && cat $MNT/mine; exit 0`;

interface Version {
	/** The image, not yet where the server looks. */
	readonly path: string;
	/** What `md5sum` says of its files. */
	readonly sums: readonly string[];
}

interface DeviceWithDiagnosis {
	readonly diagnosis?: { readonly code: string; readonly fix: string };
}

describe("an image that is renewed while a Pi runs from it", { skip }, () => {
	let site: Site;

	before(async () => {
		site = await Site.open();
		await site.serve();
	});
	after(() => site?.close());

	/** Makes a version of an image: the same names and sizes in each, and no byte the same but by chance. */
	async function makeVersion(name: string, age: number): Promise<Version> {
		const root = join(site.folder, name);
		await makeRoot(root, { version: `${name}\n` });
		await mkdir(join(root, "files"));
		const sums = [];
		for (let file = 10; file < 10 + FILES; file++) {
			const content = randomBytes(200_000);
			await writeFile(join(root, `files/${file}`), content);
			sums.push(`${createHash("md5").update(content).digest("hex")}  ${file}`);
		}
		const path = join(site.folder, `${name}.img`);
		await makeImage(path, { root, age });
		await rm(root, { recursive: true });
		return { path, sums };
	}

	const sumsIn = (output: string) => output.split("\n").filter((line) => /^[0-9a-f]{32} /.test(line));
	const rounds = async (guest: Tiny) => (await guest.output()).match(/^round/gm)?.length ?? 0;
	const moreRounds = async (guest: Tiny, count: number) => {
		await guest.waitFor(new RegExp(`round ${(await rounds(guest)) + count}\n`), MINUTE);
	};

	/** Waits until what a Pi would boot now is the file as it is. */
	async function isTaken(id: string): Promise<void> {
		const { mtimeMs } = await stat(join(site.images, `${id}.img`));
		for (let left = 120; left > 0; left--) {
			const seen = await site.server.find<Image>(`/api/v1/images/${id}`);
			if (seen?.state === "ready" && Math.abs(seen.modifiedAt - mtimeMs) < 2) return;
			await pause(250);
		}
		const seen = JSON.stringify(await site.server.api("GET", "/api/v1/images"), null, 1);
		throw new Error(`the version of ${mtimeMs} was not taken:\n${seen}\n${site.server.log}`);
	}

	test("replaced by a rename: the Pi goes on with the old one, and boots the new one with a fresh root", async () => {
		const pi = piNumber(1);
		const old = await makeVersion("old", 600);
		const fresh = await makeVersion("fresh", 60);
		const place = join(site.images, "renamed.img");
		await rename(old.path, place);
		await isTaken("renamed");
		await site.server.api("PUT", "/api/v1/images/default", { id: "renamed" });

		const guest = await site.start(pi, await site.boot(pi), READ_AND_READ, { timeout: 4 * MINUTE });
		await moreRounds(guest, 2);
		await rename(place, old.path);
		await rename(fresh.path, place);
		await isTaken("renamed");
		await moreRounds(guest, 2);
		await guest.say("stop");
		const result = await guest.result();
		assertWell(result);
		assert.match(result.output, /old\nmine\n$/);
		assert.deepEqual(new Set(sumsIn(result.output)), new Set(old.sums));

		const next = await site.run(pi, await site.boot(pi), LOOK);
		assert.equal(next.output, ["fresh", ...fresh.sums, ""].join("\n"));
		await rename(place, fresh.path);
		await rename(old.path, place);
		await isTaken("renamed");
		const back = await site.run(pi, await site.boot(pi), LOOK);
		assert.equal(back.output, ["old", ...old.sums, "mine", ""].join("\n"), "the layer of the old version was kept");
	});

	for (const [number, { by, flags }] of [
		{ by: "its bytes one after the other", flags: "r+" },
		{ by: "truncating it first, as cp does", flags: "w" },
	].entries()) {
		test(`overwritten in place, ${by}: the Pi never reads a byte of the new one, and waits to be rebooted`, async () => {
			const pi = piNumber(2 + number);
			const id = `overwritten${number}`;
			const old = await makeVersion(`before${number}`, 600);
			const fresh = await makeVersion(`after${number}`, 60);
			const place = join(site.images, `${id}.img`);
			await rename(old.path, place);
			await isTaken(id);
			await site.server.api("PUT", "/api/v1/images/default", { id });

			const guest = await site.start(pi, await site.boot(pi), READ_AND_READ, { timeout: 4 * MINUTE });
			await moreRounds(guest, 2);
			await overwrite(place, flags, await readFile(fresh.path));
			const seen = (await guest.output()).length;
			// Longer than the kernel waits before it asks again.
			await pause(8000);
			assert.equal((await guest.output()).length, seen, "it is told nothing any more");
			const device = await site.server.api<DeviceWithDiagnosis>("GET", `/api/v1/devices/${pi.serial}`);
			assert.equal(device.diagnosis?.code, "image-changed");
			assert.match(device.diagnosis.fix, /^Reboot it/);
			const result = await guest.stop();
			assert.equal(result.status, 124, "it neither failed nor ended");
			assert.deepEqual(new Set(sumsIn(result.output)), new Set(old.sums));
			assert.doesNotMatch(result.output, /md5sum:/);

			await isTaken(id);
			const next = await site.run(pi, await site.boot(pi), LOOK);
			assert.equal(next.output, [`after${number}`, ...fresh.sums, ""].join("\n"));
		});
	}

	/** Writes over a file from its start to its end, as `cp` and `dd` do, and slowly. */
	async function overwrite(path: string, flags: string, content: Buffer): Promise<void> {
		const file = await open(path, flags);
		try {
			for (let at = 0; at < content.length; at += MEBIBYTE) {
				await file.write(content, at, Math.min(MEBIBYTE, content.length - at), at);
				await pause(40);
			}
		} finally {
			await file.close();
		}
	}
});
