import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("full-disk.child.ts", import.meta.url));

/** Runs a command with mounts of its own, which need no root. */
function withMounts(command: string, ...args: string[]) {
	return spawnSync("unshare", ["-Urm", "sh", "-c", command, "sh", ...args], { encoding: "utf8", timeout: 60_000 });
}

const canMount = withMounts("mount -t tmpfs none /mnt").status === 0;

it("removes files on a full disk, and goes on afterwards", { skip: canMount ? false : "needs unshare -Urm" }, () => {
	const folder = mkdtempSync(join(tmpdir(), "full-disk-"));
	try {
		const command = 'mount -t tmpfs -o size=16m none "$1" && exec "$2" "$3" "$1"';
		const { status, stdout, stderr } = withMounts(command, folder, process.execPath, CHILD);
		assert.equal(status, 0, stderr);
		const { files, empty, bavail, removedBase, removed, again, left } = JSON.parse(stdout);
		assert.ok(files.count > 50);
		assert.deepEqual([files.code, empty.code], ["ENOSPC", "ENOSPC"]);
		assert.ok(bavail < 16, `the disk is full, ${bavail} blocks left`);
		assert.deepEqual([removedBase, removed], [{ count: 1000 }, { count: files.count }]);
		assert.deepEqual(again, { count: 1 });
		assert.deepEqual(left, ["again"]);
	} finally {
		rmdirSync(folder);
	}
});
