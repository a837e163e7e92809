/** Packing an image onto a disk that is full, and by a server that is killed meanwhile. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { patternBytes } from "../../server/src/disk/testdata/index.ts";
import { PackShelf } from "../../server/src/writes/index.ts";
import { Background, must, run } from "../harness/command.ts";

const CHILD = fileURLToPath(new URL("packing.child.ts", import.meta.url));
const MIB = 1024 * 1024;

/** Mounts of its own, which need no root. */
const withMounts = (command: string, ...words: string[]) => ["unshare", "-Urm", "sh", "-c", command, "sh", ...words];
const canMount = (await run(withMounts("mount -t tmpfs none /mnt"))).status === 0;

describe("packing an image", () => {
	let folder = "";
	let image = "";
	let packs = "";
	before(() => {
		folder = mkdtempSync(join(tmpdir(), "packing-"));
		image = join(folder, "image");
		packs = join(folder, "packs");
		mkdirSync(packs);
		// Nothing of it is known to be free, and nothing of it shrinks.
		writeFileSync(image, patternBytes(160 * MIB, 1));
	});
	after(() => rmSync(folder, { recursive: true }));

	it("says so when the disk is full, and leaves nothing", {
		skip: canMount ? false : "needs unshare -Urm",
	}, async () => {
		for (const megabytes of [40, 80]) {
			const command = `mount -t tmpfs -o size=${megabytes}m none "$1" && exec "$2" "$3" "$1" "$4"`;
			const output = await must(withMounts(command, packs, process.execPath, CHILD, image));
			const { result, left } = JSON.parse(output.trim().split("\n").at(-1) ?? "");
			assert.equal(result.code, "pack-no-space");
			assert.match(`${result.message} ${result.hint}`, /no room left on the disk of .*packs.* Free some space/);
			assert.deepEqual(left, []);
		}
	});

	it("by a server that is killed leaves nothing to the next one, which makes it anew", async () => {
		const killed = new Background([process.execPath, CHILD, packs, image]);
		await killed.waitFor(/begun/, 20_000);
		await killed.stop("SIGKILL");
		assert.deepEqual(
			readdirSync(packs).map((name) => name.replace(/.*\./, "")),
			["unfinished"],
		);
		const shelf = await PackShelf.open(packs);
		assert.deepEqual(readdirSync(packs), []);
		const { pack, packBytes } = await shelf.get({ key: "image", image });
		assert.equal((await shelf.pack(pack))?.size, packBytes);
		await shelf.close();
	});
});
