/** An image that was dumped from a card in use: what was deleted there lies in its free blocks, and it has no holes. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { makeDiskImage, makeExtImage, makeFatImage, patternBytes } from "../../server/src/disk/testdata/index.ts";
import { type PackResult, PackShelf } from "../../server/src/writes/index.ts";
import { must } from "../harness/command.ts";
import { lacks } from "../harness/needs.ts";

const MIB = 1024 * 1024;
const ROOT_MIB = 320;
const BOOT_MIB = 64;
const skip = await lacks(["mount", "unshare", "mke2fs", "mkfs.fat", "mcopy", "mdel", "sfdisk"]);

/** Blocks that the file has on its own disk. */
const allocated = (path: string) => statSync(path).blocks * 512;

function makeFresh(folder: string): string {
	const files = join(folder, "files");
	mkdirSync(files);
	writeFileSync(join(files, "kernel8.img"), patternBytes(8 * MIB, 1));
	const boot = makeFatImage(folder, { sizeKiB: BOOT_MIB * 1024, bits: 32, sourceDir: files });
	for (let each = 0; each < 12; each++) writeFileSync(join(files, `file-${each}`), patternBytes(10 * MIB, each + 2));
	writeFileSync(join(files, "text"), "the same again and again\n".repeat(200_000));
	const root = makeExtImage(folder, { size: `${ROOT_MIB}M`, blockSize: 4096, sourceDir: files });
	return makeDiskImage(folder, { boot, root, table: "mbr" });
}

/**
 * Fills both file systems with files and deletes them, as the kernel and mtools do it. Mounted in a namespace of its own: one
 * that another program makes meanwhile has a copy of every mount, which keeps the file system from being written out at the end.
 */
async function use(folder: string, card: string): Promise<void> {
	const stale = join(folder, "stale");
	writeFileSync(stale, patternBytes(40 * MIB, 77));
	const boot = `${card}@@1M`;
	await must(["mcopy", "-i", boot, stale, "::stale"]);
	await must(["mdel", "-i", boot, "::stale"]);
	const place = join(folder, "mounted");
	mkdirSync(place);
	const fill = `mount -o loop,offset=${(1 + BOOT_MIB) * MIB} ${card} ${place}
		for each in 1 2 3; do cp ${stale} ${place}/stale-$each; done; mkdir ${place}/many
		for each in $(seq 300); do head -c 9000 ${stale} > ${place}/many/$each; done
		sync -f ${place}; rm -r ${place}/stale-* ${place}/many; umount ${place}`;
	await must(["unshare", "--mount", "sh", "-ec", fill]);
}

it("an image of a used card sends no more than 2 % more than a fresh one", { skip }, async () => {
	const folder = mkdtempSync(join(tmpdir(), "used-card-"));
	try {
		const fresh = makeFresh(folder);
		const card = join(folder, "card");
		copyFileSync(fresh, card);
		await use(folder, card);
		const dump = join(folder, "dump.img");
		await must(["dd", `if=${card}`, `of=${dump}`, "bs=4M", "status=none"]);
		const stalest = patternBytes(40 * MIB, 77).subarray(20 * MIB, 20 * MIB + 4096);
		assert.ok(readFileSync(dump).includes(stalest), "what was deleted is still there");
		assert.ok(allocated(dump) > 2 * allocated(fresh), `${allocated(dump)} bytes, no holes`);

		const shelf = await PackShelf.open(join(folder, "packs"));
		const [before, after] = [await shelf.get({ key: "1", image: fresh }), await shelf.get({ key: "2", image: dump })];
		for (const what of ["packBytes", "dataBytes"] as const satisfies (keyof PackResult)[]) {
			const ratio = after[what] / before[what];
			assert.ok(ratio < 1.02, `${what}: ${after[what]} of the used card, ${before[what]} of the fresh image`);
		}
		await shelf.close();
	} finally {
		rmSync(folder, { recursive: true });
	}
});
