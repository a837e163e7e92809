/**
 * The child of the crash test: changes a layer without end, and says on its standard output what was acknowledged. It is
 * killed at any moment.
 *
 * Each transaction makes `new-N` in `inbox`, moves the one before to `outbox`, appends N to `log` and stores a reply. So
 * whatever N the layer has seen, everything else in it follows from N.
 */
import { MemoryTree } from "../memory-tree.ts";
import { Layer } from "./layer.ts";
import { MAX_BASE_INO } from "./testing.ts";

const [path = "", from = "0"] = process.argv.slice(2);
const base = new MemoryTree();
const FILE = { mode: 0o644, uid: 0, gid: 0 };
const log = base.create(base.root, "log", FILE);
const inbox = base.mkdir(base.root, "inbox", FILE);
const outbox = base.mkdir(base.root, "outbox", FILE);

const layer = Layer.open({ path, volumes: [{ fsid: 1, base, semantics: "posix", maxBaseIno: MAX_BASE_INO }] });
const tree = layer.tree(1);

async function step(n: number): Promise<void> {
	layer.transaction(() => {
		tree.create(inbox, `new-${n}`, FILE);
		if (n > 0) tree.rename(inbox, `new-${n - 1}`, outbox, `old-${n - 1}`);
		if (n > 99) tree.remove(outbox, `old-${n - 100}`);
		tree.write(log, n * 8, Buffer.from(`${String(n).padStart(7)}\n`));
		layer.storeReply({ client: "192.0.2.1", xid: n, procedure: 8, checksum: 7 }, Buffer.from(`reply ${n}`));
	});
	await new Promise((resolve) => process.stdout.write(`${n}\n`, resolve));
}

for (let n = Number(from); ; n++) {
	await step(n);
	// Rounds of syncing go on beside it, whose effects a crash must not show either.
	if (n % 64 === 0) void tree.commit(log);
}
