import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { ManualClock } from "../../base/index.ts";
import { Sync } from "./sync.ts";

/** A pool whose rounds the test ends by hand. */
class SlowPool {
	readonly rounds: { end: () => void; fail: (error: Error) => void }[] = [];
	reused = 0;
	tookUsedBlocks = false;
	isClosed = false;

	sync(): Promise<() => void> {
		return new Promise((resolve, reject) => {
			const end = () => resolve(() => void this.reused++);
			this.rounds.push({ end, fail: reject });
		});
	}

	close(): void {
		this.isClosed = true;
	}
}

async function using(
	run: (parts: { sync: Sync; pool: SlowPool; clock: ManualClock; failures: unknown[] }) => Promise<void>,
): Promise<void> {
	const folder = mkdtempSync(join(tmpdir(), "sync-"));
	const walPath = join(folder, "wal");
	writeFileSync(walPath, "");
	const [pool, clock, failures] = [new SlowPool(), new ManualClock(), [] as unknown[]];
	const sync = new Sync({ pool, walPath, clock, failed: (error) => failures.push(error), done: () => undefined });
	try {
		await run({ sync, pool, clock, failures });
	} finally {
		rmSync(folder, { recursive: true });
	}
}

it("shares a round, but never one that began before the change", () =>
	using(async ({ sync, pool }) => {
		const first = sync.flush();
		sync.changed();
		const [second, third] = [sync.flush(), sync.flush()];
		assert.equal(second, third);
		assert.equal(pool.rounds.length, 1);
		pool.rounds[0]?.end();
		await first;
		let isDone = false;
		void second.then(() => {
			isDone = true;
		});
		while (pool.rounds.length < 2) await new Promise((resolve) => setImmediate(resolve));
		assert.equal(isDone, false);
		pool.rounds[1]?.end();
		await second;
		assert.equal(pool.reused, 2);
		await sync.flush();
		assert.equal(pool.rounds.length, 2, "nothing changed, nothing to do");
		sync.close();
	}));

it("brings changes to the disk a second later though nobody asks", () =>
	using(async ({ sync, pool, clock }) => {
		sync.changed();
		clock.advance(999);
		assert.equal(pool.rounds.length, 0);
		clock.advance(1);
		assert.equal(pool.rounds.length, 1);
		pool.rounds[0]?.end();
		sync.close();
	}));

it("tells everybody when the disk fails, and tries again when asked", () =>
	using(async ({ sync, pool, failures }) => {
		const first = sync.flush();
		pool.rounds[0]?.fail(Object.assign(new Error("i/o error"), { code: "EIO" }));
		await assert.rejects(first, { code: "EIO", name: "FileError" });
		assert.equal(failures.length, 1);
		const second = sync.flush();
		pool.rounds[1]?.end();
		await second;
		sync.close();
	}));

it("tells of a pool that fails while the WAL does not, in both orders", () =>
	using(async ({ sync, pool, failures }) => {
		for (const [index, tookUsedBlocks] of [false, true].entries()) {
			pool.tookUsedBlocks = tookUsedBlocks;
			const round = sync.flush();
			pool.rounds[index]?.fail(Object.assign(new Error("no space"), { code: "ENOSPC" }));
			await assert.rejects(round, { code: "ENOSPC", name: "FileError" });
			assert.equal(failures.length, index + 1);
		}
		sync.close();
	}));

it("keeps its descriptors open until a round that runs is over", () =>
	using(async ({ sync, pool }) => {
		const round = sync.flush();
		sync.close();
		assert.equal(pool.isClosed, false);
		pool.rounds[0]?.end();
		await round;
		await new Promise((resolve) => setImmediate(resolve));
		assert.ok(pool.isClosed);
		assert.equal(pool.reused, 0, "blocks of a closed layer are not given out");
	}));
