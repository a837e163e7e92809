/**
 * Fills a layer until its disk, a tiny tmpfs, is full, and then removes what it made. Prints what happened as JSON.
 */
import { statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BlockFault, FileError, systemCode } from "../../server/src/base/index.ts";
import { Layer, MemoryTree } from "../../server/src/vfs/index.ts";

const [folder = ""] = process.argv.slice(2);
const FILE = { mode: 0o644, uid: 0, gid: 0 };
const base = new MemoryTree();
for (let count = 0; count < 1000; count++) base.create(base.root, `base-${count}`, FILE);
const volume = { fsid: 1, base, semantics: "posix", maxBaseIno: 0x4fff_ffff } as const;
const layer = Layer.open({ path: join(folder, "layer"), volumes: [volume] });
const tree = layer.tree(1);
let xid = 0;

/** As the NFS server does it: with a stored reply, and again after a fault. */
function call(change: () => void): void {
	for (;;) {
		try {
			layer.transaction(() => {
				change();
				layer.storeReply({ client: "192.0.2.1", xid: xid++, procedure: 12, checksum: 1 }, Buffer.alloc(200));
			});
			return;
		} catch (error) {
			if (!(error instanceof BlockFault)) throw error;
		}
	}
}

/** Repeats until there is an error of the tree, which it gives, with how often it went well. */
async function repeat(limit: number, step: (count: number) => void): Promise<{ count: number; code?: string }> {
	for (let count = 0; count < limit; count++) {
		try {
			call(() => step(count));
			if (count % 50 === 0) await tree.commit(tree.root);
		} catch (error) {
			if (error instanceof FileError) return { count, code: error.code };
			throw error;
		}
	}
	return { count: limit };
}

function fillDisk(): void {
	try {
		writeFileSync(join(folder, "other"), Buffer.alloc(32 * 1024 * 1024, 1));
	} catch (error) {
		if (systemCode(error) !== "ENOSPC") throw error;
	}
}

const files = await repeat(10_000, (count) => {
	tree.write(tree.create(tree.root, `file-${count}`, FILE), 0, Buffer.alloc(20_000, 1));
});
fillDisk();
const empty = await repeat(100_000, (count) => void tree.create(tree.root, `empty-${count}`, FILE));
const { bavail } = statfsSync(folder);
const removedBase = await repeat(1000, (count) => tree.remove(tree.root, `base-${count}`));
const removed = await repeat(files.count, (count) => tree.remove(tree.root, `file-${count}`));
await tree.commit(tree.root);
const again = await repeat(1, () => void tree.create(tree.root, "again", FILE));
layer.close();
const reopened = Layer.open({ path: join(folder, "layer"), volumes: [volume] });
const left: string[] = [];
reopened.tree(1).readdir(tree.root, 0, ({ name }) => left.push(name) > 0);
reopened.close();
process.stdout.write(
	JSON.stringify({
		files,
		empty,
		bavail,
		removedBase,
		removed,
		again,
		left: left.filter((name) => !/^empty-/.test(name)),
	}),
);
