/** A Pi boots an image of which only the front is unpacked, reads and writes, and waits for what is not there yet. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Device, Image } from "@pi-netboot/api";
import { type GatedZstd, makeGatedZstd } from "../../server/src/images/testing/gated-zstd.ts";
import { must } from "../harness/command.ts";
import { eventually } from "../harness/eventually.ts";
import { makeImage, makeRoot } from "../harness/image.ts";
import { GUEST_PROGRAMS, IMAGE_PROGRAMS, lacks } from "../harness/needs.ts";
import { assertWell, piNumber, Site } from "../harness/site.ts";

const skip = await lacks([...GUEST_PROGRAMS, ...IMAGE_PROGRAMS, "zstd"]);

const MINUTE = 60_000;
const LATE = randomBytes(4 << 20);
const SUM = createHash("md5").update(LATE).digest("hex");

const READ_WHAT_IS_LATE = `
	cat $MNT/etc/version
	echo mine > $MNT/mine; sync
	echo "now it waits"
	md5sum < $MNT/late
	cat $MNT/mine`;

describe("an image that is booted while it is unpacked", { skip }, () => {
	let site: Site;
	let zstd: GatedZstd;
	let packed: string;

	before(async () => {
		site = await Site.open();
		const root = join(site.folder, "root");
		await makeRoot(root, { version: "the front\n" });
		await writeFile(join(root, "late"), LATE);
		const path = join(site.folder, "made.img");
		await makeImage(path, { root });
		await must(["zstd", "-q", "-1", path]);
		packed = `${path}.zst`;
		const half = (await readFile(path)).indexOf(LATE.subarray(0, 4096)) + LATE.length / 2;
		zstd = makeGatedZstd(site.folder, half);
		process.env.PATH = zstd.path;
		await site.serve();
	});
	beforeEach(() => zstd?.close());
	after(() => site?.close());

	const imageOf = (id: string) => site.server.find<Image>(`/api/v1/images/${id}`);

	/** Gives the server the image, and waits until its front can be booted. */
	async function arrive(id: string): Promise<void> {
		const place = join(site.folder, `${id}.img.zst`);
		await writeFile(place, await readFile(packed));
		const hourAgo = new Date(Date.now() - 60 * MINUTE);
		await utimes(place, hourAgo, hourAgo);
		await rename(place, join(site.images, `${id}.img.zst`));
		const image = await eventually("the front", async () => {
			const seen = await imageOf(id);
			return seen?.bootable ? seen : undefined;
		});
		assert.equal(image.state, "importing");
		await site.server.api("PUT", "/api/v1/images/default", { id });
	}

	test("the Pi runs, waits for what has not come, and keeps what it wrote when all of it is there", async () => {
		const pi = piNumber(1);
		await arrive("whole");
		const guest = await site.start(pi, await site.boot(pi), READ_WHAT_IS_LATE, { timeout: 2 * MINUTE });
		await guest.waitFor(/now it waits\n/, MINUTE);
		await pause(1000);
		assert.equal(await guest.output(), "the front\nnow it waits\n");
		zstd.open();
		const result = await guest.result();
		assertWell(result);
		assert.equal(result.output, `the front\nnow it waits\n${SUM}  -\nmine\n`);
		await eventually("all of it", async () => ((await imageOf("whole"))?.state === "ready" ? true : undefined));
		const next = await site.run(pi, await site.boot(pi), "cat $MNT/mine; md5sum < $MNT/late");
		assert.equal(next.output, `mine\n${SUM}  -\n`, "it is the same build, with the same root");
	});

	test("when the rest is damaged the Pi reads nothing more of it, and the page says why", async () => {
		const pi = piNumber(2);
		await arrive("damaged");
		const guest = await site.start(pi, await site.boot(pi), READ_WHAT_IS_LATE, { timeout: 2 * MINUTE });
		await guest.waitFor(/now it waits\n/, MINUTE);
		zstd.fail();
		await eventually("the end", async () => ((await imageOf("damaged"))?.state === "broken" ? true : undefined));
		const diagnosis = await eventually("the diagnosis", async () => {
			const device = await site.server.api<Device>("GET", `/api/v1/devices/${pi.serial}`);
			return device.diagnosis;
		});
		assert.equal(diagnosis.code, "image-changed");
		assert.match(diagnosis.message, /still being unpacked, and the rest never came: damaged\.img\.zst is damaged/);
		assert.equal(await guest.output(), "the front\nnow it waits\n");
		await guest.stop();
		await rm(join(site.images, "damaged.img.zst"));
	});
});
