/** Copies of layers: taken while they are used, and made layers of their own. */
import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { BlockFault, whenReady } from "../../base/index.ts";
import { contentOf, find, findIfThere, pattern } from "../compliance-source.ts";
import { assertFails } from "../compliance-tools.ts";
import { MemoryTree } from "../memory-tree.ts";
import { Layer } from "./layer.ts";
import { restoreLayer } from "./layer-files.ts";
import { BLOCK } from "./pool.ts";
import { MAX_BASE_INO, openLayer } from "./testing.ts";
import { layerBytes } from "./usage.ts";

const FILE = { mode: 0o644, uid: 0, gid: 0 };
const KEY = { client: "192.0.2.1", xid: 1, procedure: 9, checksum: 2 };

function openAt(path: string): Layer {
	const base = new MemoryTree();
	return Layer.open({ path, volumes: [{ fsid: 1, base, semantics: "posix", maxBaseIno: MAX_BASE_INO }] });
}

describe("a copy of a layer", () => {
	it("has what was there when it began, though the layer is written to all the time", async () => {
		const subject = openLayer(new MemoryTree());
		const tree = subject.layer.tree(1);
		const ino = tree.create(tree.root, "file", FILE);
		tree.write(ino, 0, pattern(300 * BLOCK));
		const copying = subject.layer.copyTo(`${subject.path}-copy`);
		assert.throws(() => tree.write(ino, 0, Buffer.from("later")), BlockFault);
		assert.throws(() => tree.remove(tree.root, "file"), BlockFault);
		assert.ok(contentOf(tree, ino).equals(pattern(300 * BLOCK)), "it can be read meanwhile");
		let isCopied = false;
		void copying.then(() => {
			isCopied = true;
		});
		await whenReady(() => tree.write(ino, 0, Buffer.from("later")));
		assert.ok(isCopied);
		tree.create(tree.root, "behind", FILE);

		await restoreLayer(`${subject.path}-copy`, `${subject.path}-again`);
		const again = openAt(`${subject.path}-again`);
		assert.ok(contentOf(again.tree(1), find(again.tree(1), "file")).equals(pattern(300 * BLOCK)));
		assert.equal(findIfThere(again.tree(1), "behind"), undefined);
		again.close();
		subject.close();
	});

	it("becomes a layer with another id, that knows no replies; the copy stays as it is", async () => {
		const subject = openLayer(new MemoryTree());
		const { layer } = subject;
		layer.transaction(() => {
			layer.tree(1).create(layer.tree(1).root, "a", FILE);
			layer.storeReply(KEY, Buffer.from("reply"));
		});
		await layer.copyTo(`${subject.path}-copy`);
		for (const number of [1, 2]) {
			const id = await restoreLayer(`${subject.path}-copy`, `${subject.path}-${number}`);
			const again = openAt(`${subject.path}-${number}`);
			assert.equal(again.id, id);
			assert.notEqual(id, layer.id);
			assert.equal(again.storedReply(KEY), undefined);
			assert.deepEqual(
				again.tree(1).getattr(find(again.tree(1), "a")),
				layer.tree(1).getattr(find(layer.tree(1), "a")),
			);
			again.tree(1).create(again.tree(1).root, `made-${number}`, FILE);
			again.close();
		}
		assert.equal(statSync(`${subject.path}-copy.db`).mode & 0o777, 0o600);
		assert.equal(statSync(`${subject.path}-copy.pool`).mode & 0o777, 0o600);
		subject.close();
	});

	it("that fails leaves nothing behind, and the layer goes on", async () => {
		const subject = openLayer(new MemoryTree());
		const tree = subject.layer.tree(1);
		tree.write(tree.create(tree.root, "a", FILE), 0, pattern(5000));
		writeFileSync(`${subject.path}-copy.pool`, "in the way");
		const before = readdirSync(dirname(subject.path)).filter((name) => !name.includes("copy"));
		await assert.rejects(subject.layer.copyTo(`${subject.path}-copy/no/such/folder`));
		await assert.rejects(subject.layer.copyTo(subject.path), /EEXIST/);
		assert.deepEqual(
			readdirSync(dirname(subject.path)).filter((name) => !name.includes("copy")),
			before,
		);
		tree.create(tree.root, "b", FILE);
		assert.ok(contentOf(tree, find(tree, "a")).equals(pattern(5000)));
		subject.close();
	});

	it("is told in bytes of the disk", async () => {
		const subject = openLayer(new MemoryTree());
		const tree = subject.layer.tree(1);
		tree.write(tree.create(tree.root, "a", FILE), 0, pattern(100 * BLOCK));
		await subject.layer.copyTo(`${subject.path}-copy`);
		assert.ok((await layerBytes(`${subject.path}-copy`)) >= 100 * BLOCK);
		assert.ok((await layerBytes(subject.path)) >= 100 * BLOCK);
		assert.equal(await layerBytes(`${subject.path}-none`), 0);
		subject.close();
	});
});

describe("a quota", () => {
	it("counts names too, can be changed while it is used, and never stops removing", () => {
		const subject = openLayer(new MemoryTree());
		const { layer } = subject;
		const tree = layer.tree(1);
		tree.write(tree.create(tree.root, "a", FILE), 0, pattern(40 * BLOCK));
		layer.quotaBytes = 20 * BLOCK;
		assertFails("EDQUOT", () => tree.create(tree.root, "b", FILE));
		assertFails("EDQUOT", () => tree.write(find(tree, "a"), 40 * BLOCK, pattern(1)));
		tree.write(find(tree, "a"), 0, Buffer.from("what is there may be written over"));
		assert.deepEqual([tree.statfs().totalBytes, tree.statfs().availableBytes], [20 * BLOCK, 0]);
		tree.remove(tree.root, "a");
		tree.create(tree.root, "b", FILE);
		layer.quotaBytes = 8 * BLOCK;
		const make = () => {
			for (let number = 0; number < 100_000; number++) tree.create(tree.root, `name-${number}`, FILE);
		};
		assert.throws(() => layer.transaction(make), { code: "EDQUOT" });
		layer.quotaBytes = undefined;
		tree.create(tree.root, "c", FILE);
		subject.close();
	});
});
