import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { BLOCK, Pool } from "./pool.ts";

const folder = mkdtempSync(join(tmpdir(), "pool-"));
after(() => rmSync(folder, { recursive: true }));

it("knows, from one sync to the next, whether blocks were taken that had been another file's", async () => {
	const pool = Pool.open(join(folder, "pool"), [], Number.POSITIVE_INFINITY);
	const [first] = pool.allocate(4);
	assert.ok(first);
	pool.write(first.start, 0, Buffer.alloc(4 * BLOCK, 1));
	pool.committed();
	assert.equal(pool.tookUsedBlocks, false);
	pool.free([first]);
	pool.committed();
	const reuse = await pool.sync();
	pool.allocate(1);
	assert.equal(pool.tookUsedBlocks, false, "what was freed is not used again before the rows are on the disk");
	reuse();
	const [again] = pool.allocate(2);
	assert.deepEqual(again, { start: first.start, count: 2 });
	assert.equal(pool.tookUsedBlocks, true);
	pool.write(first.start, 0, Buffer.alloc(2 * BLOCK, 2));
	await pool.sync();
	assert.equal(pool.tookUsedBlocks, false);
	pool.close();
});
