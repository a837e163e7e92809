import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { MemoryTree } from "../memory-tree.ts";
import { checkpoint } from "./checkpointer.ts";
import { openLayer } from "./testing.ts";

const FILE = { mode: 0o644, uid: 0, gid: 0 };

it("moves the WAL into the database off the loop, and uses it from its beginning again", async () => {
	const subject = openLayer(new MemoryTree());
	try {
		const tree = subject.layer.tree(1);
		const size = (suffix: string) => statSync(subject.path + suffix).size;
		tree.create(tree.root, "first", FILE);
		const fresh = size(".db");
		await checkpoint(`${subject.path}.db`, true);
		assert.ok(size(".db") > fresh);
		const wal = size(".db-wal");
		tree.create(tree.root, "second", FILE);
		assert.equal(size(".db-wal"), wal);
		assert.deepEqual([tree.lookup(tree.root, "first") > 0, tree.lookup(tree.root, "second") > 0], [true, true]);
	} finally {
		subject.close();
	}
});

it("keeps the WAL bounded while changes go on", async () => {
	const subject = openLayer(new MemoryTree());
	try {
		const tree = subject.layer.tree(1);
		const ino = tree.create(tree.root, "file", FILE);
		const db = () => statSync(`${subject.path}.db`).size;
		const fresh = db();
		for (let round = 0; round < 3000 && db() === fresh; round++) {
			for (let count = 0; count < 20; count++) tree.setattr(ino, { mode: count });
			await pause(1);
		}
		assert.ok(db() > fresh, "a checkpoint came by itself");
	} finally {
		subject.close();
	}
});

it("does not bring back a database that is gone, and says that it is not there", async () => {
	const subject = openLayer(new MemoryTree());
	subject.close();
	await assert.rejects(checkpoint(`${subject.path}.db`, false), { code: "checkpoint" });
	assert.ok(!existsSync(`${subject.path}.db`));
});
