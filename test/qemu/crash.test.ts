/**
 * The server is killed without a warning, again and again, while a Linux kernel works on the root of a Pi. The kernel sends
 * again what was not answered, so a server that forgot a change loses it, and one that forgot its answer does it twice.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { must } from "../harness/command.ts";
import type { PiOnCable } from "../harness/export.ts";
import { fixture } from "../harness/fixture.ts";
import { makeImage, makeRoot } from "../harness/image.ts";
import { GUEST_PROGRAMS, IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { assertWell, piNumber, Site } from "../harness/site.ts";
import type { Tiny } from "../harness/tiny.ts";

const skip = await lacks([...GUEST_PROGRAMS, ...IMAGE_PROGRAMS, "aarch64-linux-gnu-gcc"]);

/** By hand: 20. */
const KILLS = Number(process.env.KILLS ?? "6");

const MINUTE = 60_000;

/**
 * Until it is told to stop: changes files at random beside a model in memory, keeps a journal, and has many calls under way
 * at any moment that cannot be done twice.
 */
const WORK = `
	exec 7< $INPUT
	cp $IN/* /tmp && mkdir /tmp/model $MNT/journal $MNT/once || exit 90
	chmod 755 /tmp/model $MNT/tree && cp -a $MNT/tree/. /tmp/model || exit 91
	/tmp/randomops-* $MNT/tree /tmp/model 100000000 $SEED & operations=$!
	/tmp/journal-* $MNT/journal & journal=$!
	/tmp/once-* $MNT/once 8 & once=$!
	read -r line <&7
	kill $operations $journal $once
	wait $operations || exit 92
	wait $journal || exit 93
	wait $once || exit 94`;

/** What a kernel without anything in its caches finds of the journal. */
const LOOK = `
	cd $MNT/journal || exit 95
	seq $(wc -l < lines) | sed "s/^/line /" | cmp - lines || exit 96
	echo "found $(wc -l < lines) and $(cat state)"`;

/** Reads a file of the image from the server, again and again. */
const READ_AND_READ = `
	exec 7< $INPUT
	(read -r line <&7; touch /tmp/stop) &
	round=0
	until [ -e /tmp/stop ]; do
		echo 3 > /proc/sys/vm/drop_caches
		cat $MNT/tree/n9/n11 > /dev/null || exit 97
		round=$((round + 1))
		echo "round $round"
		usleep 100000
	done`;

describe("a server that is killed while a Pi works", { skip }, () => {
	let site: Site;

	before(async () => {
		site = await Site.open();
		const root = join(site.folder, "root");
		await makeRoot(root);
		// The names that randomops uses, so that much of what it works on is the image's.
		for (let one = 0; one < 12; one++) {
			await mkdir(join(root, `tree/n${one}/n${one + 1}`), { recursive: true });
			await writeFile(join(root, `tree/n${one}/n${one + 2}`), `file ${one}\n`.repeat(1000 * one));
		}
		await makeImage(join(site.images, "small.img"), { root });
		await site.serve("small");
	});
	after(() => site?.close());

	test(`loses nothing and does nothing twice in ${KILLS} kills`, async () => {
		const pi = piNumber(1);
		const programs = [];
		for (const name of ["randomops", "journal", "once"])
			programs.push((await fixture("guest-program.sh", name)).trim());
		const served = await site.boot(pi);
		const guest = await site.start(pi, served, WORK, {
			files: programs,
			environment: { SEED: process.env.SEED ?? "5" },
			memoryMiB: 512,
			timeout: 2 * MINUTE + KILLS * MINUTE,
		});
		await guest.waitFor(/acknowledged 20\n/, MINUTE);
		for (let kill = 0; kill < KILLS; kill++) {
			await pause(500 + ((kill * 379) % 1100));
			const before = await acknowledged(guest);
			if (kill % 2 === 0) await killUnheard(pi);
			else await site.killServer();
			await guest.waitFor(new RegExp(`acknowledged ${before + 50}\n`), MINUTE);
		}
		await guest.say("stop");
		const result = await guest.result();
		assert.equal(result.output.match(/.*(FAILED|DIFFERENCE).*/)?.[0], undefined);
		assertWell(result);
		assert.match(result.output, /^EQUAL after \d+ operations, \d+ files$/m);
		assert.match(result.output, /^ONCE: \d+ operations$/m);
		const lines = /^JOURNAL whole: (\d+) lines$/m.exec(result.output)?.[1];
		assert.ok(lines !== undefined);

		const found = await site.run(pi, await site.boot(pi), LOOK);
		assertWell(found);
		const state = Number(lines) - ((Number(lines) - 1) % 8);
		assert.equal(found.output, `found ${lines} and line ${state}\n`);
	});

	test("is waited for while it does not know yet what it has of an image that was written just before", async () => {
		const pi = piNumber(2);
		await makeImage(join(site.images, "young.img"), { root: join(site.folder, "root"), age: 0 });
		await site.server.waitForImage("young");
		await site.server.api("PUT", "/api/v1/images/default", { id: "young" });
		const guest = await site.start(pi, await site.boot(pi), READ_AND_READ, { timeout: 2 * MINUTE });
		await guest.waitFor(/round 3\n/, MINUTE);
		await killUnheard(pi);
		const rounds = (await guest.output()).match(/round/g)?.length ?? 0;
		await guest.waitFor(new RegExp(`round ${rounds + 3}\n`), MINUTE);
		await guest.say("stop");
		assertWell(await guest.result());
	});

	async function acknowledged(guest: Tiny): Promise<number> {
		return Number(
			(await guest.output())
				.match(/acknowledged (\d+)\n/g)
				?.at(-1)
				?.match(/\d+/)?.[0] ?? "0",
		);
	}

	/**
	 * Kills the server when it has done what the Pi asked for, but none of its answers arrives any more: they go to an
	 * address on the cable that nobody has. The Pi comes back the moment that the next server runs.
	 */
	async function killUnheard(pi: PiOnCable): Promise<void> {
		const neighbour = (mac: string) =>
			must(
				site.lab.on("srv", ["ip", "neigh", "replace", pi.address, "lladdr", mac, "dev", "srv0", "nud", "permanent"]),
			);
		await neighbour("02:00:00:00:dd:dd");
		await pause(400);
		await site.killServer();
		await neighbour(pi.mac);
	}
});
