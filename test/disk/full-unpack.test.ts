import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { must } from "../harness/command.ts";

const CHILD = fileURLToPath(new URL("full-unpack.child.ts", import.meta.url));

/** Runs a command with mounts of its own, which need no root. */
function withMounts(command: string, ...args: string[]) {
	return spawnSync("unshare", ["-Urm", "sh", "-c", command, "sh", ...args], { encoding: "utf8", timeout: 120_000 });
}

const canMount = withMounts("mount -t tmpfs none /mnt").status === 0;
const PACKERS = { gz: "gzip -1c", xz: "xz -0c", zst: "zstd -1qc" };

it("an unpacking that fills its disk ends with a sentence and leaves nothing, by program or without", {
	skip: canMount ? false : "needs unshare -Urm",
}, async () => {
	const folder = mkdtempSync(join(tmpdir(), "full-unpack-"));
	try {
		for (const name of ["disk", "packed"]) mkdirSync(join(folder, name));
		for (const [ending, packer] of Object.entries(PACKERS)) {
			await must(["sh", "-c", `yes | head -c 150000000 | ${packer} > ${folder}/packed/y.img.${ending}`]);
		}
		const command = 'mount -t tmpfs -o size=110m none "$1/disk" && exec "$2" "$3" "$1/disk" "$1/packed"';
		const { status, stdout, stderr } = withMounts(command, folder, process.execPath, CHILD);
		assert.equal(status, 0, stderr);
		const outcomes = JSON.parse(stdout);
		assert.equal(outcomes.length, 6);
		for (const { failure, left, ...which } of outcomes) {
			const [code, message] = failure;
			assert.deepEqual([code, left], ["import-no-space", ["fill"]], JSON.stringify([which, failure, left]));
			assert.match(message, /There is not enough room on the disk of .*disk/);
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
});
