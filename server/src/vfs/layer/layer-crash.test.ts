import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { contentOf } from "../compliance-source.ts";
import { names } from "../compliance-tools.ts";
import { MemoryTree } from "../memory-tree.ts";
import { Layer } from "./layer.ts";
import { randomNumbers } from "./random-operations.ts";
import { MAX_BASE_INO } from "./testing.ts";

const CHILD = fileURLToPath(new URL("layer-crash.child.ts", import.meta.url));
const FILE = { mode: 0o644, uid: 0, gid: 0 };
const KILLS = 20;

/** The same base as the child's. */
function open(path: string) {
	const base = new MemoryTree();
	const log = base.create(base.root, "log", FILE);
	const inbox = base.mkdir(base.root, "inbox", FILE);
	const outbox = base.mkdir(base.root, "outbox", FILE);
	const layer = Layer.open({ path, volumes: [{ fsid: 1, base, semantics: "posix", maxBaseIno: MAX_BASE_INO }] });
	return { layer, tree: layer.tree(1), log, inbox, outbox };
}

/** Runs the child until it has acknowledged `count` steps, kills it, and gives the last one acknowledged. */
async function runAndKill(path: string, from: number, count: number): Promise<number> {
	const child = spawn(process.execPath, [CHILD, path, String(from)], { stdio: ["ignore", "pipe", "inherit"] });
	const closed = once(child, "close");
	let output = "";
	for await (const chunk of child.stdout) {
		output += String(chunk);
		if (output.split("\n").length > count) child.kill("SIGKILL");
	}
	await closed;
	assert.equal(child.signalCode, "SIGKILL");
	return Number(output.slice(0, output.lastIndexOf("\n")).split("\n").at(-1));
}

/** Checks everything that follows from the last step that was done, and gives that. */
function check(path: string, acknowledged: number): number {
	const { layer, tree, log, inbox, outbox } = open(path);
	try {
		const done = tree.getattr(log).size / 8 - 1;
		assert.ok(done === acknowledged || done === acknowledged + 1, `${acknowledged} acknowledged, ${done} done`);
		assert.deepEqual(names(tree, inbox), [`new-${done}`]);
		const kept = Array.from({ length: Math.min(done, 99) }, (_, index) => `old-${done - 1 - index}`);
		assert.deepEqual(names(tree, outbox), kept.sort());
		const lines = Array.from({ length: done + 1 }, (_, n) => `${String(n).padStart(7)}\n`);
		assert.equal(contentOf(tree, log).toString(), lines.join(""));
		for (let xid = Math.max(0, done - 500); xid <= done; xid++) {
			const reply = layer.storedReply({ client: "192.0.2.1", xid, procedure: 8, checksum: 7 });
			assert.equal(reply?.toString(), `reply ${xid}`);
		}
		assert.equal(layer.storedReply({ client: "192.0.2.1", xid: done + 1, procedure: 8, checksum: 7 }), undefined);
		return done;
	} finally {
		layer.close();
	}
}

it(`loses nothing acknowledged and does nothing twice, killed ${KILLS} times`, async () => {
	const folder = mkdtempSync(join(tmpdir(), "layer-crash-"));
	const path = join(folder, "layer");
	const random = randomNumbers(5);
	try {
		let next = 0;
		for (let kill = 0; kill < KILLS; kill++) {
			const acknowledged = await runAndKill(path, next, 1 + Math.floor(random() * 300));
			next = check(path, acknowledged) + 1;
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
});
